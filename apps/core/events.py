"""Publishing events: one row in the same transaction as the change it tells of (ADR-0003)."""

from collections.abc import Callable, Mapping, Sequence

from django.db import connection, transaction

from apps.contracts.events import Event
from apps.core import prepared, request_ids, wake
from apps.core.models import StoredEvent

_in_transaction: dict[type[Event], tuple[Callable[[Event], None], ...]] = {}


class OutsideTransactionError(RuntimeError):
    """An event was published where its change could be committed without it."""


def subscribe_in_transaction(table: Mapping[type[Event], Sequence[Callable[[Event], None]]]) -> None:
    """Set the subscribers that must hold together with the change; called once at start."""
    _in_transaction.clear()
    _in_transaction.update({event: tuple(handlers) for event, handlers in table.items()})


def publish(*events: Event) -> None:
    """Store events with the change that caused them.

    In-transaction subscribers run at once, in the caller's transaction; their exception aborts the change. After the commit
    the engine and the streams are woken on a best-effort basis.

    Raises:
        OutsideTransactionError: there is no open transaction.
    """
    for event in events:
        _check_transaction(event)
    prepared.insert(*(row_of(event) for event in events))
    _pass_on(events)


def row_of(event: Event) -> StoredEvent:
    """Return the row an event is stored as."""
    return StoredEvent(
        type=event.type,
        version=event.version,
        occurred_at=event.at,
        store_id=event.store,
        subject_id=event.subject,
        seq=event.seq,
        correlation_id=request_ids.current.get(),
        payload=event.payload(),
    )


def published(events: Sequence[Event]) -> None:
    """Do all that ``publish`` does about events whose rows a SQL function has stored in this transaction.

    Raises:
        OutsideTransactionError: there is no open transaction.
    """
    for event in events:
        _check_transaction(event)
    _pass_on(events)


def _check_transaction(event: Event) -> None:
    if not connection.in_atomic_block:
        raise OutsideTransactionError(event.type)


def _pass_on(events: Sequence[Event]) -> None:
    for event in events:
        for handler in _in_transaction.get(type(event), ()):
            handler(event)
    _announce_after_commit(events)


class _Announcement:
    """What is to be told in one message once a transaction, or the part of it up to a savepoint, stands."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self) -> None:
        wake.announce(self.events)


def _announce_after_commit(events: Sequence[Event]) -> None:
    """Add events to the announcement that waits for the same savepoints, so that a rollback to one of them takes no other's.

    What Django keeps of savepoints and hooks is not documented; ``tests/core/test_events.py`` says what it has to mean.
    """
    fate = {*connection.savepoint_ids, None}  # None stands for a block that made no savepoint
    waiting = (each[1] for each in connection.run_on_commit if {*each[0], None} == fate)
    announcement = next((hook for hook in waiting if isinstance(hook, _Announcement)), None)
    if announcement is None:
        announcement = _Announcement()
        transaction.on_commit(announcement)
    announcement.events += events
