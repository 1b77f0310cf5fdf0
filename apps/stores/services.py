"""Pairing devices, hearing from them, and taking them out of service; keys of other systems."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from apps.contracts.events import OpeningChanged
from apps.core.facade import Actor, InvalidError, NotFoundError, Role, publish, trail
from apps.stores.errors import PairingRefusedError
from apps.stores.models import Device, IntegratorKey, Store

CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 9  # 31 ** 9 is 44 bits
CODE_LIFE = timedelta(minutes=10)
SEEN_AT_MOST_EVERY = timedelta(minutes=1)
LARGEST_DRIFT_SECONDS = 999_999
KEY_PREFIX = "bmk_"
SHOWN_OF_KEY = 10
BOTH_KEYS_HOLD = timedelta(days=7)
USED_AT_MOST_EVERY = timedelta(minutes=5)
PAUSERS = frozenset({Role.MANAGER, Role.OWNER})
LONGEST_PAUSE = timedelta(hours=24)
TRAINING_CODE, CODE_OF_STORE = "TREINO", 20
TRAINING_NAME, NAME_OF_STORE = " · treino", 120


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


def hear_from_device(*, device_id: UUID, version: str, clock: datetime | None, at: datetime) -> None:
    """Remember that a device is alive, which version of its page runs and how far its clock is off; once a minute at most.

    Locks: the device row, for one statement.
    """
    drift = None
    if clock is not None:
        seconds = round((clock - at).total_seconds())
        drift = max(-LARGEST_DRIFT_SECONDS, min(seconds, LARGEST_DRIFT_SECONDS))
    stale = Q(last_seen_at=None) | Q(last_seen_at__lte=at - SEEN_AT_MOST_EVERY)
    Device.objects.filter(stale, id=device_id).update(last_seen_at=at, version=version, clock_drift_seconds=drift)


def create_key(
    *, name: str, scopes: frozenset[Role], store_id: UUID | None, expires_at: datetime, by: UUID, at: datetime
) -> tuple[IntegratorKey, str]:
    """Make a key for another system; return it with its secret, which is kept nowhere and shown once.

    Args:
        store_id: None lets it speak for the whole chain.

    Raises:
        InvalidError: it would be over before it begins.
    """
    key = IntegratorKey(name=name, scopes=sorted(scopes), store_id=store_id, expires_at=expires_at, created_by_id=by)
    return key, _keep_key(key, at)


@transaction.atomic
def rotate_key(*, key_id: UUID, by: UUID, at: datetime) -> tuple[IntegratorKey, str]:
    """Make the key that follows one, for as long as that was made for; both hold for a week, then only the new one.

    Raises:
        NotFoundError: no such key.
        InvalidError: it is revoked, over, or has been followed already.

    Locks: the key row, until commit.
    """
    old = _key_for_update(key_id)
    if old.revoked_at is not None or old.expires_at <= at or IntegratorKey.objects.filter(replaces=old).exists():
        raise InvalidError("Só uma chave em uso, e ainda não girada, pode ser girada.")
    new = IntegratorKey(
        name=old.name,
        scopes=old.scopes,
        store_id=old.store_id,
        expires_at=at + (old.expires_at - old.created_at),
        created_by_id=by,
        replaces=old,
    )
    secret = _keep_key(new, at)
    old.expires_at = min(old.expires_at, at + BOTH_KEYS_HOLD)
    old.save(update_fields=["expires_at"])
    return new, secret


@transaction.atomic
def revoke_key(*, key_id: UUID, at: datetime) -> None:
    """Take a key out of service; it is refused from the next request on. Repeating it changes nothing.

    Raises:
        NotFoundError: no such key.

    Locks: the key row, until commit.
    """
    key = _key_for_update(key_id)
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])


def note_key_use(*, key_id: UUID, at: datetime) -> None:
    """Remember when a key was last used, every five minutes at most.

    Locks: the key row, for one statement.
    """
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - USED_AT_MOST_EVERY)
    IntegratorKey.objects.filter(stale, id=key_id).update(last_used_at=at)


@transaction.atomic
def open_training_store(*, of: UUID, by: Actor, at: datetime) -> Store:
    """Open the store where the staff of another one practise, always taking orders; a second call returns the one that is there.

    Raises:
        NotFoundError: no such store, or the actor does not answer for the whole chain.
        InvalidError: it is for training itself, or another store has the code that this one would get.

    Locks: the store it is of, then the new one and its menu version, until commit. Emits: ``OpeningChanged``.
    """
    real = _store_for_update(of)
    if by.stores_with(frozenset({Role.OWNER})) is not None:
        raise NotFoundError("Loja não encontrada.")
    if real.training:
        raise InvalidError("Esta já é uma loja de treino: escolha uma de verdade.")
    code = f"{real.code[: CODE_OF_STORE - len(TRAINING_CODE)]}{TRAINING_CODE}"
    known = Store.objects.filter(code=code).first()
    if known is not None and not known.training:
        raise InvalidError(f"Outra loja já tem o código {code}: mude-o primeiro.")
    if known is not None:
        return known
    store = Store.objects.create(
        code=code,
        name=f"{real.name[: NAME_OF_STORE - len(TRAINING_NAME)]}{TRAINING_NAME}",
        training=True,
        timezone=real.timezone,
        day_starts_at=real.day_starts_at,
        packaging_fee=real.packaging_fee,
    )
    trail.record(by=by, action="stores.training_opened", at=at, subject=store, store_id=store.id)
    opening_changed(store_id=store.id, at=at)
    return store


@transaction.atomic
def pause_orders(*, store_id: UUID, until: datetime | None, by: Actor, at: datetime) -> Store:
    """Take no orders at one store until then; None takes them again at once. What is ordered already goes on.

    Repeating it changes nothing and emits nothing.

    Raises:
        NotFoundError: no such store, or not the actor's to pause.
        InvalidError: the end is past, or more than a day away.

    Locks: the store row, then its menu version, until commit. Emits: ``OpeningChanged``.
    """
    if until is not None and not at < until <= at + LONGEST_PAUSE:
        raise InvalidError("Uma pausa termina no futuro e dura no máximo um dia.")
    store = _store_for_update(store_id)
    if not by.roles_at(store_id) & PAUSERS:
        raise NotFoundError("Loja não encontrada.")
    was = store.orders_paused_until if store.orders_paused_until and store.orders_paused_until > at else None
    if was == until:
        return store
    store.orders_paused_until = until
    store.save(update_fields=["orders_paused_until"])
    action = "stores.orders_resumed" if until is None else "stores.orders_paused"
    told = [trail.change(Store, "orders_paused_until", was, until)]
    trail.record(by=by, action=action, at=at, subject=store, store_id=store_id, changes=told)
    opening_changed(store_id=store_id, at=at)
    return store


@transaction.atomic
def opening_changed(*, store_id: UUID, at: datetime) -> None:
    """Tell that a store has other hours, in the transaction that wrote them.

    Locks: the store row, then its menu version, until commit. Emits: ``OpeningChanged``.
    """
    Store.objects.filter(id=store_id).update(opening_version=F("opening_version") + 1)
    seq = Store.objects.values_list("opening_version", flat=True).get(id=store_id)
    publish(OpeningChanged(subject=store_id, store=store_id, seq=seq, at=at))


def _store_for_update(store_id: UUID) -> Store:
    store = Store.objects.select_for_update().filter(id=store_id).first()
    if store is None:
        raise NotFoundError("Loja não encontrada.")
    return store


def _keep_key(key: IntegratorKey, at: datetime) -> str:
    """Give a key its secret and store it."""
    if key.expires_at <= at:
        raise InvalidError("A chave precisa valer por algum tempo: escolha uma data no futuro.")
    secret = f"{KEY_PREFIX}{secrets.token_urlsafe(32)}"
    key.prefix, key.secret_hash, key.created_at = secret[:SHOWN_OF_KEY], hashed(secret), at
    key.save(force_insert=True)
    return secret


def _key_for_update(key_id: UUID) -> IntegratorKey:
    key = IntegratorKey.objects.select_for_update().filter(id=key_id).first()
    if key is None:
        raise NotFoundError("Chave não encontrada.")
    return key


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
