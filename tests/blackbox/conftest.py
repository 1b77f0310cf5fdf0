"""Callers for the demo shop's first store."""

import pytest

from tests.blackbox.client import Caller
from tests.stack import Stack


@pytest.fixture
def kiosk(stack: Stack) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"]["kiosk"])


@pytest.fixture
def board(stack: Stack) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"]["board"])


@pytest.fixture
def panel(stack: Stack) -> Caller:
    return Caller(stack.base_url, stack.demo["stores"][0]["devices"]["panel"])


@pytest.fixture
def simulator(stack: Stack) -> Caller:
    return Caller(stack.simulator_url)


@pytest.fixture(scope="session")
def cashier(stack: Stack) -> Caller:
    signed_in = Caller(stack.base_url).post("/api/v1/auth/token", stack.demo["staff"]["cashier"])
    return Caller(stack.base_url, signed_in.body["access"], "Bearer")


@pytest.fixture(scope="session")
def manager(stack: Stack) -> Caller:
    signed_in = Caller(stack.base_url).post("/api/v1/auth/token", stack.demo["staff"]["manager"])
    return Caller(stack.base_url, signed_in.body["access"], "Bearer")
