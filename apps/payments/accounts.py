"""Whose money it is: the provider's accounts, one a store, else the chain's, else the one in the settings."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.core.facade import Actor, InvalidError, KeyRing, Memory, prepared
from apps.payments import lines
from apps.payments.models import Charge, ProviderAccount

FROM_SETTINGS = "settings"
SECRETS_SECONDS = 10.0
ring = KeyRing("PAYMENT_KEYS", "breadmate payment cipher")


@dataclass(frozen=True, slots=True)
class Account:
    """What a call needs. ``key`` names it in logs and metrics; the token is in no text made of it."""

    key: str
    id: UUID | None
    token: str = field(repr=False)


def for_store(store_id: UUID) -> Account:
    """Return the account that a store's guests pay into. One query."""
    own_first = "WHERE store_id = %s OR store_id IS NULL ORDER BY store_id NULLS LAST LIMIT 1"
    row = prepared.read_one(ProviderAccount, own_first, [store_id])
    return _opened(row) if row else from_settings()


def of(charge: Charge) -> Account:
    """Return the account a charge was made with, whatever its store uses today. One query at most."""
    return _opened(ProviderAccount.objects.get(id=charge.account_id)) if charge.account_id else from_settings()


def by_key(key: str) -> Account:
    """Return the account an ``Account.key`` names. One query at most."""
    return from_settings() if key == FROM_SETTINGS else _opened(ProviderAccount.objects.get(id=key))


def key_of(charge: Charge) -> str:
    """Return the ``Account.key`` of a charge without opening anything."""
    return str(charge.account_id) if charge.account_id else FROM_SETTINGS


def from_settings() -> Account:
    """Return the account in the settings; its token may be empty."""
    return Account(key=FROM_SETTINGS, id=None, token=settings.MP_ACCESS_TOKEN)


def webhook_secrets() -> list[str]:
    """Return every secret that a notification may be signed with: the settings' and all accounts'. One query."""
    return list(dict.fromkeys([*filter(None, settings.MP_WEBHOOK_SECRETS), *_of_accounts()]))


def remembered_secrets() -> list[str]:
    """Return ``webhook_secrets``; those of accounts are at most ten seconds old."""
    return list(dict.fromkeys([*filter(None, settings.MP_WEBHOOK_SECRETS), *(_remembered.get("all") or ())]))


def _of_accounts() -> list[str]:
    found: list[str] = []
    for row in ProviderAccount.objects.exclude(secrets_sealed=None).only("id", "secrets_sealed"):
        found += json.loads(ring.open_sealed(bytes(row.secrets_sealed or b""), row=row.id))
    return found


_remembered: Memory[str, list[str]] = Memory(lambda _: _of_accounts(), seconds=SECRETS_SECONDS)


def forget_secrets() -> None:
    """Read the secrets anew when they are asked for next."""
    _remembered.clear()


@transaction.atomic
def set_account(
    account: ProviderAccount, *, token: str | None, secrets: Sequence[str] | None, by: Actor, at: datetime
) -> ProviderAccount:
    """Store an account with what is new of its credentials; None leaves what it has.

    Raises:
        InvalidError: as ``check_credentials``.

    Locks: the account row, until commit.
    """
    check_credentials(account, token=token, secrets=secrets)
    if token is not None:
        account.token_sealed = ring.seal(token, row=account.id)
    if secrets is not None:
        account.secrets_sealed = ring.seal(json.dumps(list(secrets)), row=account.id) if secrets else None
    if account.created_by is None:
        account.created_by = by.id
    account.changed_by, account.changed_at = by.id, at
    account.save()
    lines.forgive(str(account.id))
    return account


@transaction.atomic
def renew_ciphers() -> int:
    """Seal the credentials of every account again that are not under the current key; return how many accounts.

    Locks: those account rows, until commit.
    """
    current = ring.current_key_id()
    renewed = 0
    for row in ProviderAccount.objects.select_for_update().order_by("id"):
        token, secrets = bytes(row.token_sealed), bytes(row.secrets_sealed or b"")
        if all(sealed[0] == current for sealed in (token, secrets) if sealed):
            continue
        row.token_sealed = ring.seal(ring.open_sealed(token, row=row.id), row=row.id)
        row.secrets_sealed = ring.seal(ring.open_sealed(secrets, row=row.id), row=row.id) if secrets else None
        row.save(update_fields=["token_sealed", "secrets_sealed"])
        renewed += 1
    return renewed


def check_credentials(account: ProviderAccount, *, token: str | None, secrets: Sequence[str] | None) -> None:
    """Look at credentials before they are stored.

    Raises:
        InvalidError: a new account without a token, or a credential with a character that no header can carry.
    """
    for name, value in (("token", token), *(("secrets", secret) for secret in secrets or ())):
        if value is not None and (not value.isascii() or not value.isprintable() or " " in value or not value):
            error = {"field": name, "code": "invalid", "detail": "Copie exatamente como no painel do Mercado Pago."}
            raise InvalidError("A credencial tem caracteres que não podem estar nela.", errors=[error])
    if token is None and not account.token_sealed:
        error = {"field": "token", "code": "required", "detail": "Informe o access token."}
        raise InvalidError("Falta o access token.", errors=[error])


def _opened(row: ProviderAccount) -> Account:
    return Account(key=str(row.id), id=row.id, token=ring.open_sealed(bytes(row.token_sealed), row=row.id))
