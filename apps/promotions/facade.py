"""What the other apps may use of promotions."""

from apps.promotions.errors import CouponRefusedError, used_up
from apps.promotions.queries import coupon_offer, offers_at, remembered_offers
from apps.promotions.rules import CartLine, Discount, Offer, Price, PricedOption, price
from apps.promotions.services import refresh_marks, return_coupon, use_coupon_again

__all__ = [
    "CartLine",
    "CouponRefusedError",
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
    "use_coupon_again",
    "used_up",
]
