"""The one error the simulator raises: an HTTP status and Mercado Pago's code for it."""


class ApiError(Exception):
    """A refusal, answered as ``{"errors": [{"code", "message", "details"}]}``."""

    def __init__(self, status: int, code: str, message: str, details: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or []

    def body(self) -> dict[str, object]:
        """Return the JSON of the refusal."""
        return {"errors": [{"code": self.code, "message": self.message, "details": self.details}]}


def bad_value(message: str, *details: str) -> ApiError:
    """Make the refusal of a value that has the right type; ``details`` names the places."""
    return ApiError(400, "property_value", message, list(details))
