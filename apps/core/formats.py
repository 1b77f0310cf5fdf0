"""How values are written in the API."""

from datetime import UTC, datetime


def iso(moment: datetime | None) -> str | None:
    """Write a moment as ISO 8601 in UTC with ``Z``, to the millisecond."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
