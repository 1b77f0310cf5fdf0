"""Bodies that mean nothing, or two things: refused as problem documents, and nothing is written."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps

from apps.core.parsing import DEEPEST, MOST_DIGITS, load_object
from apps.stores.models import Store
from tests.factories import new_menu, stocked_product
from tests.fixtures import Reply, Screen, cart

ID = "01936f00-0000-7000-8000-000000000000"
NUMBER = "%QUANTITY%"


def with_quantity(text: str) -> Callable[[dict[str, Any]], bytes]:
    """A good cart whose quantity is spelled like this."""

    def spell(good: dict[str, Any]) -> bytes:
        good["items"][0]["quantity"] = NUMBER
        return json.dumps(good).replace(f'"{NUMBER}"', text).encode()

    return spell


def with_text(field: str, text: str) -> Callable[[dict[str, Any]], bytes]:
    """A good cart with a text of the guest's, spelled like this between its quotes."""

    def spell(good: dict[str, Any]) -> bytes:
        return json.dumps({**good, field: NUMBER}).replace(NUMBER, text).encode()

    return spell


def changed(change: Callable[[bytes], bytes]) -> Callable[[dict[str, Any]], bytes]:
    return lambda good: change(json.dumps(good).encode())


def inside(open_: str, close: str, depth: int) -> Callable[[dict[str, Any]], bytes]:
    return lambda good: f'{{"items": {open_ * depth}1{close * depth}}}'.encode()


def raw(content: bytes) -> Callable[[dict[str, Any]], bytes]:
    return lambda good: content


