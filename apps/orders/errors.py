"""Refusals of this app."""

from datetime import datetime
from typing import Any
from uuid import UUID

from apps.core.facade import DomainError, iso


class OrderNotFoundError(DomainError):
    """No such order, or not for this caller."""

    code = "not_found"
    status = 404
    title = "Pedido não encontrado"

    def __init__(self) -> None:
        super().__init__("Este pedido não existe ou não é seu.")


class UnknownItemError(DomainError):
    """Something in the cart is not on this store's menu or breaks a rule of its product."""

    def __init__(self, field: str, detail: str, code: str = "invalid") -> None:
        super().__init__("Confira os itens do pedido.", errors=[{"field": field, "code": code, "detail": detail}])


class ItemUnavailableError(DomainError):
    """On the menu, but not now."""

    code = "item_unavailable"
    status = 409
    title = "Indisponível agora"

    def __init__(self, product: UUID, name: str) -> None:
        error = {"field": "items", "code": self.code, "detail": name, "product": str(product)}
        super().__init__(f"{name} está em pausa.", errors=[error])


class StoreClosedError(DomainError):
    """The store takes no orders now; ``opens_at`` says when it does again, null when nobody knows."""

    code = "store_closed"
    status = 409
    title = "Sem pedidos agora"

    def __init__(self, opens_at: datetime | None, *, paused: bool) -> None:
        detail = "Pausamos os pedidos por instantes." if paused else "Estamos fechados agora."
        super().__init__(detail, extra={"opens_at": iso(opens_at)})


class PriceChangedError(DomainError):
    """The total is not the one the guest saw; ``quote`` says the new one."""

    code = "price_changed"
    status = 409
    title = "O preço mudou"

    def __init__(self, quote: dict[str, Any]) -> None:
        super().__init__("O total mudou desde que foi mostrado.", extra={"quote": quote})


class IllegalMoveError(DomainError):
    """The order's life has no such step; ``legal`` names the steps it has from here."""

    code = "invalid_transition"
    status = 409
    title = "Passo não permitido"

    def __init__(self, now: str, to: str, legal: list[str]) -> None:
        super().__init__(f"{now} não pode ir para {to}.", extra={"legal": legal})


class ItemNotFoundError(DomainError):
    """No such item in the order."""

    code = "not_found"
    status = 404
    title = "Item não encontrado"

    def __init__(self) -> None:
        super().__init__("Este item não é deste pedido.")


class ItemStartedError(DomainError):
    """Somebody has begun to make the item."""

    code = "invalid_transition"
    status = 409
    title = "Passo não permitido"

    def __init__(self) -> None:
        super().__init__("A cozinha já começou este item.", extra={"legal": []})


class LastItemError(DomainError):
    """Nothing would be left of the order: it is to be cancelled instead."""

    code = "last_item"
    status = 409
    title = "É o último item"

    def __init__(self) -> None:
        super().__init__("É o último item do pedido; cancele o pedido inteiro.")


class AlreadyPaidError(DomainError):
    """The order no longer waits for money."""

    code = "already_paid"
    status = 409
    title = "Este pedido não aguarda pagamento"


class ReleaseRequiredError(DomainError):
    """Something in the order is only sold after a member of staff has checked the guest's age, and nobody has yet."""

    code = "release_required"
    status = 409
    title = "Precisa de liberação"

    def __init__(self) -> None:
        super().__init__("Um atendente precisa liberar este pedido antes do pagamento.")
