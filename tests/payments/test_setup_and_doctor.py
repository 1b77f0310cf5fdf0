"""The two commands that make and check what Mercado Pago knows of us."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.actors import Role
from apps.payments import inbox
from apps.payments.models import Charge, PointOfSale
from apps.payments.rules import pos_external_id
from apps.stores.models import Store
from tests.factories import DeviceFactory, StoreFactory, place, stocked_product
from tests.fixtures import Screen
from tests.payments.conftest import STORE_CODE, Provider

ADDRESS = {
    "street": "Av. Paulista",
    "number": "100",
    "city": "São Paulo",
    "state": "São Paulo",
    "latitude": -23.5614,
    "longitude": -46.6559,
}


def run(command: str, **options: Any) -> str:
    out = StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


def doctor(**options: Any) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("mp_doctor", stdout=out, json=True, **options)
        code = 0
    except SystemExit as end:
        code = int(str(end.code))
    return code, json.loads(out.getvalue())


def levels(told: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["level"] for check in told["checks"]}


def test_setup_makes_store_and_tills_once(provider: Provider, store: Store, kiosk: Screen) -> None:
    DeviceFactory(store=store, kind=Role.BOARD)
    gone = DeviceFactory(store=store)
    type(gone).objects.filter(id=gone.id).update(revoked_at=timezone.now(), token_hash=None)
    provider.sim.pos.clear()

    first = run("mp_setup", store=STORE_CODE, **ADDRESS)
    calls = len(provider.requests)
    again = run("mp_setup", store=STORE_CODE)

    own = pos_external_id(STORE_CODE, kiosk.device.id)
    assert [external_id for _, external_id in provider.sim.stores] == [f"BM{STORE_CODE}"]
    assert [external_id for _, external_id in provider.sim.pos] == [f"BM{STORE_CODE}", own]
    assert own.isalnum()
    assert (first.count("criado"), again.count("criado"), again.count("já havia")) == (3, 0, 3)
    assert len(provider.requests) - calls == 4
    assert PointOfSale.objects.count() == 2
    numbers = {place["external_id"]: str(place["id"]) for place in provider.sim.pos.values()}
    assert dict(PointOfSale.objects.values_list("external_id", "provider_id")) == numbers


def test_charge_of_a_kiosk_is_made_at_its_till(provider: Provider, store: Store, kiosk: Screen) -> None:
    def till_of(screen: Screen) -> str:
        order = place(screen.device, stocked_product(store, 5))
        reply = screen.post("/payments", {"order": str(order.id), "method": "mercado_pago_qr"}, key=str(order.id))
        assert reply.status == 201, reply.body
        body = json.loads(bytes(Charge.objects.get(id=reply.body["id"]).create_body))
        return str(body["config"]["qr"]["external_pos_id"])

    assert till_of(kiosk) == f"BM{STORE_CODE}"
    run("mp_setup", store=STORE_CODE, **ADDRESS)
    assert till_of(kiosk) == pos_external_id(STORE_CODE, kiosk.device.id)
    assert till_of(Screen(store)) == f"BM{STORE_CODE}"


def test_longest_code_still_fits() -> None:
    assert len(pos_external_id("X" * 20, DeviceFactory.build().id)) < 40


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"store": STORE_CODE}, "não conhece a loja CENTRO"),
        ({"store": STORE_CODE, "street": "Rua"}, "O endereço precisa"),
        ({"store": "NENHUMA"}, "Não há loja"),
        (ADDRESS, "Um endereço é de uma loja só"),
    ],
)
def test_setup_says_what_it_needs(options: dict[str, Any], told: str, provider: Provider, store: Store) -> None:
    StoreFactory()
    with pytest.raises(CommandError, match=told):
        run("mp_setup", **options)
    assert not provider.sim.stores
    assert not PointOfSale.objects.exists()


def test_setup_with_a_wrong_token_says_so(provider: Provider, store: Store, settings: Settings) -> None:
    settings.MP_ACCESS_TOKEN = "APP_USR-WRONG"
    with pytest.raises(CommandError, match="401 invalid_credentials") as refused:
        run("mp_setup", **ADDRESS)
    assert "WRONG" not in str(refused.value)


def test_healthy_shop(provider: Provider, store: Store, kiosk: Screen, settings: Settings) -> None:
    settings.MP_WEBHOOK_SECRETS = ["s"]
    order = place(kiosk.device, stocked_product(store, 5))
    reply = kiosk.post("/payments", {"order": str(order.id), "method": "mercado_pago_qr"}, key="k")
    notice = {"type": "order", "action": "order.processed", "data": {"id": reply.body["provider_reference"]}}
    assert kiosk.post("/payments/webhook", notice).status == 200
    inbox.process(at=timezone.now())

    code, told = doctor()

    assert (code, told["ok"]) == (0, True)
    good = ("token", "pos", "qr", "clock", "cancel", "webhook", "signature")
    assert levels(told) == dict.fromkeys(good, "ok") | {"partial_refunds": "look"}
    with provider.sim.orders() as book:
        test_order = list(book.orders.values())[-1]
    assert (test_order.status, str(test_order.total)) == ("canceled", "1.00")
    assert "ok      CENTRO  Um QR de R$ 1,00 foi criado e serve ao Pix." in run("mp_doctor")


def test_mode_of_signatures_is_told(provider: Provider, store: Store, settings: Settings) -> None:
    settings.MP_WEBHOOK_SECRETS = ["s"]
    told = {}
    for settings.MP_WEBHOOK_SIGNATURE in ("observe", "enforce"):
        checks = doctor()[1]["checks"]
        told[settings.MP_WEBHOOK_SIGNATURE] = next(check["text"] for check in checks if check["id"] == "signature")
    assert "só é contado" in told["observe"]
    assert "são recusados" in told["enforce"]


def test_shop_behind_a_router_is_warned_and_not_ill(provider: Provider, store: Store, settings: Settings) -> None:
    settings.MP_WEBHOOK_SECRETS = []
    code, told = doctor()
    assert (code, levels(told)["webhook"], levels(told)["signature"]) == (0, "look", "look")
    cure = next(check["cure"] for check in told["checks"] if check["id"] == "webhook")
    assert f"{settings.PUBLIC_URL}/api/v1/payments/webhook" in cure


def test_wrong_token(provider: Provider, store: Store, settings: Settings) -> None:
    settings.MP_ACCESS_TOKEN = "APP_USR-WRONG"
    code, told = doctor()
    assert (code, told["ok"], levels(told)["token"]) == (1, False, "bad")
    assert "qr" not in levels(told)
    assert "WRONG" not in json.dumps(told)


def test_unknown_till(provider: Provider, store: Store) -> None:
    provider.sim.pos.clear()
    code, told = doctor()
    assert (code, levels(told)["pos"], levels(told)["qr"]) == (1, "bad", "bad")
    assert any("mp_setup --store CENTRO" in check["cure"] for check in told["checks"])


def test_clock_that_is_wrong(provider: Provider, store: Store) -> None:
    provider.control("clock", {"advance_s": 90})
    code, told = doctor()
    assert (code, levels(told)["clock"]) == (1, "bad")


def test_provider_away(provider: Provider, store: Store) -> None:
    provider.fault(".*", times=9, do="html")
    code, told = doctor()
    assert (code, levels(told)["token"]) == (1, "bad")


def test_code_that_cannot_be_taken_back(provider: Provider, store: Store) -> None:
    provider.fault("/cancel$", do="status", status=503)
    code, told = doctor()
    assert (code, levels(told)["qr"], levels(told)["cancel"]) == (1, "ok", "bad")
