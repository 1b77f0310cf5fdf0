"""What the other apps may use of promotions."""

from apps.promotions.rules import CartLine, Price, PricedOption, price

__all__ = ["CartLine", "Price", "PricedOption", "price"]
