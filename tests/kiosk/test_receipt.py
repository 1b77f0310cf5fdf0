"""The receipt: what was bought, how it was paid, and that it is no fiscal document."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.actors import Role
from apps.orders.models import Order, OrderDiscount
from apps.orders.rules import Status
from apps.payments.rules import Method, Tender
from apps.payments.services import confirm_counter, open_charge
from tests.factories import ProductFactory, claim, order_in, place, staff
from tests.fixtures import Screen


def page_of(order: Order) -> str:
    page = Client().get(f"/t/{order.tracking_token}/recibo/")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    return " ".join(page.content.decode().replace("&nbsp;", " ").split())


@pytest.fixture
def order(kiosk: Screen) -> Order:
    """Two buns of 10, paid with a note of 50."""
    order = place(kiosk.device, ProductFactory(name="Pão de queijo"), quantity=2)
    cashier, at = staff(Role.CASHIER, kiosk.store), timezone.now()
    charge = open_charge(order_id=order.id, method=Method.COUNTER, by=kiosk.actor, claim=claim(kiosk.actor), at=at)
    confirm_counter(charge_id=charge.id, tender=Tender.CASH, received=Decimal(50), by=cashier, at=at)
    return Order.objects.get(id=order.id)


def test_receipt_says_what_was_bought_and_how_it_was_paid(order: Order) -> None:
    page = page_of(order)

    told = [
        order.store.name,
        order.number,
        "2× Pão de queijo",
        "R$ 10,00 cada",
        "<dt>Total</dt><dd>R$ 20,00</dd>",
        "<dt>Pago com dinheiro</dt><dd>R$ 20,00</dd>",
        "<dt>Recebido</dt><dd>R$ 50,00</dd>",
        "<dt>Troco</dt><dd>R$ 30,00</dd>",
        order.pickup_code,
        f"/t/{order.tracking_token}/qr.svg",
        "Não é documento fiscal",
    ]
    assert [text for text in told if text not in page] == []
    assert "Subtotal" not in page


def test_discount_is_told_by_its_name(order: Order) -> None:
    OrderDiscount.objects.create(order=order, offer_id=order.id, name="Hora do café", amount="2.00")
    Order.objects.filter(id=order.id).update(discount_total="2.00", total="18.00")

    page = page_of(order)

    assert "<dt>Subtotal</dt><dd>R$ 20,00</dd>" in page
    assert "<dt>Hora do café</dt><dd>\N{MINUS SIGN} R$ 2,00</dd>" in page


def test_order_that_nobody_had_to_pay_says_so(kiosk: Screen) -> None:
    assert "nada a pagar" in page_of(order_in(Status.RECEIVED, kiosk.device))


def test_unpaid_order_has_no_receipt_yet(kiosk: Screen) -> None:
    order = order_in(Status.AWAITING_PAYMENT, kiosk.device)

    answer = Client().get(f"/t/{order.tracking_token}/recibo/")

    assert (answer.status_code, answer["Location"]) == (302, f"/t/{order.tracking_token}/")
    assert "/recibo/" not in Client().get(f"/t/{order.tracking_token}/").content.decode()


def test_tracking_page_leads_to_the_receipt_and_says_when_it_is_ready(order: Order) -> None:
    page = Client().get(f"/t/{order.tracking_token}/").content.decode()

    assert f'href="/t/{order.tracking_token}/recibo/"' in page
    assert order.promised_at is not None
    assert f"{timezone.localtime(order.promised_at):%H:%M}" in page


def test_nobody_reads_a_receipt_without_its_link(order: Order) -> None:
    assert Client().get(f"/t/{order.id}/recibo/").status_code == 404


def test_text_of_a_guest_stays_text(order: Order) -> None:
    order.lines.update(note="<script>alert(1)</script>")

    assert "<script>alert" not in page_of(order)
