"""People at a desk who call the API, and ways to take servers away."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.core.actors import Role
from apps.stores.models import Store
from tests.factories import StaffRoleFactory
from tests.fixtures import API, Reply


class Desk:
    """A member of staff, signed in."""

    def __init__(self, role: Role, store: Store | None) -> None:
        self.user = StaffRoleFactory(role=role, store=store).user
        self.client = APIClient()
        self.client.force_login(self.user, backend="django.contrib.auth.backends.ModelBackend")

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        raw = b"" if body is None else json.dumps(body)
        return Reply(self.client.generic(method, f"{API}{path}", raw, "application/json"))


@pytest.fixture
def owner(db: None) -> Desk:
    return Desk(Role.OWNER, None)


@pytest.fixture
def manager(store: Store) -> Desk:
    return Desk(Role.MANAGER, store)


@pytest.fixture
def database_away() -> Callable[[], AbstractContextManager[None]]:
    """A way to point this process's connection at a socket where nobody listens; for tests that commit."""

    @contextmanager
    def away() -> Iterator[None]:
        told = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
        connection.close()
        connection.settings_dict["HOST"], connection.settings_dict["PORT"] = "/nonexistent", "1"
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["HOST"], connection.settings_dict["PORT"] = told

    return away
