"""How a CPF or CNPJ is kept: readable only with keys that are not in the database.

The value is AES-256-GCM: one byte naming the key, a fresh nonce, the ciphertext with its tag. The row it belongs to is bound
in as associated data, so a value copied to another row does not open. It is found again by an HMAC-SHA-256 under a key of its
own; a plain hash would be no protection, all valid CPFs are hashed in minutes.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
NONCE_BYTES = 12
INDEX_BYTES = 32
HIGHEST_KEY_ID = 255
DERIVED_KEY_ID = 0


class UnreadableError(Exception):
    """A stored value does not open: its key is gone, or it was changed or moved to another row."""


def keys() -> Mapping[int, bytes]:
    """Return the keys by their id, the current one first.

    Raises:
        ImproperlyConfigured: ``CUSTOMER_KEYS`` is malformed, or unset in production.
    """
    if not settings.CUSTOMER_KEYS:
        return {DERIVED_KEY_ID: _derived("CUSTOMER_KEYS", "breadmate customer cipher")}
    return _parsed(settings.CUSTOMER_KEYS)


def current_key_id() -> int:
    """Return the id of the key that new values are sealed with."""
    return next(iter(keys()))


def index_key() -> bytes:
    """Return the key of the blind index.

    Raises:
        ImproperlyConfigured: ``CUSTOMER_INDEX_KEY`` is malformed, or unset in production.
    """
    if not settings.CUSTOMER_INDEX_KEY:
        return _derived("CUSTOMER_INDEX_KEY", "breadmate customer index")
    return _decoded(settings.CUSTOMER_INDEX_KEY, "CUSTOMER_INDEX_KEY")


def seal(text: str, *, row: UUID) -> bytes:
    """Encrypt a value for one row; two calls never give the same bytes."""
    key_id = current_key_id()
    nonce = secrets.token_bytes(NONCE_BYTES)
    return bytes([key_id]) + nonce + AESGCM(keys()[key_id]).encrypt(nonce, text.encode(), row.bytes)


def open_sealed(sealed: bytes, *, row: UUID) -> str:
    """Decrypt a value of one row.

    Raises:
        UnreadableError: no key we have opens it for this row.
    """
    key = keys().get(sealed[0]) if sealed else None
    if key is None:
        raise UnreadableError(row)
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], row.bytes).decode()
    except (InvalidTag, ValueError) as problem:
        raise UnreadableError(row) from problem


def index_of(text: str) -> bytes:
    """Return the blind index a value is found by."""
    return hmac.digest(index_key(), text.encode(), hashlib.sha256)


@lru_cache(maxsize=8)
def _parsed(setting: str) -> Mapping[int, bytes]:
    found: dict[int, bytes] = {}
    for entry in setting.split(","):
        name, _, encoded = entry.strip().partition(":")
        if not name.isascii() or not name.isdigit() or int(name) > HIGHEST_KEY_ID or int(name) in found:
            raise ImproperlyConfigured("CUSTOMER_KEYS: every key needs an id of its own, 0 to 255.")
        found[int(name)] = _decoded(encoded, "CUSTOMER_KEYS")
    return found


def _decoded(encoded: str, setting: str) -> bytes:
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{setting}: a key is 32 bytes in base64url.")
    return key


def _derived(setting: str, purpose: str) -> bytes:
    if settings.PRODUCTION:
        raise ImproperlyConfigured(f"{setting} is not set; in production nothing stands in for it.")
    return _derive(settings.SECRET_KEY, purpose)


@lru_cache(maxsize=8)
def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(secret.encode())
