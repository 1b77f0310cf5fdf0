"""What views cannot tell the API's schema: how every operation refuses, that one credential is enough, the live streams."""

from typing import Any

from apps.core.answers import REFUSALS
from apps.core.errors import DomainError
from apps.core.problems import CODES, PROBLEM_JSON
from breadmate.docs import subclasses

PROBLEM = {"$ref": "#/components/schemas/Problem"}
RETRY_LATER = (429, 503)
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
TEXT = {"type": "string"}
ORDER_ID = {"in": "path", "name": "order_id", "schema": TEXT | {"format": "uuid"}, "required": True}
STREAM = (
    "The first event is the whole state, then one follows every change, and `event: beat` with `now` and `version` every five"
    " seconds. Streams have a process of their own: ask the `stream_url` of an order, or follow the 307."
)


def tell_streams(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the live streams; a postprocessing hook of drf-spectacular."""
    devices: list[dict[str, list[str]]] = [{"device": []}, {"device_cookie": []}]
    result["paths"] |= {
        "/api/v1/menu/stream": {
            "get": stream(
                "watch_menu",
                "Hear of a new menu",
                "`event: menu` says its `version`.",
                tag="menu",
                security=devices,
                codes=["invalid", "not_authenticated", "database_unavailable"],
            )
        },
        "/api/v1/orders/{order_id}/stream": {
            "get": stream(
                "watch_order",
                "Follow an order",
                "`event: order` says an `OrderStatus`.",
                tag="orders",
                security=[*devices, {"customer": []}],
                codes=["invalid", "not_found", "database_unavailable"],
            )
            | {"parameters": [ORDER_ID]}
        },
    }
    return result


def stream(
    name: str, summary: str, says: str, *, tag: str, security: list[dict[str, list[str]]], codes: list[str]
) -> dict[str, Any]:
    """Describe one stream of server-sent events."""
    return {
        "operationId": name,
        "summary": summary,
        "description": f"{says} {STREAM}",
        "tags": [tag],
        "security": security,
        "responses": {
            "200": {"description": "", "content": {"text/event-stream": {"schema": TEXT}}},
            "307": {"description": "Asked of the web process.", "headers": {"Location": {"schema": TEXT}}},
            **refusals(codes),
        },
    }


def tell_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of each operation with which codes it refuses, by status; a postprocessing hook of drf-spectacular."""
    result["components"]["schemas"]["Problem"] = problem_schema()
    for path, methods in result["paths"].items():
        for operation in methods.values():
            named = operation.pop(REFUSALS, [])
            operation["responses"] |= refusals([*codes_of_all(path, operation), *named])
    return result


def tell_credentials(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say that a device's header or its cookie is enough, where drf-spectacular asks for both; a postprocessing hook."""
    for methods in result["paths"].values():
        for operation in methods.values():
            asked = operation["security"]
            operation["security"] = [{name: []} for each in asked for name in each] + [
                each for each in asked if not each
            ]
    return result


def refusals(codes: list[str]) -> dict[str, Any]:
    """Describe the answers that refuse with some codes, one a status; a code nobody refuses with is a ``KeyError``."""
    status_of = {code: status for status, code in CODES.items()}
    status_of |= {error.code: error.status for error in subclasses(DomainError)}
    by_status: dict[int, set[str]] = {}
    for code in codes:
        by_status.setdefault(status_of[code], set()).add(code)
    return {
        str(status): {
            "description": ", ".join(f"`{code}`" for code in sorted(found)),
            "content": {PROBLEM_JSON: {"schema": PROBLEM}},
            **({"headers": RETRY_AFTER} if status in RETRY_LATER else {}),
        }
        for status, found in sorted(by_status.items())
    }


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
        "example": {
            "type": "urn:breadmate:problem:not_found",
            "title": "Pedido não encontrado",
            "status": 404,
            "detail": "Este pedido não existe ou não é seu.",
            "code": "not_found",
            "request_id": "5f1c3a0e9d7b4c62",
            "errors": [],
        },
    }
