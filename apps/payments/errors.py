"""Refusals of this app, and what can go wrong at the provider."""

from datetime import timedelta
from decimal import Decimal

from apps.core.facade import DomainError, brl


class PaymentNotFoundError(DomainError):
    """No such payment, or not for this caller."""

    code = "not_found"
    status = 404
    title = "Pagamento não encontrado"

    def __init__(self) -> None:
        super().__init__("Este pagamento não existe ou não é seu.")


class ChargeOpenError(DomainError):
    """The order already has a charge that waits for money."""

    code = "charge_locked"
    status = 409
    title = "Já há uma cobrança aberta"


class NotAtCounterError(DomainError):
    """The charge is not one that the counter can confirm now."""

    code = "invalid_transition"
    status = 409
    title = "Não é um pagamento no caixa"


class BadSignatureError(DomainError):
    """A notification that none of our secrets has signed."""

    code = "invalid_signature"
    status = 401
    title = "Assinatura inválida"

    def __init__(self) -> None:
        super().__init__("O aviso não traz uma assinatura válida.")


class NoMoneyError(DomainError):
    """The charge has nothing that could be given back."""

    code = "invalid_transition"
    status = 409
    title = "Nada a devolver"


class RefundExceedsError(DomainError):
    """More is asked back than is left of what was paid; ``left`` says how much."""

    code = "refund_exceeds"
    status = 409
    title = "Devolução maior que o pago"

    def __init__(self, left: Decimal) -> None:
        super().__init__(f"Restam {brl(left)} para devolver.", extra={"left": str(left)})


class RefundLimitError(DomainError):
    """More than this person may give back of one charge."""

    code = "refund_limit"
    status = 403
    title = "Acima do seu limite"

    def __init__(self, limit: Decimal) -> None:
        super().__init__(f"No caixa, até {brl(limit)} por cobrança; acima disso, peça ao gerente.")


class RefundNotFoundError(DomainError):
    """No such refund, or not for this caller."""

    code = "not_found"
    status = 404
    title = "Devolução não encontrada"

    def __init__(self) -> None:
        super().__init__("Esta devolução não existe ou não é sua.")


class ClosingNotFoundError(DomainError):
    """No such closing or difference, or not for this caller."""

    code = "not_found"
    status = 404
    title = "Fechamento não encontrado"

    def __init__(self) -> None:
        super().__init__("Este fechamento não existe ou não é seu.")


class DayNotOverError(DomainError):
    """A day that goes on cannot be closed."""

    code = "invalid_transition"
    status = 409
    title = "O dia não acabou"

    def __init__(self) -> None:
        super().__init__("Este dia ainda não acabou nesta loja; feche depois.")


class ProviderAwayError(DomainError):
    """The provider gave no usable answer to what somebody waits for; ask again later."""

    code = "provider_unavailable"
    status = 503
    title = "Mercado Pago fora do ar"
    retry_after_seconds = 20

    def __init__(self) -> None:
        super().__init__("O Mercado Pago não respondeu. Nada mudou; tente de novo daqui a pouco.")


class TooOftenError(DomainError):
    """The same question came again too soon."""

    code = "throttled"
    status = 429
    title = "Um instante"
    retry_after_seconds = 3


class ProviderError(Exception):
    """The provider did not do what was asked."""


class ProviderRejectedError(ProviderError):
    """It refused; asking again with the same bytes is pointless. ``code`` is its own word."""

    def __init__(self, code: str, http_status: int) -> None:
        super().__init__(f"{http_status} {code}")
        self.code = code
        self.http_status = http_status


class ProviderUnavailableError(ProviderError):
    """It is away, or the answer was lost: the effect may or may not have happened; ask again with the same key.

    ``retry_after`` is how long to leave it alone, when that is known.
    """

    def __init__(self, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class BadCredentialsError(ProviderUnavailableError):
    """It does not accept the access token: nothing of this account goes until somebody puts in another one."""
