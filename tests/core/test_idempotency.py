"""The key's own rules; how checkout uses it is tested with checkout."""

import pytest
from django.db import transaction

from apps.core.facade import InvalidError
from apps.core.idempotency import (
    Answer,
    KeyReusedError,
    RivalWonError,
    claim_from,
    keep_answer,
    stored_answer,
)
from apps.core.models import IdempotencyKey

BODY = {"items": [{"quantity": 1}], "name": "Ana"}


@pytest.mark.parametrize("header", [None, "", "x" * 65, "é", "a\nb", "\x7f", "\x00"])
def test_unusable_key_is_no_claim(header: str | None) -> None:
    with pytest.raises(InvalidError):
        claim_from(header, principal="device:1", body=BODY)


@pytest.mark.parametrize(
    ("body", "same"),
    [
        (dict(reversed(BODY.items())), True),
        ({**BODY, "name": "Bia"}, False),
        ({**BODY, "items": [{"quantity": "1"}]}, False),
        ({**BODY, "items": [{"quantity": True}]}, False),
        ({**BODY, "more": None}, False),
        ([BODY], False),
        (None, False),
    ],
)
def test_hash_tells_bodies_apart_but_not_the_order_of_members(body: object, same: bool) -> None:
    one, other = (claim_from("k", principal="device:1", body=each) for each in (BODY, body))

    assert (one.request_hash == other.request_hash) is same


@pytest.mark.parametrize("body", [10**30, "\ud800", {"a": [[[1.5]]]}, 1e300, {"\ud800": 1}])
def test_every_json_value_has_a_hash(body: object) -> None:
    assert len(claim_from("k", principal="device:1", body=body).request_hash) == 32


def test_answer_is_kept_per_principal_and_key(db: None) -> None:
    mine = claim_from("k", principal="device:1", body=BODY)
    keep_answer(mine, Answer(status=201, body=b"bytes"))

    assert stored_answer(mine) == Answer(status=201, body=b"bytes", replayed=True)
    assert stored_answer(claim_from("k", principal="device:2", body=BODY)) is None
    assert stored_answer(claim_from("k2", principal="device:1", body=BODY)) is None


def test_key_with_another_body_is_refused(db: None) -> None:
    keep_answer(claim_from("k", principal="device:1", body=BODY), Answer(status=201, body=b""))

    with pytest.raises(KeyReusedError):
        stored_answer(claim_from("k", principal="device:1", body={}))


def test_second_to_keep_an_answer_has_lost(db: None) -> None:
    mine = claim_from("k", principal="device:1", body=BODY)
    keep_answer(mine, Answer(status=201, body=b"first"))

    with pytest.raises(RivalWonError), transaction.atomic():
        keep_answer(mine, Answer(status=201, body=b"second"))

    assert bytes(IdempotencyKey.objects.get().body) == b"first"
