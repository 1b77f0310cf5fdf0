"""Pairing devices and taking them out of service."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.core.facade import NotFoundError
from apps.stores.errors import PairingRefusedError
from apps.stores.models import Device

CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 9  # 31 ** 9 is 44 bits
CODE_LIFE = timedelta(minutes=10)


def hashed(secret: str) -> bytes:
    """Return what is kept of a random secret; it has too much entropy to need a slow hash."""
    return hashlib.sha256(secret.encode()).digest()


@transaction.atomic
def issue_pairing_code(*, device_id: UUID, at: datetime) -> str:
    """Return a new code, good once and for ten minutes; an earlier one of this device is void.

    Raises:
        NotFoundError: no such device.

    Locks: the device row, until commit.
    """
    device = _for_update(device_id)
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    device.pairing_code_hash = hashed(code)
    device.pairing_expires_at = at + CODE_LIFE
    device.save(update_fields=["pairing_code_hash", "pairing_expires_at"])
    return code


@transaction.atomic
def pair(*, code: str, at: datetime) -> tuple[Device, str]:
    """Exchange a pairing code for a token; the device's earlier token stops working.

    Raises:
        PairingRefusedError: the code is unknown, used or expired.

    Locks: the device row, until commit.
    """
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    device = (
        Device.objects.select_for_update(of=("self",))
        .select_related("store")
        .filter(pairing_code_hash=hashed(typed), pairing_expires_at__gt=at)
        .first()
    )
    if device is None:
        raise PairingRefusedError("Peça um código novo na administração, em Dispositivos.")
    return device, _new_token(device, at)


@transaction.atomic
def pair_directly(*, device_id: UUID, at: datetime) -> str:
    """Give a device a new token without a code, for demo data and for tests.

    Raises:
        NotFoundError: no such device.

    Locks: the device row, until commit.
    """
    return _new_token(_for_update(device_id), at)


@transaction.atomic
def revoke_device(*, device_id: UUID, at: datetime) -> None:
    """Take a device out of service; its token is refused within five seconds.

    Raises:
        NotFoundError: no such device.

    Locks: the device row, until commit.
    """
    device = _for_update(device_id)
    device.token_hash = device.pairing_code_hash = device.pairing_expires_at = None
    device.revoked_at = at
    device.save(update_fields=["token_hash", "pairing_code_hash", "pairing_expires_at", "revoked_at"])


def _new_token(device: Device, at: datetime) -> str:
    token = secrets.token_urlsafe(32)
    device.token_hash = hashed(token)
    device.pairing_code_hash = device.pairing_expires_at = device.revoked_at = None
    device.paired_at = at
    device.save()
    return token


def _for_update(device_id: UUID) -> Device:
    device = Device.objects.select_for_update().filter(id=device_id).first()
    if device is None:
        raise NotFoundError("Dispositivo não encontrado.")
    return device
