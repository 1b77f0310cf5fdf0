"""What clients may send about customers."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from apps.core.facade import StrictCharField, StrictSerializer
from apps.customers.rules import Document, Purpose, clean_text, parse_document, parse_phone
from apps.customers.services import ProfileChange, Registration


class DocumentField(StrictCharField):
    """A CPF or CNPJ with or without punctuation; becomes a ``Document``."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse wrong check digits."""
        document = parse_document(super().to_internal_value(data))
        if document is None:
            raise serializers.ValidationError("Confira o CPF ou CNPJ.", code="invalid")
        return document


class PhoneField(StrictCharField):
    """A Brazilian phone as people write it; becomes E.164."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what cannot be dialled."""
        phone = parse_phone(super().to_internal_value(data))
        if phone is None:
            raise serializers.ValidationError("Informe o telefone com DDD.", code="invalid")
        return phone


class LineField(StrictCharField):
    """One line of text for people, without hidden characters."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse control and direction characters."""
        text = clean_text(super().to_internal_value(data))
        if text is None:
            raise serializers.ValidationError("Use apenas letras visíveis.", code="invalid")
        return text


class EmailTextField(serializers.EmailField):
    """An e-mail address; becomes lower case."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse anything but a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data)).lower()


class RegisterSerializer(StrictSerializer):
    """Who wants to be known, and what they allow; what is not listed in ``consents`` is not allowed."""

    name = LineField(max_length=120)
    cpf = DocumentField(required=False)
    email = EmailTextField(required=False, max_length=254)
    phone = PhoneField(required=False, max_length=30)
    address = LineField(required=False, max_length=300)
    password = StrictCharField(required=False, max_length=128, trim_whitespace=False)
    consents = serializers.ListField(
        child=serializers.ChoiceField(choices=[purpose.value for purpose in Purpose]),
        default=list,
        max_length=len(Purpose),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check what only several fields together say."""
        if not attrs.keys() & {"cpf", "email", "phone"}:
            raise serializers.ValidationError("Informe CPF, e-mail ou telefone.", code="contact_required")
        if "password" in attrs:
            if "email" not in attrs:
                raise serializers.ValidationError({"email": "Para ter senha, informe o e-mail."}, code="required")
            try:
                validate_password(attrs["password"])
            except DjangoValidationError as problem:
                raise serializers.ValidationError({"password": problem.messages}, code="weak") from None
        return attrs

    def registration(self) -> Registration:
        """Return what was told, checked."""
        told = self.validated_data
        return Registration(
            name=told["name"],
            document=told.get("cpf"),
            email=told.get("email", ""),
            phone=told.get("phone", ""),
            address=told.get("address", ""),
            password=told.get("password"),
            consents=frozenset(Purpose(purpose) for purpose in told["consents"]),
        )


class ProfileChangeSerializer(StrictSerializer):
    """What a customer wants otherwise; what is left out stays, and ``consents`` is all they allow from now on."""

    name = LineField(required=False, max_length=120)
    phone = PhoneField(required=False, max_length=30, allow_blank=True)
    address = LineField(required=False, max_length=300, allow_blank=True)
    consents = serializers.ListField(
        child=serializers.ChoiceField(choices=[purpose.value for purpose in Purpose]),
        required=False,
        max_length=len(Purpose),
    )

    def change(self) -> ProfileChange:
        """Return what was asked for, checked."""
        told = self.validated_data
        consents = frozenset(Purpose(purpose) for purpose in told["consents"]) if "consents" in told else None
        return ProfileChange(
            name=told.get("name"), phone=told.get("phone"), address=told.get("address"), consents=consents
        )


class ClaimSerializer(StrictSerializer):
    """The token a registration answered, and the code that was sent to the customer."""

    claim = StrictCharField(max_length=64)
    code = StrictCharField(max_length=12)


class LookupSerializer(StrictSerializer):
    """A CPF or CNPJ typed on a kiosk."""

    cpf = DocumentField()

    def document(self) -> Document:
        """Return it, checked."""
        document: Document = self.validated_data["cpf"]
        return document
