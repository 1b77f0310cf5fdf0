"""Offers and coupons at checkout, through the API."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.orders.cancel import cancel_order
from apps.orders.models import Order
from apps.promotions.models import Coupon, CouponUse, Promotion
from apps.promotions.queries import promotions as remembered
from apps.stores.models import Store
from tests.concurrency.conftest import together  # noqa: F401 - a fixture
from tests.factories import ProductFactory, StoreFactory, new_menu
from tests.fixtures import Screen, broken_rules, cart


def promotion(**fields: Any) -> Promotion:
    return Promotion.objects.create(**{"name": "Hora do café", "kind": "percent", "value": 20, **fields})


def coupon(**fields: Any) -> Coupon:
    return Coupon.objects.create(**{"code": "BEMVINDO", "name": "Boas-vindas", "kind": "amount", "value": 3, **fields})


def test_promotion_is_in_quote_order_and_receipt_alike(store: Store, kiosk: Screen) -> None:
    coffee = ProductFactory(price=Decimal("5.05"))
    new_menu(store)
    promotion(product=coffee)
    promotion(name="De outra loja", store=StoreFactory(), value=90)
    discounts = [{"name": "Hora do café", "amount": "2.02"}]

    quote = kiosk.post("/orders/quote", {"items": cart(coffee, quantity=2)["items"]}).body
    order = kiosk.buy(coffee, quantity=2, expected_total="8.08").body

    assert (quote["subtotal"], quote["discount_total"], quote["total"], quote["discounts"]) == (
        "10.10",
        "2.02",
        "8.08",
        discounts,
    )
    assert [order[name] for name in ("subtotal", "discount_total", "total", "discounts")] == [
        "10.10",
        "2.02",
        "8.08",
        discounts,
    ]
    assert kiosk.get(f"/orders/{order['id']}").body["discounts"] == discounts
    assert broken_rules() == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"active": False},
        {"ends_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"starts_at": datetime(2126, 1, 1, tzinfo=UTC)},
    ],
)
def test_promotion_outside_its_time_takes_nothing_off(store: Store, kiosk: Screen, fields: dict[str, Any]) -> None:
    coffee = ProductFactory(price=Decimal("5.00"))
    new_menu(store)
    promotion(**fields)

    assert kiosk.buy(coffee).body["total"] == "5.00"


def test_price_seen_before_a_promotion_ended_is_asked_again(store: Store, kiosk: Screen) -> None:
    coffee = ProductFactory(price=Decimal("5.00"))
    new_menu(store)
    offer = promotion()
    assert kiosk.post("/orders/quote", {"items": cart(coffee)["items"]}).body["total"] == "4.00"
    Promotion.objects.filter(pk=offer.pk).update(active=False)
    remembered.clear()  # the second is over for which a process keeps offers

    refused = kiosk.buy(coffee, expected_total="4.00")

    assert refused.code == (409, "price_changed")
    assert refused.body["quote"]["total"] == "5.00"
    assert not Order.objects.exists()


def test_coupon_is_counted_with_the_order_and_comes_back_with_its_cancel(store: Store, kiosk: Screen) -> None:
    coffee = ProductFactory(price=Decimal("5.00"))
    new_menu(store)
    coupon(use_limit=1)

    order = kiosk.buy(coffee, coupon="bemvindo").body
    assert order["total"] == "2.00"
    second = kiosk.buy(coffee, coupon="BEMVINDO")
    assert (second.code, second.errors) == ((400, "invalid"), [("coupon", "used_up")])

    for _ in range(2):
        cancel_order(order_id=order["id"], by=kiosk.actor, at=timezone.now())
    assert Coupon.objects.get().used == 0
    assert kiosk.buy(coffee, coupon="BEMVINDO").status == 201
    assert broken_rules() == {}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"code": "OUTRO"}, "unknown"),
        ({"active": False}, "unknown"),
        ({"ends_at": datetime(2026, 1, 1, tzinfo=UTC)}, "not_now"),
        ({"use_limit": 0}, "used_up"),
    ],
)
def test_coupon_that_does_not_hold_says_why_and_leaves_nothing(
    store: Store, kiosk: Screen, fields: dict[str, Any], why: str
) -> None:
    coffee = ProductFactory()
    new_menu(store)
    coupon(**fields)

    refused = kiosk.buy(coffee, coupon="BEMVINDO")

    assert (refused.code, refused.errors) == ((400, "invalid"), [("coupon", why)])
    assert not Order.objects.exists()
    assert not CouponUse.objects.exists()


def test_coupon_of_another_store_is_unknown_here(store: Store, kiosk: Screen) -> None:
    coffee = ProductFactory()
    new_menu(store)
    coupon(store=StoreFactory())

    assert kiosk.buy(coffee, coupon="BEMVINDO").errors == [("coupon", "unknown")]


def test_coupon_of_five_uses_under_forty_checkouts_is_used_five_times(together: Any) -> None:  # noqa: F811
    shop = StoreFactory()
    coffee = ProductFactory(price=Decimal("5.00"))
    new_menu(shop)
    coupon(use_limit=5)
    kiosks = [Screen(shop) for _ in range(4)]

    replies = together(40, lambda number: kiosks[number % 4].buy(coffee, coupon="BEMVINDO"))

    assert sorted(reply.status for reply in replies) == [201] * 5 + [400] * 35
    assert (Coupon.objects.get().used, CouponUse.objects.count(), Order.objects.count()) == (5, 5, 5)
    assert broken_rules() == {}
