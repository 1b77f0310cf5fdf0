"""The engine: delivers events, runs the chores, offers due work to Celery.

It looks twice a second, and up to eight times when Redis wakes it; without Redis it does the calls itself. Several engines
may run: rows are taken with SKIP LOCKED, so each is worked on once. It can be killed at any moment; what it had not
committed is found again by the next look. All terms go by the database's clock.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

import redis
from celery import Task
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from kombu.exceptions import OperationalError as BrokerAwayError

from apps.core import clock, dispatch, wake
from breadmate import garbage, gauges, subscriptions

T = TypeVar("T")

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.5
REST_SECONDS = 0.125  # after a look; at noon there is news all the time, and one look is as good as ten
AFTER_FAILURE_SECONDS = 2.0
RARE_CHORES_EVERY = timedelta(minutes=1)
HANDS = 8  # calls at once when the engine makes them itself
MOST_WAITING = 64  # for a hand; what is beyond is offered again after its lease


class Engine:
    """One engine process."""

    def __init__(self) -> None:
        self.news = threading.Event()
        self.stopping = threading.Event()
        self.next_look = 0.0  # on this process's own clock
        self.rare_chores_done_at: datetime | None = None
        self.gauges: gauges.Gauges | None = None
        self.hands = Hands()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; the round under way is finished."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        threading.Thread(target=self._listen, daemon=True).start()
        self.gauges = gauges.start()
        garbage.look_seldom()
        logger.info("engine is running")
        while not self.stopping.is_set():
            self.news.clear()
            if not self.round():
                self.stopping.wait(REST_SECONDS)
                self.news.wait(LOOK_EVERY_SECONDS - REST_SECONDS)
        self.hands.rest()

    def stop(self) -> None:
        """End after the present round."""
        self.stopping.set()
        self.news.set()

    def round(self) -> bool:
        """Do all that is due now, each piece by itself; return True when there is more waiting."""
        at = self._safely(clock.database_now)
        if at is None:
            return False
        delivered = self._safely(lambda: dispatch.deliver_new(subscriptions.AFTER_COMMIT, at=at)) or 0
        self._do(subscriptions.CHORES, subscriptions.DUE, at)
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + LOOK_EVERY_SECONDS - REST_SECONDS
            self._safely(lambda: dispatch.retry_failed(subscriptions.AFTER_COMMIT, at=at))
            self._do(subscriptions.TIMED_CHORES, subscriptions.TIMED_DUE, at)
        if self.rare_chores_done_at is None or at - self.rare_chores_done_at > RARE_CHORES_EVERY:
            self.rare_chores_done_at = at
            for chore in subscriptions.RARE_CHORES:
                self._safely(partial(chore, at))
        if self.gauges is not None:
            self._safely(partial(self.gauges.refresh, at))
        return delivered >= dispatch.BATCH

    def _do(self, chores: subscriptions.Chores, due: subscriptions.Due, at: datetime) -> None:
        for chore in chores:
            self._safely(partial(chore, at))
        for claim, task in due:
            for row_id in self._safely(partial(claim, at)) or ():
                self._safely(partial(offer, task, row_id, self.hands))

    def _safely(self, work: Callable[[], T]) -> T | None:
        """Do one piece; a database that is away, or a fault in it, must not end the engine nor keep the rest waiting."""
        try:
            return work()
        except DatabaseError as problem:
            logger.warning("engine waits for the database: %r", problem)
        except Exception:
            logger.exception("a piece of the engine's work failed")
        finally:
            close_old_connections()
        self.stopping.wait(AFTER_FAILURE_SECONDS)
        return None

    def _listen(self) -> None:
        while settings.REDIS_URL:
            try:
                for news in wake.listen(timeout_seconds=30):
                    if news is not None:
                        self.news.set()
            except redis.RedisError:
                self.stopping.wait(AFTER_FAILURE_SECONDS)


class Hands:
    """Threads that do what no worker does, so that one slow call keeps neither the next one nor the events waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(HANDS, thread_name_prefix="hand")
        self._room = threading.BoundedSemaphore(MOST_WAITING)

    def do(self, task: Task, row_id: UUID) -> None:
        """Run a task soon, or not at all when too many wait."""
        if self._room.acquire(blocking=False):
            self._threads.submit(self._run, task, row_id)

    def _run(self, task: Task, row_id: UUID) -> None:
        try:
            task(id_=str(row_id))
        except DatabaseError as problem:
            logger.warning("%s waits for the database: %r", task.name, problem)
        except Exception:
            logger.exception("%s failed", task.name)
        finally:
            connections.close_all()
            self._room.release()

    def rest(self) -> None:
        """Finish what has begun and drop the rest, which is offered again by whoever comes next."""
        self._threads.shutdown(cancel_futures=True)


def offer(task: Task, row_id: UUID, hands: Hands) -> None:
    """Hand one row to a worker, or do it here when there is no broker."""
    if not settings.REDIS_URL:
        hands.do(task, row_id)
        return
    try:
        task.apply_async(kwargs={"id_": str(row_id)}, retry=False)
    except (BrokerAwayError, redis.RedisError, OSError):
        logger.warning("broker is away, the engine does %s itself", task.name)
        hands.do(task, row_id)
