"""How a customer's credential is described in the API's schema."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class CustomerScheme(OpenApiAuthenticationExtension):
    """A customer with an access token."""

    target_class = "apps.customers.authentication.CustomerAuthentication"
    name = "customer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Describe it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From `/auth/token`, 24 h."}
