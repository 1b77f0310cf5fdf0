"""Refusals of this app."""

from apps.core.facade import DomainError


class CouponRefusedError(DomainError):
    """The coupon cannot be used; ``errors[0].code`` says why: unknown, not_now or used_up."""

    title = "Cupom não aceito"

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail, errors=[{"field": "coupon", "code": why, "detail": detail}])


def used_up() -> CouponRefusedError:
    """Say that the last use is gone."""
    return CouponRefusedError("used_up", "Este cupom já foi usado até o limite.")
