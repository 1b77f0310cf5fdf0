"""What the API's schema says of every operation alike: how it refuses."""

from typing import Any

from apps.core.answers import REFUSALS
from apps.core.errors import DomainError
from apps.core.problems import CODES, PROBLEM_JSON
from breadmate.docs import subclasses

PROBLEM = {"$ref": "#/components/schemas/Problem"}
RETRY_LATER = (429, 503)
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
TEXT = {"type": "string"}


def tell_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of each operation with which codes it refuses, by status; a postprocessing hook of drf-spectacular."""
    status_of = {code: status for status, code in CODES.items()} | {
        cls.code: cls.status for cls in subclasses(DomainError)
    }
    result["components"]["schemas"]["Problem"] = problem_schema()
    for path, methods in result["paths"].items():
        for operation in methods.values():
            named: dict[int, set[str]] = {}
            for code in [*codes_of_all(path, operation), *operation.pop(REFUSALS, ())]:
                named.setdefault(status_of[code], set()).add(code)
            for status, codes in sorted(named.items()):
                operation["responses"][str(status)] = {
                    "description": ", ".join(f"`{code}`" for code in sorted(codes)),
                    "content": {PROBLEM_JSON: {"schema": PROBLEM}},
                    **({"headers": RETRY_AFTER} if status in RETRY_LATER else {}),
                }
    return result


def codes_of_all(path: str, operation: dict[str, Any]) -> list[str]:
    """Return what follows from an operation's form: that it asks for a credential, reads a body, names a thing in its path."""
    codes = ["invalid", "database_unavailable", "overloaded"]
    if operation.get("security") != [{}]:
        codes += ["not_authenticated", "permission_denied"]
    if "requestBody" in operation:
        codes += ["incomplete_body", "too_large", "unsupported_media_type"]
    if "{" in path:
        codes += ["not_found"]
    return codes


def problem_schema() -> dict[str, Any]:
    """Describe every refusal (RFC 9457); what only some codes carry is not required."""
    error = {
        "field": TEXT | {"description": "Where in the body, e.g. `items[0].quantity`."},
        "code": TEXT,
        "detail": TEXT,
        "product": TEXT | {"format": "uuid", "description": "With `item_unavailable` and `out_of_stock`."},
        "available": {"type": "integer", "description": "With `out_of_stock`: what is left, in units of the product."},
    }
    always = {
        "type": TEXT | {"format": "uri"},
        "title": TEXT | {"description": "For people, in Brazilian Portuguese."},
        "status": {"type": "integer"},
        "detail": TEXT | {"description": "For people, in Brazilian Portuguese."},
        "code": TEXT | {"description": "Stable; docs/errors.md says when each comes."},
        "request_id": TEXT,
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": error, "required": ["field", "code", "detail"]},
        },
    }
    sometimes = {
        "legal": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/OrderStatusEnum"},
            "description": "With `invalid_transition`: the steps an order has from here.",
        },
        "quote": {
            "allOf": [{"$ref": "#/components/schemas/Quote"}],
            "description": "With `price_changed`: what the cart costs now.",
        },
        "opens_at": TEXT
        | {"format": "date-time", "nullable": True, "description": "With `store_closed`; null when nobody knows."},
        "left": TEXT | {"format": "decimal", "description": "With `refund_exceeds`: what could still go back."},
    }
    return {
        "type": "object",
        "description": "A refusal (RFC 9457); `application/problem+json`.",
        "properties": always | sometimes,
        "required": list(always),
    }
