"""Accounts of stores: whose money it is, and that no credential is ever shown."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.checks.registry import registry
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.actors import SYSTEM, Role
from apps.core.facade import InvalidError, UnreadableError
from apps.core.models import StoredEvent
from apps.payments import accounts, lines
from apps.payments.breaker import Outcome, Passage
from apps.payments.checks import check_credentials
from apps.payments.models import Charge, ProviderAccount
from apps.stores.models import Store
from ops.mpsim.app import App
from ops.mpsim.server import Server
from ops.mpsim.simulator import Setup, Simulator
from tests.factories import StaffRoleFactory, StoreFactory, place, stocked_product
from tests.fixtures import Screen, broken_rules
from tests.payments.conftest import STORE_CODE, Provider

TOKEN, OTHER_TOKEN, SECRET = "APP_USR-STORE-A-token", "APP_USR-STORE-B-token", "whsec-9c1d"
LIST = "/admin/payments/provideraccount/"

pytestmark = pytest.mark.django_db


def account(store: Store | None, token: str = TOKEN, secrets: list[str] | None = None) -> ProviderAccount:
    fresh = ProviderAccount(store=store, label="Conta da loja")
    return accounts.set_account(fresh, token=token, secrets=secrets, by=SYSTEM, at=timezone.now())


@pytest.fixture
def sellers(settings: Settings) -> Iterator[Provider]:
    """A simulator with three sellers: two of stores, one of the settings."""
    tokens = (TOKEN, OTHER_TOKEN, "APP_USR-SIM-1")
    sim = Simulator(Setup(tokens=tokens, pos=(f"BM{STORE_CODE}", "BMPRAIA", "BMTERCEIRA")))
    server = Server(App(sim), "127.0.0.1", 0, log=lambda line: None)
    server.start()
    settings.MP_BASE_URL, settings.MP_ACCESS_TOKEN = server.url, "APP_USR-SIM-1"
    yield Provider(sim, server)
    server.stop()


def pay_at(kiosk: Screen) -> Charge:
    order = place(kiosk.device, stocked_product(kiosk.store, 5))
    reply = kiosk.post("/payments", {"order": str(order.id), "method": "mercado_pago_qr"}, key=str(uuid4()))
    assert reply.status == 201, reply.body
    return Charge.objects.get(id=reply.body["id"])


def test_every_store_is_paid_into_its_own_account(sellers: Provider, store: Store, kiosk: Screen) -> None:
    beach, third = Screen(StoreFactory(code="PRAIA")), Screen(StoreFactory(code="TERCEIRA"))
    own, others = account(store), account(beach.store, OTHER_TOKEN)
    charges = [pay_at(kiosk), pay_at(beach), pay_at(third), pay_at(kiosk)]
    for charge in charges:
        sellers.pay(charge.provider_order_id)
        screen = {store.id: kiosk, beach.store.id: beach, third.store.id: third}[charge.order.store_id]
        assert screen.post(f"/payments/{charge.id}/check").body["status"] == "approved"

    assert [charge.account_id for charge in charges] == [own.id, others.id, None, own.id]
    sent = [entry["headers"]["authorization"] for entry in sellers.requests]
    mine, yours, settings_own = f"Bearer {TOKEN}", f"Bearer {OTHER_TOKEN}", "Bearer APP_USR-SIM-1"
    assert sent == [mine, yours, settings_own, mine] * 2
    assert broken_rules() == {}


def test_charge_stays_with_the_account_it_was_made_with(sellers: Provider, store: Store, kiosk: Screen) -> None:
    before = pay_at(kiosk)
    account(store)
    after = pay_at(kiosk)
    sellers.pay(before.provider_order_id)
    assert kiosk.post(f"/payments/{before.id}/check").body["status"] == "approved"
    assert sellers.requests[-1]["headers"]["authorization"] == "Bearer APP_USR-SIM-1"
    assert (before.account_id, after.account.label) == (None, "Conta da loja")


def test_chains_account_is_for_stores_without_one(store: Store, settings: Settings) -> None:
    settings.MP_ACCESS_TOKEN = "from-settings"
    assert accounts.for_store(store.id).token == "from-settings"
    account(None, OTHER_TOKEN)
    assert accounts.for_store(store.id).token == OTHER_TOKEN
    account(store)
    assert accounts.for_store(store.id).token == TOKEN
    assert accounts.for_store(StoreFactory().id).token == OTHER_TOKEN


def test_credentials_are_sealed_and_bound_to_their_row(store: Store) -> None:
    row = account(store, secrets=[SECRET])
    sealed = bytes(row.token_sealed)
    assert TOKEN.encode() not in sealed
    assert SECRET.encode() not in bytes(row.secrets_sealed or b"")
    moved = account(None, OTHER_TOKEN)
    ProviderAccount.objects.filter(id=moved.id).update(token_sealed=sealed)
    with pytest.raises(UnreadableError):
        accounts.for_store(StoreFactory().id)


def test_old_key_may_go_once_all_is_sealed_under_the_new(store: Store, settings: Settings) -> None:
    old, new = (f"{number}:{urlsafe_b64encode(bytes([number]) * 32).decode()}" for number in (1, 2))
    settings.PAYMENT_KEYS = old
    account(store, secrets=[SECRET])
    account(None, OTHER_TOKEN)

    settings.PAYMENT_KEYS = f"{new},{old}"
    assert [accounts.renew_ciphers(), accounts.renew_ciphers()] == [2, 0]

    settings.PAYMENT_KEYS = new
    assert accounts.for_store(store.id).token == TOKEN
    assert accounts.for_store(StoreFactory().id).token == OTHER_TOKEN
    assert SECRET in accounts.webhook_secrets()


def test_every_secret_is_known_once(store: Store, settings: Settings) -> None:
    settings.MP_WEBHOOK_SECRETS = ["from-settings", "", SECRET]
    account(store, secrets=[SECRET, "second"])
    account(None, OTHER_TOKEN)
    assert accounts.webhook_secrets() == ["from-settings", SECRET, "second"]


def test_no_text_made_of_an_account_holds_its_token(store: Store) -> None:
    row = account(store, secrets=[SECRET])
    opened = accounts.for_store(store.id)
    assert opened.token == TOKEN
    for text in (repr(opened), str(opened), f"{opened}", repr(row), str(row)):
        assert TOKEN not in text


@pytest.mark.parametrize("token", ["with space", "quebra\nde linha", "ação", ""])
def test_token_that_no_header_can_carry_is_refused(token: str, store: Store) -> None:
    with pytest.raises(InvalidError) as refused:
        account(store, token)
    assert token not in str(refused.value) or not token
    assert not ProviderAccount.objects.exists()


def test_new_credentials_open_a_way_that_was_refused(store: Store) -> None:
    row = account(store)
    key = str(row.id)
    lines.enter(key, patient=False)
    lines.leave(key, Outcome.REFUSED, trial=False)
    assert lines.passages(timezone.now())[key] == Passage.REFUSED
    accounts.set_account(row, token=OTHER_TOKEN, secrets=None, by=SYSTEM, at=timezone.now())
    assert lines.passages(timezone.now())[key] == Passage.OPEN


def signed_in(role: Role, store: Store | None) -> Client:
    client = Client()
    client.force_login(StaffRoleFactory(role=role, store=store).user)
    return client


def form(**fields: Any) -> dict[str, Any]:
    return {"label": "Conta", "store": "", "token": "", "secrets": "", **fields}


def test_owner_puts_credentials_in_and_never_sees_them(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    owner = signed_in(Role.OWNER, None)
    pages = [owner.post(f"{LIST}add/", form(token=TOKEN, secrets=f"{SECRET}\nother-secret"), follow=True)]
    row = ProviderAccount.objects.get()
    assert accounts.for_store(store.id).token == TOKEN
    assert accounts.webhook_secrets()[-2:] == [SECRET, "other-secret"]
    assert row.created_by == row.changed_by is not None

    change = f"{LIST}{row.id}/change/"
    pages += [owner.get(change), owner.get(LIST), owner.get(f"{LIST}{row.id}/history/", follow=True)]
    pages.append(owner.post(change, form(label="", token=OTHER_TOKEN, secrets="third-secret")))  # refused: no label
    pages.append(owner.post(change, form(label="Outro nome"), follow=True))
    row.refresh_from_db()
    assert (row.label, accounts.for_store(store.id).token) == ("Outro nome", TOKEN)
    assert accounts.webhook_secrets()[-2:] == [SECRET, "other-secret"]
    for page in pages:
        assert page.status_code == 200
        for secret in (TOKEN, OTHER_TOKEN, SECRET):
            assert secret not in page.content.decode()
    assert TOKEN not in caplog.text
    assert TOKEN not in json.dumps([event.payload for event in StoredEvent.objects.all()])


def test_bad_token_is_refused_on_the_page_without_repeating_it(store: Store) -> None:
    answer = signed_in(Role.OWNER, None).post(f"{LIST}add/", form(token="muito segredo"))
    assert answer.status_code == 200
    assert "muito segredo" not in answer.content.decode()
    assert "Copie exatamente" in answer.content.decode()
    assert not ProviderAccount.objects.exists()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.CASHIER, Role.AUDITOR, Role.KITCHEN])
def test_only_owners_open_the_page(role: Role, store: Store) -> None:
    row = account(store)
    client = signed_in(role, store)
    for path in (LIST, f"{LIST}add/", f"{LIST}{row.id}/change/"):
        assert client.get(path).status_code == 403


def test_owner_of_another_store_neither_sees_nor_changes_it(store: Store) -> None:
    row = account(store)
    owner = signed_in(Role.OWNER, StoreFactory())
    assert str(row.id) not in owner.get(LIST).content.decode()
    owner.post(f"{LIST}{row.id}/change/", form(label="Meu", token=OTHER_TOKEN))
    row.refresh_from_db()
    assert row.label == "Conta da loja"


def test_production_refuses_what_is_only_for_play(settings: Settings) -> None:
    settings.MP_ACCESS_TOKEN, settings.MP_WEBHOOK_SECRETS = "APP_USR-SIM-1", ["breadmate-test-secret"]
    settings.MP_BASE_URL = "http://127.0.0.1:8799"
    assert check_credentials() == []
    settings.PRODUCTION = True
    assert [error.id for error in check_credentials()] == ["payments.E001", "payments.E004", "payments.E005"]
    settings.PAYMENT_KEYS = "1:" + "A" * 43
    settings.MP_ACCESS_TOKEN, settings.MP_WEBHOOK_SECRETS = "APP_USR-real", ["real"]
    settings.MP_BASE_URL = "https://api.mercadopago.com"
    assert check_credentials() == []
    settings.MP_ACCESS_TOKEN = "tokenã"
    assert [error.id for error in check_credentials()] == ["payments.E002"]
    assert check_credentials in registry.get_checks()
