"""What holds for every test: fixtures, no judging of time, no network beyond this machine."""

import gc
import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent

pytest_plugins = ["tests.stack", "tests.fixtures"]

# No test here judges how long something takes, on a machine that may be busy; and the same tree is judged the same twice.
settings.register_profile(
    "breadmate",
    deadline=None,
    derandomize="BREADMATE_TEST_DEEP" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("breadmate")


def pytest_configure() -> None:
    """Hash passwords cheaply."""
    django_settings.PASSWORD_HASHERS = ["tests.hashing.QuickHasher"]


# Folders whose tests start servers and programs.
STARTS_MORE = {
    "backup",
    "bare",
    "blackbox",
    "clients",
    "deploy",
    "e2e",
    "faults",
    "image",
    "money",
    "mpsim",
    "streams",
    "up",
}
DATABASES = {"db", "transactional_db"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as unit tests those that use nothing but this process; leave out what takes long, unless it was asked for."""
    for item in items:
        if item.get_closest_marker("long") and not os.environ.get("BREADMATE_TEST_FAULTS"):
            item.add_marker(pytest.mark.skip(reason="takes long: make test-faults"))
        uses_database = item.get_closest_marker("django_db") or DATABASES & set(getattr(item, "fixturenames", ()))
        if not uses_database and item.path.relative_to(TESTS).parts[0] not in STARTS_MORE:
            item.add_marker(pytest.mark.unit)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what was imported and collected to itself: looking through it for garbage is a tenth of the run."""
    gc.collect()
    gc.freeze()


KEPT = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}  # the same in every test


def empty_the_tables(test: TransactionTestCase) -> None:
    """Delete what a test committed, as a superuser. Django truncates and makes all permissions anew: ten times as long."""
    tables = [
        connection.ops.quote_name(name) for name in connection.introspection.django_table_names(only_existing=True)
    ]
    emptied = "".join(f"DELETE FROM {name};" for name in tables if name.strip('"') not in KEPT)
    with connection.cursor() as cursor:
        cursor.execute(f"SET session_replication_role = replica; {emptied} SET session_replication_role = DEFAULT")


TransactionTestCase._fixture_teardown = empty_the_tables  # type: ignore[method-assign]


class OutsideError(RuntimeError):
    """A test tried to reach another machine."""


def stay_here(event: str, args: tuple[Any, ...]) -> None:
    """Refuse connections that leave this machine; Unix sockets have a path for an address and may pass."""
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = str(args[1][0])
        if host != "localhost" and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            raise OutsideError(host)


sys.addaudithook(stay_here)
