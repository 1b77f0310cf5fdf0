"""How a CPF or CNPJ is kept: sealed, and found again by an index under a key of its own.

The index is an HMAC-SHA-256; a plain hash would be no protection, all valid CPFs are hashed in minutes.
"""

import hashlib
import hmac

from django.conf import settings

from apps.core.facade import KeyRing, UnreadableError, decoded_key, derived_key

__all__ = ["INDEX_BYTES", "UnreadableError", "current_key_id", "index_key", "index_of", "keys", "open_sealed", "seal"]

INDEX_BYTES = 32

_ring = KeyRing("CUSTOMER_KEYS", "breadmate customer cipher")
keys = _ring.keys
current_key_id = _ring.current_key_id
seal = _ring.seal
open_sealed = _ring.open_sealed


def index_key() -> bytes:
    """Return the key of the blind index.

    Raises:
        ImproperlyConfigured: ``CUSTOMER_INDEX_KEY`` is malformed, or unset in production.
    """
    if not settings.CUSTOMER_INDEX_KEY:
        return derived_key("CUSTOMER_INDEX_KEY", "breadmate customer index")
    return decoded_key(settings.CUSTOMER_INDEX_KEY, "CUSTOMER_INDEX_KEY")


def index_of(text: str) -> bytes:
    """Return the blind index a value is found by."""
    return hmac.digest(index_key(), text.encode(), hashlib.sha256)
