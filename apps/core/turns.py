"""Whose turn it is: what one person takes at a counter and the closing of their drawer follow one another."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.core.actors import Actor


def take_turn(person_id: UUID) -> datetime:
    """Wait until no other transaction is at this person's money; return the database's clock then.

    Whoever takes the next turn sees everything this one wrote, and a later moment: no payment falls between two shifts.

    Locks: the person's turn (an advisory lock), until commit; it comes before every row.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"turn {person_id}"])
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def wait_for_turn(by: Actor) -> datetime | None:
    """Take the turn of a member of staff who may be about to hand out cash; None for whoever else acts, who has no drawer.

    Taken again in the same transaction it is theirs already. Locks: as ``take_turn``.
    """
    return take_turn(by.id) if by.kind == "staff" and by.id is not None else None
