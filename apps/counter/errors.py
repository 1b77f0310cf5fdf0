"""Refusals of this app."""

from apps.core.facade import DomainError


class ShiftNotFoundError(DomainError):
    """No such shift, or not for this person."""

    code = "not_found"
    status = 404
    title = "Turno não encontrado"

    def __init__(self) -> None:
        super().__init__("Este turno não existe ou não é da sua loja.")


class ShiftClosedError(DomainError):
    """The shift has been closed."""

    code = "shift_closed"
    status = 409
    title = "Turno encerrado"

    def __init__(self) -> None:
        super().__init__("Este turno já foi encerrado; nada foi alterado.")


class DrawerTooLowError(DomainError):
    """More cash was to be taken out than the drawer should hold."""

    code = "drawer_too_low"
    status = 409
    title = "Não há tanto dinheiro na gaveta"
