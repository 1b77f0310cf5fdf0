"""Reading customers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.core.facade import iso
from apps.customers import crypto
from apps.customers.models import Consent, Customer, CustomerRead
from apps.customers.rules import Document, Kind, Purpose, first_name

MOST_EXPORTED = 10_000

_elsewhere: dict[str, Callable[[UUID], Any]] = {}


def tell_more(name: str, read: Callable[[UUID], Any]) -> None:
    """Set who tells one more part of what is held about a customer; called once at start, by the apps above."""
    _elsewhere[name] = read


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """Whom a redeemed ticket stands for: a known customer, or only the CPF that was typed."""

    id: UUID | None
    document: Document = field(repr=False)


def document_of(customer: Customer) -> Document | None:
    """Open a customer's CPF or CNPJ; None when they gave none."""
    if customer.cpf_cipher is None:
        return None
    number = crypto.open_sealed(bytes(customer.cpf_cipher), row=customer.id)
    return Document(kind=Kind(customer.kind), number=number)


def masked_document(customer: Customer) -> str:
    """Show a customer's CPF or CNPJ masked; empty when they gave none, dashes when no key of ours opens it."""
    try:
        document = document_of(customer)
    except crypto.UnreadableError:
        return "---"
    return document.masked if document else ""


def by_document(document: Document, *, lock: bool = False) -> Customer | None:
    """Find a customer by the blind index of their CPF or CNPJ, and hold the row until commit if asked to. One query."""
    rows = Customer.objects.select_for_update(no_key=True) if lock else Customer.objects.all()
    return rows.filter(cpf_index=crypto.index_of(document.number)).first()


def customer_label(customer_id: UUID) -> str:
    """Return how a screen may call a customer: first name, else the masked CPF. One query."""
    customer = Customer.objects.filter(id=customer_id).first()
    if customer is None or customer.erased_at is not None:
        return "Cliente removido"
    return first_name(customer.name) or masked_document(customer) or "Cliente"


def granted_purposes(customer_id: UUID) -> frozenset[Purpose]:
    """Return what a customer allows now: the newest word on each purpose. One query."""
    newest = Consent.objects.filter(customer_id=customer_id).order_by("purpose", "-at", "-id").distinct("purpose")
    return frozenset(Purpose(consent.purpose) for consent in newest if consent.granted)


def held_about(customer: Customer) -> dict[str, Any]:
    """Return everything held about a customer, their CPF in full; ready for JSON. Two queries and those of ``tell_more``."""
    document = document_of(customer)
    account = customer.user
    consents = Consent.objects.filter(customer=customer).order_by("at", "id")[:MOST_EXPORTED]
    reads = CustomerRead.objects.filter(customer=customer).order_by("at", "id")[:MOST_EXPORTED]
    return {
        "id": str(customer.id),
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "address": customer.address,
        "document": {"kind": document.kind.value, "number": document.number} if document else None,
        "created_at": iso(customer.created_at),
        "erased_at": iso(customer.erased_at),
        "account": None
        if account is None
        else {
            "email": account.get_username(),
            "created_at": iso(getattr(account, "created_at", None)),
            "last_login": iso(account.last_login),
        },
        "consents": [
            {
                "purpose": consent.purpose,
                "granted": consent.granted,
                "at": iso(consent.at),
                "source": consent.source,
            }
            for consent in consents
        ],
        "reads": [{"act": read.act, "by": read.actor_kind, "at": iso(read.at)} for read in reads],
        **{name: read(customer.id) for name, read in _elsewhere.items()},
    }


def profile_of(customer_id: UUID) -> Customer | None:
    """Return one customer who was not erased, or None. One query."""
    return Customer.objects.filter(id=customer_id, erased_at=None).first()


def customer_of_account(user_id: UUID) -> UUID | None:
    """Return whose login an account is, or None. One query."""
    return Customer.objects.filter(user_id=user_id, erased_at=None).values_list("id", flat=True).first()


def may_sign_in(customer_id: UUID) -> bool:
    """Tell whether a customer is there and their login is open. One query."""
    return Customer.objects.filter(id=customer_id, erased_at=None, user__is_active=True).exists()
