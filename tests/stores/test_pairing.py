"""Pairing a screen: a code that is good once, a token of which only the hash is kept."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.core.actors import Role
from apps.core.facade import NotFoundError
from apps.stores.errors import PairingRefusedError
from apps.stores.models import Device
from apps.stores.queries import device_actor
from apps.stores.services import CODE_LENGTH, hashed, issue_pairing_code, pair, pair_directly, revoke_device
from tests.factories import DeviceFactory


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def device(db: None) -> Device:
    return DeviceFactory(kind=Role.BOARD)


@pytest.fixture
def other(db: None) -> Device:
    """A device of another store with a code of its own."""
    return DeviceFactory()


def test_code_is_exchanged_for_a_token_of_its_device(device: Device, other: Device, now: datetime) -> None:
    issue_pairing_code(device_id=other.id, at=now)
    code = issue_pairing_code(device_id=device.id, at=now)

    paired, token = pair(code=code, at=now)

    actor = device_actor(token)
    assert (paired.id, actor.id, actor.only_store()) == (device.id, device.id, device.store_id)
    assert actor.roles_at(device.store_id) == {Role.BOARD}
    assert actor.roles_at(other.store_id) == frozenset()


def test_secrets_are_kept_only_as_hashes(device: Device, now: datetime) -> None:
    code = issue_pairing_code(device_id=device.id, at=now)
    device.refresh_from_db()
    assert (bytes(device.pairing_code_hash), len(code)) == (hashed(code), CODE_LENGTH)

    _, token = pair(code=code, at=now)

    device.refresh_from_db()
    assert bytes(device.token_hash) == hashed(token)
    assert len(token) >= 43  # 256 bits
    assert (device.pairing_code_hash, device.pairing_expires_at) == (None, None)


def test_code_is_good_once(device: Device, now: datetime) -> None:
    code = issue_pairing_code(device_id=device.id, at=now)
    _, token = pair(code=code, at=now)

    with pytest.raises(PairingRefusedError):
        pair(code=code, at=now)

    assert device_actor(token).id == device.id


@pytest.mark.parametrize(("minutes", "good"), [(9, True), (10, False), (11, False)])
def test_code_is_good_for_less_than_ten_minutes(minutes: int, good: bool, device: Device, now: datetime) -> None:
    code = issue_pairing_code(device_id=device.id, at=now)
    at = now + timedelta(minutes=minutes)

    if good:
        assert pair(code=code, at=at)[0].id == device.id
    else:
        with pytest.raises(PairingRefusedError):
            pair(code=code, at=at)


@pytest.mark.parametrize("wrong", ["", "ABCDEFGHJ", "0", "' OR 1=1", "é" * 9, " "])
def test_wrong_code_is_refused(wrong: str, device: Device, now: datetime) -> None:
    issue_pairing_code(device_id=device.id, at=now)

    with pytest.raises(PairingRefusedError):
        pair(code=wrong, at=now)


@pytest.mark.parametrize(
    "typed",
    [str.lower, lambda code: f" {code[:3]} {code[3:6]} {code[6:]} ", lambda code: f"{code[:3]}-{code[3:6]}-{code[6:]}"],
    ids=["lower case", "spaces", "dashes"],
)
def test_code_is_read_as_people_type_it(typed: Callable[[str], str], device: Device, now: datetime) -> None:
    code = issue_pairing_code(device_id=device.id, at=now)

    assert pair(code=typed(code), at=now)[0].id == device.id


def test_new_code_voids_the_one_before(device: Device, now: datetime) -> None:
    old = issue_pairing_code(device_id=device.id, at=now)
    new = issue_pairing_code(device_id=device.id, at=now)

    with pytest.raises(PairingRefusedError):
        pair(code=old, at=now)
    assert pair(code=new, at=now)[0].id == device.id


def test_new_token_kills_the_old_one(device: Device, other: Device, now: datetime) -> None:
    theirs = pair_directly(device_id=other.id, at=now)
    old = pair_directly(device_id=device.id, at=now)

    new = pair_directly(device_id=device.id, at=now)

    assert device_actor(old) is None
    assert (device_actor(new).id, device_actor(theirs).id) == (device.id, other.id)


def test_revoked_device_is_nobody_and_its_code_void(device: Device, other: Device, now: datetime) -> None:
    theirs = pair_directly(device_id=other.id, at=now)
    token = pair_directly(device_id=device.id, at=now)
    code = issue_pairing_code(device_id=device.id, at=now)

    revoke_device(device_id=device.id, at=now)

    device.refresh_from_db()
    assert (device_actor(token), device.revoked_at) == (None, now)
    assert device_actor(theirs).id == other.id
    with pytest.raises(PairingRefusedError):
        pair(code=code, at=now)


def test_revoked_device_may_be_paired_again(device: Device, now: datetime) -> None:
    revoke_device(device_id=device.id, at=now)

    _, token = pair(code=issue_pairing_code(device_id=device.id, at=now), at=now)

    device.refresh_from_db()
    assert (device_actor(token).id, device.revoked_at) == (device.id, None)


@pytest.mark.parametrize("work", [issue_pairing_code, pair_directly, revoke_device])
def test_device_that_is_not_there_is_not_found(work: Callable[..., object], db: None, now: datetime) -> None:
    with pytest.raises(NotFoundError):
        work(device_id="00000000-0000-7000-8000-000000000000", at=now)