BODIES: dict[str, Callable[[dict[str, Any]], bytes]] = {
    # not an object
    "null": raw(b"null"),
    "true": raw(b"true"),
    "number": raw(b"7"),
    "text": raw(b'"cart"'),
    "array": raw(b"[]"),
    "array of carts": changed(lambda good: b"[" + good + b"]"),
    # not JSON
    "blank": raw(b"   "),
    "word": raw(b"cart"),
    "form": raw(b"dining_option=eat_in&items=1"),
    "xml": raw(b"<cart/>"),
    "cut": changed(lambda good: good[:-1]),
    "two documents": changed(lambda good: good + good),
    "trailing comma": changed(lambda good: good[:-1] + b",}"),
    "rubbish after": changed(lambda good: good + b"x"),
    "comment": changed(lambda good: b"/* hi */" + good),
    "single quotes": changed(lambda good: good.replace(b'"', b"'")),
    "bare key": raw(b"{items: []}"),
    "unclosed string": raw(b'{"items": "'),
    "lone quote": raw(b'"'),
    "backslash at the end": raw(b'{"a": "\\'),
    "bad escape": with_text("guest_name", "\\x41"),
    "raw newline in a text": with_text("guest_name", "a\nb"),
    "raw null": with_text("guest_name", "a\0b"),
    "nothing but nulls": raw(b"\0" * 20),
    # encodings
    "byte order mark": changed(lambda good: b"\xef\xbb\xbf" + good),
    "utf-16": changed(lambda good: good.decode().encode("utf-16")),
    "utf-16 without mark": changed(lambda good: good.decode().encode("utf-16-le")),
    "utf-32": changed(lambda good: good.decode().encode("utf-32")),
    "latin-1": lambda good: json.dumps({**good, "guest_name": "José"}, ensure_ascii=False).encode("latin-1"),
    "invalid utf-8": changed(lambda good: good + b"\xff"),
    "overlong utf-8": changed(lambda good: good.replace(b"eat_in", b"eat\xc0\xafin")),
    "surrogate in utf-8": changed(lambda good: good.replace(b"eat_in", b"\xed\xa0\x80")),
    "cut utf-8": changed(lambda good: good[:-1] + b"\xe2\x82"),
    # characters
    "escaped null": with_text("guest_name", "a\\u0000b"),
    "escaped null in a list": raw(b'{"items": [["\\u0000"]]}'),
    "lone high surrogate": with_text("guest_name", "\\ud800"),
    "lone low surrogate": with_text("guest_name", "\\udfff"),
    "swapped surrogates": with_text("guest_name", "\\udc00\\ud800"),
    "lone surrogate as a key": raw(b'{"\\ud800": 1}'),
    # ambiguity
    "key twice": changed(lambda good: b'{"dining_option": "take_out",' + good[1:]),
    "key twice, once escaped": changed(lambda good: b'{"dining\\u005foption": "take_out",' + good[1:]),
    "key twice inside": with_quantity('1, "quantity": 2'),
    # depth
    "deep lists": inside("[", "]", 5_000),
    "deep objects": inside('{"a":', "}", 5_000),
    "deep lists never closed": raw(b"[" * 60_000),
    "deep objects never closed": raw(b'{"a":' * 12_000),
    "one level too deep": inside("[", "]", DEEPEST),
    "depth after a text with quotes": raw(b'{"a": "\\"", "b": ' + b"[" * 50_000),
    # numbers
    "NaN": with_quantity("NaN"),
    "Infinity": with_quantity("Infinity"),
    "-Infinity": with_quantity("-Infinity"),
    "one digit too many": with_quantity("1" * (MOST_DIGITS + 1)),
    "5,000 digits": with_quantity("1" * 5_000),
    "60,000 digits": with_quantity("9" * 60_000),
    "negative with 5,000 digits": with_quantity("-" + "1" * 5_000),
    "infinite by exponent": with_quantity("1e999"),
    "tiny fraction": with_quantity("1." + "0" * 5_000),
    "leading zero": with_quantity("01"),
    "plus sign": with_quantity("+1"),
    "hexadecimal": with_quantity("0x1"),
    "Arabic digits": with_quantity("١٢"),
    # look-alikes
    "0": with_quantity("0"),
    "-1": with_quantity("-1"),
    "1.5": with_quantity("1.5"),
    "1.0": with_quantity("1.0"),
    "1e0": with_quantity("1e0"),
    "1e30": with_quantity("1e30"),
    "1000": with_quantity("1000"),
    "20 digits": with_quantity("1" * MOST_DIGITS),
    "true as quantity": with_quantity("true"),
    "null as quantity": with_quantity("null"),
    "text as quantity": with_quantity('"7"'),
    "list as quantity": with_quantity("[1]"),
    "object as quantity": with_quantity('{"$gt": 0}'),
    # shape
    "empty object": raw(b"{}"),
    "unknown field": changed(lambda good: b'{"__proto__": {},' + good[1:]),
    "10,000 keys": raw(b"{" + b",".join(b'"%d":0' % n for n in range(7_000)) + b"}"),
    # size
    "a byte too long": changed(lambda good: good + b" " * (64 * 1024 + 1 - len(good))),
    "ten megabytes": changed(lambda good: good + b" " * 10_000_000),
}
OTHER_PATHS = ("/orders/quote", f"/orders/{ID}/cancel", "/payments", "/devices/pair")
# What is refused by its form, whatever the path asks for.
FORMS = [name for name in BODIES if name in list(BODIES)[: list(BODIES).index("leading zero")]]


def rows() -> dict[str, int]:
    """How many rows each table has; limits may count a call, that is what they are for."""
    return {
        model.__name__: model._default_manager.count() for model in apps.get_models() if model.__name__ != "RateWindow"
    }


@pytest.fixture
def good(store: Store) -> dict[str, Any]:
    product = stocked_product(store, 500)
    new_menu(store)
    return cart(product)


def assert_refused(reply: Reply, body: bytes) -> None:
    assert 400 <= reply.status < 500
    status, _ = reply.code
    assert status == (413 if len(body) > 64 * 1024 else 400)
    assert "Traceback" not in reply.response.content.decode()


def test_the_good_cart_is_accepted(kiosk: Screen, good: dict[str, Any]) -> None:
    """Without this, every refusal below might have another reason."""
    assert kiosk.checkout(json.dumps(good).encode()).status == 201


@pytest.mark.parametrize("name", BODIES)
def test_checkout_refuses_it(kiosk: Screen, good: dict[str, Any], name: str) -> None:
    body = BODIES[name](good)
    before = rows()
    assert_refused(kiosk.checkout(body), body)
    assert rows() == before


