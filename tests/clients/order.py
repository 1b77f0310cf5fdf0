"""Places an order with the generated Python client: ``order.py BASE_URL DEVICE_TOKEN`` prints its number and status."""

import sys
from uuid import uuid4

from breadmate_client import AuthenticatedClient
from breadmate_client.api.menu import menu_retrieve
from breadmate_client.api.orders import orders_checkout_create, orders_status_retrieve
from breadmate_client.models.asked_item import AskedItem
from breadmate_client.models.checkout import Checkout
from breadmate_client.models.dining_option_enum import DiningOptionEnum


def main(base_url: str, token: str) -> None:
    """Order the first thing of the menu that asks for nothing more."""
    with AuthenticatedClient(base_url, token, prefix="Device", raise_on_unexpected_status=True) as client:
        menu = menu_retrieve.sync(client=client)
        assert menu is not None
        products = [product for category in menu["categories"] for product in category["products"]]
        plain = next(p for p in products if p["available"] and not p["modifier_groups"] and p["kind"] == "single")
        cart = Checkout(items=[AskedItem(product=plain["id"], quantity=1)], dining_option=DiningOptionEnum.TAKE_OUT)
        placed = orders_checkout_create.sync(client=client, body=cart, idempotency_key=str(uuid4()))
        assert placed is not None
        order = orders_status_retrieve.sync(placed["id"], client=client)
        assert order is not None
        print(placed["number"], order["status"])


if __name__ == "__main__":
    main(*sys.argv[1:])
