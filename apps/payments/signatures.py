"""Whether a notification carries the provider's signature. Pure; a signature never decides what is paid.

Source: Mercado Pago, "Webhooks" (manifest ``id:…;request-id:…;ts:…;``). Its pages and its SDKs disagree on whether the id is
signed as it stands in the query or in lower case, and on seconds or milliseconds in ``ts``; both are taken. There is no limit
of age: a retry may come hours later, and a replay only asks the provider once more.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum

LONGEST_HEADER = 256
TS = re.compile(r"[0-9]{10,16}")
V1 = re.compile(r"[0-9a-f]{64}")


class Verdict(StrEnum):
    """What a signature says about its sender."""

    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"


def verify(*, header: str, data_id: str, request_id: str, secrets: Sequence[str]) -> Verdict:
    """Check one ``X-Signature``.

    Args:
        data_id: ``data.id`` of the query, as it came; ``request_id``: the header ``X-Request-Id``. An empty one was not signed.
        secrets: every one that may have signed; several while one replaces another. Empty ones are left out.
    """
    if not header.strip():
        return Verdict.ABSENT
    parsed = _parts(header)
    if parsed is None:
        return Verdict.INVALID
    ts, told = parsed
    manifests = {_manifest(name, request_id, ts) for name in (data_id, data_id.lower())}
    keys = [secret.encode() for secret in secrets if secret]
    # All are compared, each in constant time, so that the time tells nothing about which one came near.
    same = [hmac.compare_digest(_digest(key, text), told) for key in keys for text in manifests]
    return Verdict.VALID if any(same) else Verdict.INVALID


def _parts(header: str) -> tuple[str, bytes] | None:
    """Return ``ts`` and ``v1``, or None when either is missing, doubled or misshapen."""
    if len(header) > LONGEST_HEADER:
        return None
    pairs = [pair.strip().partition("=") for pair in header.split(",")]
    parts = {name: value for name, _, value in pairs}
    ts, v1 = parts.get("ts", ""), parts.get("v1", "")
    if len(parts) != len(pairs) or not TS.fullmatch(ts) or not V1.fullmatch(v1):
        return None
    return ts, v1.encode()


def _manifest(data_id: str, request_id: str, ts: str) -> bytes:
    pairs = (("id", data_id), ("request-id", request_id), ("ts", ts))
    return "".join(f"{name}:{value};" for name, value in pairs if value).encode(errors="replace")


def _digest(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, hashlib.sha256).hex().encode()
