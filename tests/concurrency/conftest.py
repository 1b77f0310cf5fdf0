"""Many at once: real threads, each with its own connection to Postgres."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from django.db import connection

T = TypeVar("T")

Together = Callable[[int, Callable[[int], T]], list[Any]]
Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def together(transactional_db: None) -> Together[Any]:
    """Run work in many threads that all start at one moment; return results in order, exceptions as values."""

    def run(count: int, work: Callable[[int], Any]) -> list[Any]:
        start = threading.Barrier(count)

        def one(number: int) -> Any:
            try:
                with connection.cursor() as cursor:  # who waits for many others on a busy machine is not late
                    cursor.execute("SET lock_timeout = '60s'; SET statement_timeout = '60s'")
                start.wait()
                return work(number)
            except Exception as problem:  # noqa: BLE001 - the test looks at it
                return problem
            finally:
                connection.close()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    return run


@pytest.fixture
def eventually() -> Eventually:
    """Wait, in small steps, until something on another thread has become true."""

    def wait(condition: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(1000):
            if condition():
                return
            pause.wait(0.01)
        pytest.fail("it never became true")

    return wait
