"""How secrets are kept in the database: readable only with keys that are not in it.

A value is AES-256-GCM: one byte naming the key, a fresh nonce, the ciphertext with its tag. The row it belongs to is bound
in as associated data, so a value copied to another row does not open.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
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
HIGHEST_KEY_ID = 255
DERIVED_KEY_ID = 0


class UnreadableError(Exception):
    """A stored value does not open: its key is gone, or it was changed or moved to another row."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one setting, which holds ``id:key`` pairs with commas, the current one first.

    Outside production an empty setting is replaced by a key derived from ``SECRET_KEY`` for this ``purpose``.
    """

    setting: str
    purpose: str

    def keys(self) -> Mapping[int, bytes]:
        """Return the keys by their id, the current one first.

        Raises:
            ImproperlyConfigured: the setting is malformed, or unset in production.
        """
        told: str = getattr(settings, self.setting)
        return _parsed(told, self.setting) if told else {DERIVED_KEY_ID: derived_key(self.setting, self.purpose)}

    def current_key_id(self) -> int:
        """Return the id of the key that new values are sealed with."""
        return next(iter(self.keys()))

    def seal(self, text: str, *, row: UUID) -> bytes:
        """Encrypt a value for one row; two calls never give the same bytes."""
        key_id = self.current_key_id()
        nonce = secrets.token_bytes(NONCE_BYTES)
        return bytes([key_id]) + nonce + AESGCM(self.keys()[key_id]).encrypt(nonce, text.encode(), row.bytes)

    def open_sealed(self, sealed: bytes, *, row: UUID) -> str:
        """Decrypt a value of one row.

        Raises:
            UnreadableError: no key we have opens it for this row.
        """
        key = self.keys().get(sealed[0]) if sealed else None
        if key is None:
            raise UnreadableError(row)
        try:
            return AESGCM(key).decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], row.bytes).decode()
        except (InvalidTag, ValueError) as problem:
            raise UnreadableError(row) from problem


def decoded_key(encoded: str, setting: str) -> bytes:
    """Read one key.

    Raises:
        ImproperlyConfigured: it is not 32 bytes in base64url; names ``setting``.
    """
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{setting}: a key is 32 bytes in base64url.")
    return key


def derived_key(setting: str, purpose: str) -> bytes:
    """Return the key that stands in for an empty ``setting``.

    Raises:
        ImproperlyConfigured: in production nothing does.
    """
    if settings.PRODUCTION:
        raise ImproperlyConfigured(f"{setting} is not set; in production nothing stands in for it.")
    return _derive(settings.SECRET_KEY, purpose)


@lru_cache(maxsize=16)
def _parsed(told: str, setting: str) -> Mapping[int, bytes]:
    found: dict[int, bytes] = {}
    for entry in told.split(","):
        name, _, encoded = entry.strip().partition(":")
        if not name.isascii() or not name.isdigit() or int(name) > HIGHEST_KEY_ID or int(name) in found:
            raise ImproperlyConfigured(f"{setting}: every key needs an id of its own, 0 to 255.")
        found[int(name)] = decoded_key(encoded, setting)
    return found


@lru_cache(maxsize=16)
def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(secret.encode())
