"""What the other apps may use of promotions."""

from apps.promotions.errors import used_up
from apps.promotions.queries import coupon_offer, offers_at, remembered_offers
from apps.promotions.rules import CartLine, Discount, Offer, Price, PricedOption, price
from apps.promotions.services import refresh_marks, return_coupon

__all__ = [
    "CartLine",
    "Discount",
    "Offer",
    "Price",
    "PricedOption",
    "coupon_offer",
    "offers_at",
    "price",
    "refresh_marks",
    "remembered_offers",
    "return_coupon",
    "used_up",
]
