"""What the customers API answers, told to its schema; see ``core.answers``. ``api`` and ``queries`` build it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.facade import Shape
from apps.customers.models import SOURCES, CustomerRead
from apps.customers.rules import Kind, Purpose

PURPOSES = [purpose.value for purpose in Purpose]
DOCUMENT_KINDS = [kind.value for kind in Kind]


class Registered(Shape):
    """What was sent, masked. The same for the new and the known; ``claim`` only with a password."""

    name = serializers.CharField()
    cpf = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    consents = serializers.ListField(child=serializers.ChoiceField(choices=PURPOSES))
    claim = serializers.CharField(allow_null=True)


class Profile(Shape):
    """A customer as they see themselves; the CPF masked, it is whole only in the export."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    cpf = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    address = serializers.CharField(allow_null=True)
    consents = serializers.ListField(child=serializers.ChoiceField(choices=PURPOSES))
    created_at = serializers.DateTimeField()


class Ticket(Shape):
    """A ticket for the checkout; the same for the known and the unknown."""

    customer = serializers.CharField(help_text="Ten minutes good, at this device, for one checkout.")
    cpf = serializers.CharField(help_text="Masked.")


class Customer(Shape):
    """A customer as staff see them."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    cpf = serializers.CharField(help_text="Masked.")
    phone = serializers.CharField(allow_null=True, help_text="Masked.")
    orders = serializers.IntegerField(allow_null=True, help_text="Null: who may see orders asks for them there.")


class HeldDocument(Shape):
    """A CPF or CNPJ in full."""

    kind = serializers.ChoiceField(choices=DOCUMENT_KINDS)
    number = serializers.CharField()


class HeldAccount(Shape):
    """A customer's login."""

    email = serializers.CharField()
    created_at = serializers.DateTimeField(allow_null=True)
    last_login = serializers.DateTimeField(allow_null=True)


class HeldConsent(Shape):
    """One yes or no."""

    purpose = serializers.ChoiceField(choices=PURPOSES)
    granted = serializers.BooleanField()
    at = serializers.DateTimeField()
    source = serializers.ChoiceField(choices=SOURCES)  # type: ignore[assignment]  # taken off the class by its metaclass


class HeldRead(Shape):
    """Somebody looked the customer up, exported or erased them."""

    act = serializers.ChoiceField(choices=CustomerRead.ACTS)
    by = serializers.CharField(help_text="What kind of caller.")
    at = serializers.DateTimeField()


# Orders stand above customers and hand in what they hold; here only the name of their shape is known.
@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/Order"}})
class OrdersField(serializers.Field[Any, Any, Any, Any]):
    """Orders as their customer sees them."""


class Held(Shape):
    """Everything held about a customer."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    address = serializers.CharField()
    document = HeldDocument(allow_null=True)
    created_at = serializers.DateTimeField()
    erased_at = serializers.DateTimeField(allow_null=True)
    account = HeldAccount(allow_null=True)
    consents = HeldConsent(many=True)
    reads = HeldRead(many=True)
    orders = OrdersField()
