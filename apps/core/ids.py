"""Row ids."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a UUIDv7: ids made later sort later (to the millisecond), so indexes grow at one end."""
    return uuid7()
