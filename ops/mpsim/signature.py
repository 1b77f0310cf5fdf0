"""Webhook signatures: the manifest, its HMAC and the ways in which a sender may get them wrong."""

import hashlib
import hmac
from typing import Literal, get_args

Style = Literal["docs", "verbatim", "none", "bad", "other_secret"]
STYLES: tuple[str, ...] = get_args(Style)


def manifest(data_id: str, request_id: str, ts: str) -> str:
    """Join the signed parts; a missing value drops its whole pair."""
    pairs = (("id", data_id), ("request-id", request_id), ("ts", ts))
    return "".join(f"{name}:{value};" for name, value in pairs if value)


def digest(secret: str, text: str) -> str:
    """Return the HMAC-SHA256 of a text in hexadecimal."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def header(style: str, *, secret: str, data_id: str, request_id: str, ts: str) -> str | None:
    """Return the ``X-Signature`` value, or None for an unsigned event.

    ``docs`` signs the id in lower case, ``verbatim`` as it stands in the query; ``bad`` carries
    a digest of the right shape that fits nothing, ``other_secret`` one made with another key.
    """
    if style == "none":
        return None
    text = manifest(data_id if style == "verbatim" else data_id.lower(), request_id, ts)
    if style == "other_secret":
        secret = f"not-{secret}"
    v1 = digest(secret, text)
    return f"ts={ts},v1={v1[::-1] if style == 'bad' else v1}"
