"""The one error the simulator raises: an HTTP status and Mercado Pago's code for it."""

OLDER_WORDS = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict"}
OLDER_CODES = {"json_syntax_error": "1", "empty_required_header": "4292"}


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

    def older_body(self) -> dict[str, object]:
        """Return it in the form of the older endpoints, whose codes are numbers."""
        code = OLDER_CODES.get(self.code, self.code)
        cause = {"code": int(code) if code.isdigit() else code, "description": self.message}
        word = OLDER_WORDS.get(self.status, "error")
        return {"message": self.message, "error": word, "status": self.status, "cause": [cause]}


def bad_value(message: str, *details: str) -> ApiError:
    """Make the refusal of a value that has the right type; ``details`` names the places."""
    return ApiError(400, "property_value", message, list(details))