@pytest.mark.parametrize("path", OTHER_PATHS)
def test_other_paths_refuse_it(kiosk: Screen, good: dict[str, Any], path: str) -> None:
    before = rows()
    for name in FORMS:
        body = BODIES[name](json.loads(json.dumps(good)))
        reply = kiosk.send("POST", path, body, **{"Idempotency-Key": str(uuid4())})
        if reply.status == 429:  # pairing codes are guessed no faster by sending rubbish
            continue
        assert_refused(reply, body)
    assert rows() == before


def test_move_refuses_it(board: Screen, good: dict[str, Any]) -> None:
    for name in FORMS:
        body = BODIES[name](json.loads(json.dumps(good)))
        assert_refused(board.send("PATCH", f"/orders/{ID}/status", body), body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"a": 1, "a": 2}', "repete um campo"),
        (b'{"a": NaN}', "NaN não é um valor JSON"),
        (b"[" * 40, "32 níveis"),
        (b"\xff", "UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"a": "\\u0000"}', "nulo"),
        (b'{"a": "\\ud800"}', "metade"),
        (b'{"a": 123456789012345678901}', "20 dígitos"),
        (b"[]", "deve ser um objeto"),
        (b'{"a"', "linha 1, coluna 5"),
    ],
)
def test_refusal_says_why(kiosk: Screen, body: bytes, says: str) -> None:
    assert says in kiosk.checkout(body).body["detail"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", {}),
        (' {"a": [1, -2, 1.5, true, null, ""]} ', {"a": [1, -2, 1.5, True, None, ""]}),
        ('{"a": "\\ud83e\\udd50"}', {"a": "🥐"}),
        ('{"a": "José 🥐"}', {"a": "José 🥐"}),
        ('{"a": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}', {"a": "[" * 40}),
        ('{"a": "\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\"}', {"a": '"' + "[" * 40 + "\\"}),
        ('{"a": ' + "1" * MOST_DIGITS + "}", {"a": int("1" * MOST_DIGITS)}),
        ('{"a": -' + "1" * MOST_DIGITS + "}", {"a": -int("1" * MOST_DIGITS)}),
        ('{"a": {"a": 1}, "b": {"a": 1}}', {"a": {"a": 1}, "b": {"a": 1}}),
    ],
)
def test_what_means_one_thing_is_read(text: str, found: dict[str, Any]) -> None:
    assert load_object(text.encode()) == found


def test_deepest_allowed_is_read() -> None:
    depth = DEEPEST - 1
    assert load_object(b'{"a": ' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "zzz", "bz2_codec", "hex", "utf-7", "idna", ""])
def test_other_charsets_are_refused(kiosk: Screen, good: dict[str, Any], charset: str) -> None:
    response = kiosk.client.generic(
        "POST",
        "/api/v1/orders/checkout",
        json.dumps(good),
        f"application/json; charset={charset}",
        headers={"Idempotency-Key": "k"},
    )
    assert Reply(response).code == (400, "invalid")


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
def test_utf8_may_be_named(kiosk: Screen, good: dict[str, Any], charset: str) -> None:
    response = kiosk.client.generic(
        "POST",
        "/api/v1/orders/checkout",
        json.dumps(good),
        f"application/json; charset={charset}",
        headers={"Idempotency-Key": "k"},
    )
    assert response.status_code == 201


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "*/*"])
def test_other_media_types_are_415(kiosk: Screen, good: dict[str, Any], type_: str) -> None:
    response = kiosk.client.generic(
        "POST", "/api/v1/orders/checkout", json.dumps(good), type_, headers={"Idempotency-Key": "k"}
    )
    assert Reply(response).code == (415, "unsupported_media_type")


def test_compressed_body_is_415(kiosk: Screen) -> None:
    reply = kiosk.send("POST", "/orders/checkout", b"\x1f\x8b", **{"Content-Encoding": "gzip"})
    assert reply.code == (415, "unsupported_media_type")


def test_post_that_needs_no_body_may_have_none(kiosk: Screen, good: dict[str, Any]) -> None:
    order = kiosk.checkout(good).body["id"]
    reply = Reply(kiosk.client.generic("POST", f"/api/v1/orders/{order}/cancel", b"", "application/json"))
    assert (reply.status, reply.body["status"]) == (200, "cancelled")
