"""Giving the uses of coupons back, and showing offers on the menu. A use is counted in ``orders/sql/checkout.sql``."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from apps.catalog import facade as catalog
from apps.promotions.errors import CouponRefusedError
from apps.promotions.models import Coupon, CouponUse
from apps.promotions.queries import offers_at
from apps.promotions.rules import CartLine, price
from apps.stores.facade import every_store_id, store_by_id


@transaction.atomic
def return_coupon(*, order_id: UUID, at: datetime) -> None:
    """Give the use of an order that came to nothing back. Repeating it changes nothing.

    Locks: the coupon row, until commit; before any stock.
    """
    used = CouponUse.objects.filter(order_id=order_id, returned_at=None)
    coupon_id = used.values_list("coupon_id", flat=True).first()
    if coupon_id is not None and used.update(returned_at=at):
        Coupon.objects.filter(id=coupon_id).update(used=F("used") - 1)


@transaction.atomic
def use_coupon_again(*, order_id: UUID) -> None:
    """Count the use of an order that came back to life once more; nothing when it used none or still counts.

    The price was promised, so only the limit of uses matters now.

    Raises:
        CouponRefusedError: the last use went to somebody else meanwhile.

    Locks: the coupon row, until commit; before any stock.
    """
    returned = CouponUse.objects.filter(order_id=order_id, returned_at__isnull=False)
    coupon_id = returned.values_list("coupon_id", flat=True).first()
    if coupon_id is None:
        return
    free = Coupon.objects.filter(Q(use_limit=None) | Q(used__lt=F("use_limit")), id=coupon_id)
    if not free.update(used=F("used") + 1):
        raise CouponRefusedError("used_up", "Este cupom já foi usado até o limite.")
    returned.update(returned_at=None)


def refresh_marks(*, at: datetime) -> int:
    """Let every menu show which products are on offer now and at what price; return how many marks changed.

    Run when an offer is saved and every minute, because offers begin and end by the clock. Marks that stand are left alone.

    Locks: one store's menu version at a time, each mark in its own transaction. Emits: ``MenuChanged`` for each change.
    """
    return sum(_refresh_store(store_id, at) for store_id in every_store_id())


def _refresh_store(store_id: UUID, at: datetime) -> int:
    store = store_by_id(store_id)
    if store is None:
        return 0
    menu = catalog.menu_snapshot(store_id)
    offers = offers_at(store_id, store.timezone, at)
    changed = 0
    for shelf in menu.categories:
        for product in shelf.products:
            line = CartLine(unit_price=product.price, quantity=1, product=product.id, category=shelf.id)
            on_line = [offer for offer in offers if offer.product or offer.category]
            now = price([line], on_line).total
            wanted = str(now) if now < product.price else None
            shown = next((mark.value for mark in product.marks if mark.kind == catalog.MarkKind.PROMO), None)
            if wanted == shown:
                continue
            if wanted is None:
                catalog.clear_mark(store_id=store_id, product_id=product.id, kind=catalog.MarkKind.PROMO, at=at)
            else:
                catalog.set_mark(
                    store_id=store_id,
                    product_id=product.id,
                    kind=catalog.MarkKind.PROMO,
                    until=None,
                    value=wanted,
                    at=at,
                )
            changed += 1
    return changed
