"""From a registration to a login, as a stranger sees it from outside."""

import base64
import logging
import re
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings

from apps.core.dispatch import deliver_new
from apps.core.models import StoredEvent, User
from apps.customers import services
from apps.customers.models import AccountClaim, Customer
from breadmate import subscriptions
from tests.customers.people import CPF, PASSWORD, Anyone, known
from tests.fixtures import Reply

pytestmark = pytest.mark.django_db
EMAIL = "maria@example.org"
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
CODE = re.compile(r"code of customer (\S+) is (\d{6})$")


@pytest.fixture
def demo(settings: Settings) -> Settings:
    settings.DEMO = True
    return settings


@pytest.fixture
def engine(caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Any:
    """Deliver what has happened, and read the codes that were sent."""

    def deliver() -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
            while deliver_new(subscriptions.AFTER_COMMIT, at=timezone.now()):
                pass
        found = [CODE.search(record.getMessage()) for record in caplog.records]
        return [match[2] for match in found if match]

    return deliver


def register(**told: Any) -> Reply:
    return Anyone().post("/users", {"name": "Maria", "cpf": CPF, "email": EMAIL, "password": PASSWORD, **told})


def claim(token: str, code: str) -> Reply:
    return Anyone().post("/users/claim", {"claim": token, "code": code})


def sign_in(password: str = PASSWORD) -> int:
    return Anyone().post("/auth/token", {"email": EMAIL, "password": password}).status


def test_code_sent_to_the_customer_opens_the_account(demo: Settings, engine: Any) -> None:
    token = register().body["claim"]
    (code,) = engine()
    assert sign_in() == 401

    claimed = claim(token, code)

    assert (claimed.status, claimed.response.content, claimed.response["Cache-Control"]) == (204, b"", "no-store")
    assert sign_in() == 200
    assert claim(token, code).code == (400, "claim_refused")


@pytest.mark.parametrize("told", [{}, {"email": "outra@example.org"}, {"cpf": "111.444.777-35"}])
def test_known_and_new_are_told_apart_neither_at_registering_nor_at_claiming(
    told: dict[str, str], demo: Settings, engine: Any
) -> None:
    known(email=EMAIL)
    replies = [register(**told), register(cpf="935.411.347-80", email="nova@example.org")]
    codes = engine()

    assert [reply.status for reply in replies] == [201, 201]
    assert replies[0].body.keys() == replies[1].body.keys()
    assert len(replies[0].body["claim"]) == len(replies[1].body["claim"])
    assert len(codes) == 2
    refused = [claim(reply.body["claim"], "000000x") for reply in replies]
    assert next({**reply.body, "request_id": ""} for reply in refused) == {**refused[1].body, "request_id": ""}
    assert Customer.objects.count() == 2


def test_five_wrong_codes_end_a_claim(demo: Settings, engine: Any) -> None:
    token = register().body["claim"]
    (code,) = engine()
    for _ in range(5):
        assert claim(token, "x" + code).code == (400, "claim_refused")
    assert claim(token, code).code == (400, "claim_refused")
    assert not User.objects.exists()


def test_guessing_from_one_address_ends_in_429() -> None:
    for _ in range(20):
        assert claim("x", "000000").status == 400
    refused = claim("x", "000000")
    assert refused.code == (429, "throttled")
    assert int(refused.response["Retry-After"]) > 0
    other = Anyone("198.51.100.9").post("/users/claim", {"claim": "x", "code": "000000"})
    assert other.status == 400


def test_customer_is_sent_few_codes_an_hour(demo: Settings, engine: Any) -> None:
    sent = []
    for _ in range(7):
        register()
        sent += engine()
    assert len(sent) == 5


def test_registration_without_a_password_sends_nothing(demo: Settings, engine: Any) -> None:
    Anyone().post("/users", {"name": "Maria", "cpf": CPF})
    assert engine() == []
    assert not AccountClaim.objects.exists()


@pytest.mark.parametrize(("demo_shop", "production"), [(False, False), (False, True), (True, True)])
def test_code_is_in_no_log_but_the_demos(
    demo_shop: bool, production: bool, settings: Settings, caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(services.secrets, "randbelow", lambda _: 424242)
    register()
    settings.DEMO, settings.PRODUCTION = demo_shop, production
    settings.CUSTOMER_KEYS, settings.CUSTOMER_INDEX_KEY = f"1:{KEY}", KEY
    with caplog.at_level(logging.DEBUG), django_capture_on_commit_callbacks(execute=True):
        deliver_new(subscriptions.AFTER_COMMIT, at=timezone.now())
    assert "424242" not in caplog.text
    assert "was not sent" in caplog.text


def test_code_is_sent_once_however_often_the_event_comes(demo: Settings, engine: Any) -> None:
    register()
    assert len(engine()) == 1
    StoredEvent.objects.update(dispatched_at=None)
    assert engine() == []


def test_body_is_checked() -> None:
    assert Anyone().post("/users/claim", {"claim": "x"}).errors == [("code", "required")]
    assert Anyone().post("/users/claim", {"claim": "x", "code": "1", "user": str(UUID(int=1))}).errors == [
        ("user", "unknown_field")
    ]
    assert Anyone().get("/users/claim").status == 405
