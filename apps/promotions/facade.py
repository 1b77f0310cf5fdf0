"""What the other apps may use of promotions."""

from apps.promotions.queries import coupon_offer, offers_at
from apps.promotions.rules import CartLine, Discount, Offer, Price, PricedOption, price
from apps.promotions.services import refresh_marks, return_coupon, use_coupon

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
    "return_coupon",
    "use_coupon",
]
