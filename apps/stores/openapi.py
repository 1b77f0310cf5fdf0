"""How the credentials of stores are described in the API's schema."""

from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from apps.stores.authentication import COOKIE, SCHEME


class DeviceScheme(OpenApiAuthenticationExtension):
    """A paired device, by header or by cookie."""

    target_class = "apps.stores.authentication.DeviceAuthentication"
    name: ClassVar[list[str]] = ["device", "device_cookie"]  # type: ignore[misc]  # a list is allowed, not typed

    def get_security_definition(self, auto_schema: AutoSchema) -> Any:
        """Describe both ways."""
        header = {"type": "apiKey", "in": "header", "name": "Authorization", "description": f"`{SCHEME} <token>`"}
        cookie = {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Writes need `X-CSRFToken` too."}
        return [header, cookie]


class IntegratorScheme(OpenApiAuthenticationExtension):
    """Another system with its key."""

    target_class = "apps.stores.authentication.IntegratorAuthentication"
    name = "integrator"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Describe it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "bmk_…", "description": "Made in the back office."}


class StaffScheme(OpenApiAuthenticationExtension):
    """A member of staff with an access token."""

    target_class = "apps.stores.authentication.BearerAuthentication"
    name = "staff"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Describe it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From `/auth/token`, 15 min."}


class StaffSessionScheme(OpenApiAuthenticationExtension):
    """A member of staff signed in to the back office."""

    target_class = "apps.stores.authentication.StaffSessionAuthentication"
    name = "staff_session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Describe it."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "Writes need `X-CSRFToken` too.",
        }
