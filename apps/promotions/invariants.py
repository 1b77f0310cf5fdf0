"""Rules of coupons that hold at every commit."""

from apps.core.facade import sql_invariant

sql_invariant(
    "M1",
    "A coupon's count is the number of its uses that were not given back, and never above its limit.",
    """
    SELECT coupon.id, coupon.code, coupon.used, count(one.id)
    FROM promotions_coupon coupon
    LEFT JOIN promotions_couponuse one ON one.coupon_id = coupon.id AND one.returned_at IS NULL
    GROUP BY coupon.id
    HAVING coupon.used <> count(one.id) OR coupon.used > coupon.use_limit
    """,
)
