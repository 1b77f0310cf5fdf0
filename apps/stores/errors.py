"""Refusals of this app."""

from apps.core.facade import DomainError


class PairingRefusedError(DomainError):
    """The pairing code is wrong, used or too old; which of them is not said."""

    code = "pairing_refused"
    status = 400
    title = "Código não aceito"
