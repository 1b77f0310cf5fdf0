"""Places an order with the generated Python client: ``order.py BASE_URL DEVICE_TOKEN`` prints its number and status.

What is answered is typed: a name that the schema does not have does not compile.
"""

import sys
from uuid import UUID, uuid4

from breadmate_client import AuthenticatedClient
from breadmate_client.api.menu import get_menu
from breadmate_client.api.orders import checkout_order, get_order_status
from breadmate_client.models import AskedItemRequest, CheckoutRequest, Menu, Order, OrderStatus, Problem
from breadmate_client.models.dining_option_enum import DiningOptionEnum
from breadmate_client.models.order_status_enum import OrderStatusEnum
from breadmate_client.models.product_kind_enum import ProductKindEnum


def main(base_url: str, token: str) -> None:
    """Order the first thing of the menu that asks for nothing more."""
    with AuthenticatedClient(base_url, token, prefix="Device", raise_on_unexpected_status=True) as client:
        menu = get_menu.sync(client=client)
        assert isinstance(menu, Menu)
        products = [product for category in menu.categories for product in category.products]
        plain = next(p for p in products if p.available and not p.modifier_groups and p.kind == ProductKindEnum.SINGLE)
        cart = CheckoutRequest([AskedItemRequest(plain.id, quantity=1)], DiningOptionEnum.TAKE_OUT)
        order = checkout_order.sync(client=client, body=cart, idempotency_key=str(uuid4()))
        assert isinstance(order, Order)
        standing = get_order_status.sync(order.id, client=client)
        assert isinstance(standing, OrderStatus)
        assert standing.status == OrderStatusEnum.AWAITING_PAYMENT
        assert order.paid_at is None
        assert order.items[0].unit_price == plain.price
        nobodys = get_order_status.sync(UUID(int=0), client=client)
        assert isinstance(nobodys, Problem)
        assert nobodys.code == "not_found"
        print(order.number, standing.status.value)


if __name__ == "__main__":
    main(*sys.argv[1:])
