"""How a CPF is kept."""

import base64
from uuid import uuid4

import pytest
from django.core.checks.registry import registry
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from apps.customers import crypto
from apps.customers.checks import check_keys
from tests.customers.people import CPF_DIGITS

ROW = uuid4()


def key(letter: str) -> str:
    return base64.urlsafe_b64encode(letter.encode() * 32).decode().rstrip("=")


def test_same_value_is_never_sealed_into_the_same_bytes() -> None:
    sealed = {crypto.seal(CPF_DIGITS, row=ROW) for _ in range(50)}
    assert len(sealed) == 50
    assert {crypto.open_sealed(one, row=ROW) for one in sealed} == {CPF_DIGITS}


def test_value_moved_to_another_row_does_not_open() -> None:
    sealed = crypto.seal(CPF_DIGITS, row=ROW)
    with pytest.raises(crypto.UnreadableError):
        crypto.open_sealed(sealed, row=uuid4())


@pytest.mark.parametrize("place", [0, 1, 13, -1])
def test_changed_value_does_not_open(place: int) -> None:
    sealed = bytearray(crypto.seal(CPF_DIGITS, row=ROW))
    sealed[place] ^= 1
    with pytest.raises(crypto.UnreadableError):
        crypto.open_sealed(bytes(sealed), row=ROW)


@pytest.mark.parametrize("sealed", [b"", b"\x00", b"\x00" * 12])
def test_rubbish_does_not_open(sealed: bytes) -> None:
    with pytest.raises(crypto.UnreadableError):
        crypto.open_sealed(sealed, row=ROW)


def test_old_key_still_opens_after_rotation_and_the_new_one_seals(settings: Settings) -> None:
    settings.CUSTOMER_KEYS = f"1:{key('a')}"
    old = crypto.seal(CPF_DIGITS, row=ROW)

    settings.CUSTOMER_KEYS = f"2:{key('b')},1:{key('a')}"
    new = crypto.seal(CPF_DIGITS, row=ROW)
    assert (old[0], new[0]) == (1, 2)
    assert crypto.open_sealed(old, row=ROW) == crypto.open_sealed(new, row=ROW) == CPF_DIGITS

    settings.CUSTOMER_KEYS = f"2:{key('b')}"
    with pytest.raises(crypto.UnreadableError):
        crypto.open_sealed(old, row=ROW)


def test_index_is_keyed_and_apart_from_the_cipher(settings: Settings) -> None:
    derived = crypto.index_of(CPF_DIGITS)
    settings.CUSTOMER_INDEX_KEY = key("i")
    assert crypto.index_of(CPF_DIGITS) != derived
    assert len(derived) == 32
    assert crypto.index_key() not in crypto.keys().values()


@pytest.mark.parametrize(
    "keys", ["x", f"1:{'A' * 42}", f"256:{key('a')}", f"1:{key('a')},1:{key('b')}", f"-1:{key('a')}", f"1:{key('a')},"]
)
def test_malformed_keys_are_refused(keys: str, settings: Settings) -> None:
    settings.CUSTOMER_KEYS = keys
    assert [error.id for error in check_keys()] == ["customers.E001"]
    with pytest.raises(ImproperlyConfigured):
        crypto.seal(CPF_DIGITS, row=ROW)


def test_production_does_not_start_without_keys(settings: Settings) -> None:
    settings.PRODUCTION = True
    assert [(error.id, error.is_serious()) for error in check_keys()] == [
        ("customers.E001", True),
        ("customers.E002", True),
    ]
    with pytest.raises(ImproperlyConfigured):
        crypto.index_of(CPF_DIGITS)

    settings.CUSTOMER_KEYS, settings.CUSTOMER_INDEX_KEY = f"1:{key('a')}", key("i")
    assert check_keys() == []


def test_check_runs_with_every_command() -> None:
    assert check_keys in registry.get_checks()
