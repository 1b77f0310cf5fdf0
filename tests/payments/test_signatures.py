"""Signatures of notifications: the fixed vectors, both casings, both units of time, and what must never pass."""

import hashlib
import hmac

import pytest

from apps.payments.signatures import Verdict, verify

SECRET = "breadmate-test-secret"
ORDER = "ORD01JQ4S4KY8HWQ6NA5PXB65B3D3"
REQUEST = "2066ca19-c6f1-498a-be75-1923005edd06"
MILLISECONDS, SECONDS = "1742505638683", "1704908010"
LOWER = "7b5e6ad66a8353b64fba3c8ff6e5078229d0abfb511a4f17c85a2af25812e09a"
VERBATIM = "77705729b04f178d9fda249567cf1a056ba313845bc2af014e0292906373c17a"
VECTORS = {
    "A lower case, ms": (ORDER, REQUEST, MILLISECONDS, LOWER),
    "A lower case in the query": (ORDER.lower(), REQUEST, MILLISECONDS, LOWER),
    "B verbatim": (ORDER, REQUEST, MILLISECONDS, VERBATIM),
    "C payment, seconds": (
        "123456789",
        REQUEST,
        SECONDS,
        "b0e870be16d114349b907c8aae37457078a987fb341a7d74b75229b8254b9586",
    ),
    "D no id": ("", REQUEST, MILLISECONDS, "0193a2f3f483c3d8a895e83625c1254e9c091bfce4e09fdf0a71f6f33afa161f"),
    "E no request id": (ORDER, "", MILLISECONDS, "f8199dd70d2185c77926ac1873a77a1b559df1fb22aacde141f8f394bf942091"),
}


def check(header: str, *secrets: str, data_id: str = ORDER, request_id: str = REQUEST) -> Verdict:
    return verify(header=header, data_id=data_id, request_id=request_id, secrets=secrets or (SECRET,))


@pytest.mark.parametrize("case", VECTORS)
def test_vector_is_valid_and_nothing_beside_it(case: str) -> None:
    data_id, request_id, ts, v1 = VECTORS[case]
    header = f"ts={ts},v1={v1}"

    assert check(header, data_id=data_id, request_id=request_id) == Verdict.VALID
    assert check(header, data_id=f"{data_id}X", request_id=request_id) == Verdict.INVALID
    assert check(header, data_id=data_id, request_id=f"{request_id}x") == Verdict.INVALID
    assert check(f"ts={ts}0,v1={v1}", data_id=data_id, request_id=request_id) == Verdict.INVALID
    assert check(header, "another-secret", data_id=data_id, request_id=request_id) == Verdict.INVALID


@pytest.mark.parametrize("header", [f"v1={LOWER},ts={MILLISECONDS}", f" ts={MILLISECONDS} , v1={LOWER} "])
def test_order_of_the_parts_and_spaces_do_not_matter(header: str) -> None:
    assert check(header) == Verdict.VALID


def test_any_of_several_secrets_will_do() -> None:
    header = f"ts={MILLISECONDS},v1={LOWER}"

    assert check(header, "new-secret", SECRET) == Verdict.VALID
    assert check(header, "", SECRET) == Verdict.VALID
    assert check(header, "new-secret", "newer-secret") == Verdict.INVALID


@pytest.mark.parametrize("header", ["", "   "])
def test_no_header_is_absent(header: str) -> None:
    assert check(header) == Verdict.ABSENT


def test_empty_secret_signs_nothing() -> None:
    """What anybody can make with an empty key must not pass while a secret is missing."""

    text = f"id:{ORDER.lower()};request-id:{REQUEST};ts:{MILLISECONDS};"
    header = f"ts={MILLISECONDS},v1={hmac.new(b'', text.encode(), hashlib.sha256).hexdigest()}"

    assert check(header, "") == Verdict.INVALID
    assert verify(header=header, data_id=ORDER, request_id=REQUEST, secrets=[]) == Verdict.INVALID


MISSHAPEN = {
    "upper-case hex": f"ts={MILLISECONDS},v1={LOWER.upper()}",
    "no ts": f"v1={LOWER}",
    "no v1": f"ts={MILLISECONDS}",
    "empty v1": f"ts={MILLISECONDS},v1=",
    "v1 too short": f"ts={MILLISECONDS},v1={LOWER[:-1]}",
    "v1 too long": f"ts={MILLISECONDS},v1={LOWER}0",
    "v1 twice": f"ts={MILLISECONDS},v1={LOWER},v1={LOWER}",
    "ts twice": f"ts={MILLISECONDS},ts={MILLISECONDS},v1={LOWER}",
    "non-ASCII v1": f"ts={MILLISECONDS},v1={'é' * 64}",
    "non-ASCII digits in ts": f"ts={chr(0x661) * 13},v1={LOWER}",
    "negative ts": f"ts=-{SECONDS},v1={LOWER}",
    "short ts": f"ts=170490801,v1={LOWER}",
    "words": "sha256=abc",
    "commas": ",,,,",
    "huge": f"ts={MILLISECONDS},v1={LOWER}," + "x" * 100_000,
    "lone surrogate": f"ts={MILLISECONDS},v1=\ud800",
}


@pytest.mark.parametrize("case", MISSHAPEN)
def test_misshapen_header_is_invalid_and_never_an_error(case: str) -> None:
    assert check(MISSHAPEN[case]) == Verdict.INVALID


@pytest.mark.parametrize("data_id", ["\ud800", "é", "x" * 10_000, "a;request-id:b"])
def test_strange_id_is_never_an_error(data_id: str) -> None:
    assert check(f"ts={MILLISECONDS},v1={LOWER}", data_id=data_id) == Verdict.INVALID
