"""A shop whose money goes through the simulated provider, at a time of its own."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from apps.core.buckets import Buckets
from apps.payments import webhook
from ops.mpsim.app import App
from ops.mpsim.clock import Clock
from ops.mpsim.server import Server
from ops.mpsim.simulator import Setup, Simulator
from ops.mpsim.webhooks import Policy
from tests.money.clock import StoppedClock
from tests.money.shop import SECRET, Shop
from tests.payments.conftest import STORE_CODE, Provider


@pytest.fixture
def clock(transactional_db: None) -> Iterator[StoppedClock]:
    clock = StoppedClock()
    with clock.rule():
        yield clock


@pytest.fixture
def shop(clock: StoppedClock, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    policy = Policy(topics=("order", "topic_chargebacks_wh"), partial_event="order.refunded")
    setup = Setup(pos=(f"BM{STORE_CODE}",), policy=policy)
    sim = Simulator(setup, Clock(real=clock.seconds))
    server = Server(App(sim), "127.0.0.1", 0, log=lambda line: None)
    server.start()
    settings.MP_BASE_URL = server.url
    settings.MP_ACCESS_TOKEN = "APP_USR-SIM-1"
    settings.MP_WEBHOOK_SECRETS = [SECRET]
    settings.MP_RATE = 1000.0  # a bucket does not fill up while time stands still
    monkeypatch.setattr(webhook, "_strangers", Buckets(lambda: 0.0))
    shop = Shop(Provider(sim, server), clock)
    shop.begin()
    yield shop
    server.stop()
