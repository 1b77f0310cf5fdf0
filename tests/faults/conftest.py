"""A whole shop whose database is behind a proxy, shared by the faults, and what every fault ends with."""

import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.payments import LIMITS, RATE, Shop
from tests.faults.load import Load
from tests.faults.postgres import Postgres
from tests.faults.proxy import Mode, Proxy
from tests.stack import Stack, free_ports

KIOSKS = 12


@dataclass(frozen=True)
class World:
    """The shop and everything that can be broken in it."""

    postgres: Postgres
    way: Proxy  # from the shop to its database
    stack: Stack
    shop: Shop

    def load(self) -> Load:
        """Begin a new book."""
        return Load(self.shop, self.postgres)


@contextmanager
def world_with(
    *, settings: Mapping[str, str] | None = None, postgres: Mapping[str, str] | None = None, disk: Path | None = None
) -> Generator[World]:
    """Start one; ``disk`` is where the data of Postgres is to be."""
    folder = Path(tempfile.mkdtemp(prefix="breadmate-faults-", dir=disk or "/var/tmp"))
    with Postgres(folder, free_ports(), settings=postgres) as server, Proxy(server.port) as way:
        given = LIMITS | RATE | {"DATABASE_URL": server.url(port=way.port)} | dict(settings or {})
        with Stack(settings=given) as stack:
            yield World(server, way, stack, Shop(stack, KIOSKS))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_world() -> Generator[World]:
    with world_with() as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Generator[World]:
    """The shared one, whole again after every fault."""
    yield shared_world
    shared_world.way.set(Mode.OK)
    assert shared_world.shop.simulator.call("DELETE", "/_sim/faults").status == 200
    shared_world.shop.policy()


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Keep the line that says how a fault went; all are printed at the end, whichever process ran the test."""

    def keep(line: str) -> None:
        record_property("fault", line)

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        str(value)
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "fault"
    ]
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
