"""Refusals of this app."""

from apps.core.facade import DomainError


class MalformedDocumentError(DomainError):
    """Not a CPF or CNPJ, or its check digits are wrong. Says nothing of who is known."""

    def __init__(self) -> None:
        error = {"field": "cpf", "code": "invalid", "detail": "Confira o CPF ou CNPJ."}
        super().__init__("Confira os campos indicados.", errors=[error])


class CustomerNotFoundError(DomainError):
    """No such customer."""

    code = "not_found"
    status = 404
    title = "Cliente não encontrado"

    def __init__(self) -> None:
        super().__init__("Nenhum cliente com estes dados.")


class ClaimRefusedError(DomainError):
    """The code or the claim is wrong, used or too old; which of them is not said."""

    code = "claim_refused"
    status = 400
    title = "Código não aceito"

    def __init__(self) -> None:
        super().__init__("Peça um código novo e tente de novo.")
