"""Refusals of this app."""

from apps.core.facade import DomainError


class OutOfStockError(DomainError):
    """Not enough can be promised; ``errors`` names each product short and what is left of it, in units of the product."""

    code = "out_of_stock"
    status = 409
    title = "Acabou"
