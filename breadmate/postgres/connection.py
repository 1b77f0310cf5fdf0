"""A connection that does not wait for ever; the settings name it, so nothing here may need them."""

import select
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen

from breadmate.postgres.patience import absence, patience

T = TypeVar("T")

CHECKS_PLAN = "RevalidateCachedQuery"  # the part of Postgres that refuses a plan whose columns are no longer the same
MOST_PREPARED = 300  # an order's whole way takes more than psycopg's hundred, and each that is dropped is planned anew


class Connection(psycopg.Connection[Any]):
    """A connection that is given up when the server falls silent.

    ``statement_timeout`` is the server's and does not help when the server, or the way to it, is what is gone; TCP notices
    a way that is cut, but not a server or a pooler that hangs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepared_max = MOST_PREPARED

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Run one statement; the empty one is the pool's question whether this connection still lives.

        One that the server has ended has that to read. Where there is nothing to read nobody needs to be asked: a server that
        fell silent would not answer this question either.
        """
        if query == "" and not self._has_something_to_read():
            return None
        return super().execute(query, *args, **kwargs)

    def _has_something_to_read(self) -> bool:
        heard = select.poll()
        heard.register(self.fileno(), select.POLLIN)
        return bool(heard.poll(0))

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for one answer; without one in time the connection is closed, for its next answer would be the old one.

        The others of the pool are most likely dead, too, and to find that out one by one would take as long again for each.
        So it is after an update has changed the type of a column: Postgres refuses what was planned before, again and again.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, patience.get())
        except errors._WaitTimeout as silence:  # noqa: SLF001 - what psycopg's own says it raises
            absence.begins()
            self._give_up()
            raise psycopg.OperationalError("the database did not answer in time") from silence
        except errors.FeatureNotSupported as problem:
            if problem.diag.source_function != CHECKS_PLAN:
                raise
            self._give_up()
            raise psycopg.OperationalError("a table was changed under a plan of this connection") from problem

    def _give_up(self) -> None:
        """Close this connection and all of its pool, which are as useless."""
        self.close()
        pool = getattr(self, "_pool", None)  # psycopg's own mark on a connection that is lent out
        if pool is not None:
            pool.drain()
