"""Every change of a customer, and every look at one that has to leave a trace."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import F, Q

from apps.contracts.events import UserChanged, UserErased, UserRegistered, UserRegistrationRepeated
from apps.core.facade import Actor, new_id, publish, trail
from apps.customers import crypto, queries
from apps.customers.errors import ClaimRefusedError, CustomerNotFoundError
from apps.customers.models import AccountClaim, Bytes, Consent, Customer, CustomerRead, LookupTicket
from apps.customers.queries import CustomerRef
from apps.customers.rules import Document, Purpose, Source, parse_document
from apps.stores.facade import actor_names

TOKEN_BYTES = 24  # 192 bits
TICKET_LIFE = timedelta(minutes=10)
CLAIM_LIFE = timedelta(minutes=30)
CODE_DIGITS = 6
MOST_TRIES = 5
MOST_CODES_AN_HOUR = 5
AN_HOUR = timedelta(hours=1)
KEPT_AFTER_EXPIRY = timedelta(hours=1)
AUDITED_AS = {CustomerRead.EXPORT: "customers.exported", CustomerRead.ERASE: "customers.erased"}

CONSENT_OF_THE_NEW = """
    INSERT INTO customers_consent (id, customer_id, purpose, granted, at, source)
    SELECT asked.id, customer.id, asked.purpose, true, %(at)s, %(source)s
    FROM unnest(%(ids)s::uuid[], %(purposes)s::text[]) AS asked (id, purpose)
    JOIN customers_customer customer ON customer.id = %(new)s
"""


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody tells about themselves; checked and normalised."""

    name: str
    document: Document | None = None
    email: str = ""
    phone: str = ""
    address: str = ""
    password: str | None = field(default=None, repr=False)
    consents: frozenset[Purpose] = frozenset()


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What a customer wants otherwise; None leaves it. ``consents`` is all they allow from now on."""

    name: str | None = None
    phone: str | None = None
    address: str | None = None
    consents: frozenset[Purpose] | None = None


@dataclass(frozen=True, slots=True)
class ClaimCode:
    """A code to be sent, and where to; the code itself is kept nowhere."""

    customer_id: UUID
    email: str
    phone: str
    code: str = field(repr=False)


def hashed(secret: str) -> bytes:
    """Return what is kept of a random token; it has too much entropy to need a slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def register_customer(*, told: Registration, source: Source, store_id: UUID | None, at: datetime) -> str | None:
    """Register a customer, or do the same work for one whose CPF or e-mail is known already, and change nothing of theirs.

    Returns:
        The token of the account claim when a password was given: with the code that is sent to the customer it becomes a
        login. None without a password. Neither tells whether the customer was known.

    Locks: the customer rows with this CPF or e-mail, until commit; a rival registering the same waits.
    Emits: ``UserRegistered``, or ``UserRegistrationRepeated`` for a known customer.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    password = make_password(told.password) if told.password is not None else None
    with transaction.atomic():
        customer_id, is_new, version = _inserted(told, at)
        _insert_consents(told.consents, new_id_=customer_id if is_new else new_id(), source=source, at=at)
        claim = _insert_claim(customer_id, token, password, at)
        news = UserRegistered if is_new else UserRegistrationRepeated
        publish(news(subject=customer_id, store=store_id, seq=version, at=at, claim=claim))
    return token if claim else None


@transaction.atomic
def issue_ticket(*, document: Document, device_id: UUID, at: datetime) -> str:
    """Return a ticket for a CPF typed on a device, known or not: ten minutes, that device, one checkout.

    Known and unknown take the same statements, so neither the answer nor its time tells them apart.

    Locks: the customer row, until commit, so that no ticket of somebody who is being erased is left behind.
    """
    customer = queries.by_document(document, lock=True)
    token, ticket_id = secrets.token_urlsafe(TOKEN_BYTES), new_id()
    LookupTicket.objects.create(
        id=ticket_id,
        token_hash=hashed(token),
        customer_id=customer.id if customer else None,
        device_id=device_id,
        cpf_cipher=crypto.seal(document.number, row=ticket_id),
        created_at=at,
        expires_at=at + TICKET_LIFE,
    )
    return token


@transaction.atomic
def redeem_ticket(*, token: str, device_id: UUID | None, at: datetime) -> CustomerRef | None:
    """Use a ticket up and return whom it stands for; None when it is unknown, used, expired or another device's.

    Called in the transaction of the checkout: when that is refused, the ticket may be used again.

    Locks: the customer row, then the ticket row, until commit, in the order of ``erase_customer``.
    """
    if device_id is None:
        return None
    valid = LookupTicket.objects.filter(token_hash=hashed(token), device_id=device_id, used_at=None)
    valid = valid.filter(created_at__lte=at, expires_at__gt=at)
    theirs = Customer.objects.filter(id__in=valid.values("customer_id"))
    list(theirs.select_for_update(no_key=True).values_list("id"))
    ticket = valid.select_for_update().first()
    if ticket is None:
        return None
    ticket.used_at = at
    ticket.save(update_fields=["used_at"])
    document = parse_document(crypto.open_sealed(bytes(ticket.cpf_cipher), row=ticket.id))
    return CustomerRef(id=ticket.customer_id, document=document) if document else None


def look_up_customer(*, document: Document, by: Actor, at: datetime, act: str = CustomerRead.LOOKUP) -> Customer:
    """Find a customer by CPF for a member of staff, and write down that it was done.

    Raises:
        CustomerNotFoundError: nobody has this CPF; the attempt is written down all the same, as no transaction is open here.
    """
    customer = queries.by_document(document)
    _record_read(customer, act, by, at)
    return _found(customer)


@transaction.atomic
def export_customer(*, customer_id: UUID, by: Actor, at: datetime) -> dict[str, Any]:
    """Return everything held about a customer, and write down who asked for it.

    Raises:
        CustomerNotFoundError: no such customer.

    Locks: nothing but the row it makes.
    """
    customer = _found(Customer.objects.filter(id=customer_id).select_related("user").first())
    _record_read(customer, CustomerRead.EXPORT, by, at)
    return queries.held_about(customer)


@transaction.atomic
def change_profile(*, customer_id: UUID, change: ProfileChange, source: Source, at: datetime) -> None:
    """Change what a customer told about themselves and what they allow. What stays the same is not written, nor told of.

    E-mail and CPF are not changed here: both are what a customer is found by, and need a proof first.

    Raises:
        CustomerNotFoundError: no such customer, or erased.

    Locks: the customer row, until commit. Emits: ``UserChanged``.
    """
    customer = _found(Customer.objects.select_for_update(no_key=True).filter(id=customer_id, erased_at=None).first())
    told = {"name": change.name, "phone": change.phone, "address": change.address}
    new = {name: value for name, value in told.items() if value is not None and value != getattr(customer, name)}
    turned: frozenset[Purpose] = frozenset()
    if change.consents is not None:
        turned = change.consents ^ queries.granted_purposes(customer.id)
        Consent.objects.bulk_create(
            Consent(customer=customer, purpose=purpose, granted=purpose in change.consents, at=at, source=source)
            for purpose in sorted(turned)
        )
    if not new and not turned:
        return
    for name, value in new.items():
        setattr(customer, name, value)
    customer.version += 1
    customer.save(update_fields=[*new, "version"])
    publish(UserChanged(subject=customer.id, store=None, seq=customer.version, at=at))


@transaction.atomic
def erase_customer(*, customer_id: UUID, by: Actor, at: datetime) -> None:
    """Erase a person: name, addresses, CPF, tickets, claims and login are gone; a tombstone keeps what refers to it whole.

    Consents stay, without anything personal, each taken back. Repeating it changes nothing and emits nothing.

    Raises:
        CustomerNotFoundError: no such customer.

    Locks: the customer row, until commit. Emits: ``UserErased``.
    """
    customer = _found(Customer.objects.select_for_update().filter(id=customer_id).first())
    if customer.erased_at is not None:
        return
    account_id = customer.user_id
    withdrawn = sorted(queries.granted_purposes(customer.id))
    customer.name = customer.email = customer.phone = customer.address = customer.kind = ""
    customer.cpf_cipher = customer.cpf_index = customer.user = None
    customer.erased_at = max(at, customer.created_at)
    customer.version += 1
    customer.save()
    LookupTicket.objects.filter(customer=customer).delete()
    AccountClaim.objects.filter(customer=customer).delete()
    if account_id is not None:
        _delete_account(account_id)
    Consent.objects.bulk_create(
        Consent(customer=customer, purpose=purpose, granted=False, at=at, source=Source.ERASURE)
        for purpose in withdrawn
    )
    _record_read(customer, CustomerRead.ERASE, by, at)
    publish(UserErased(subject=customer.id, store=None, seq=customer.version, at=at))


@transaction.atomic
def issue_claim_code(*, claim_id: UUID, at: datetime) -> ClaimCode | None:
    """Return a new code for an account claim, to be sent to the customer's own addresses; an earlier one is void.

    None when there is nothing to send: used or expired, the customer has no address, or was sent enough codes this hour.

    Locks: the claim row, until commit.
    """
    waiting = AccountClaim.objects.filter(id=claim_id, used_at=None, expires_at__gt=at, tries__lt=MOST_TRIES)
    claim = waiting.select_for_update(of=("self",)).select_related("customer").first()
    if claim is None or not (claim.customer.email or claim.customer.phone):
        return None
    others = AccountClaim.objects.filter(customer=claim.customer, created_at__gt=at - AN_HOUR).exclude(id=claim_id)
    if others.filter(code_hash__isnull=False).count() >= MOST_CODES_AN_HOUR:
        return None
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    claim.code_hash = _hashed_code(claim, code)
    claim.save(update_fields=["code_hash"])
    return ClaimCode(customer_id=claim.customer_id, email=claim.customer.email, phone=claim.customer.phone, code=code)


def claim_account(*, token: str, code: str, at: datetime) -> UUID:
    """Make the login that a registration asked for, once its code has come back; return the customer.

    An e-mail that already signs in as staff keeps its password; a customer's own gets the new one.

    Raises:
        ClaimRefusedError: wrong, used or expired; five wrong codes end a claim.

    Locks: the claim row, then the customer row, until commit.
    """
    with transaction.atomic():
        customer_id = _try_claim(token, code, at)
    if customer_id is None:
        raise ClaimRefusedError
    return customer_id


def renew_ciphers(*, most: int) -> int:
    """Seal values again that are not under the current key; return how many were. Call until it returns 0.

    Locks: each batch of customer rows until it is done; rows somebody else holds are left for the next call.
    """
    current = crypto.current_key_id()
    stale = Customer.objects.filter(cpf_cipher__isnull=False).annotate(key_id=_KeyId(F("cpf_cipher")))
    with transaction.atomic():
        rows = list(stale.exclude(key_id=current).order_by("id").select_for_update(skip_locked=True)[:most])
        for customer in rows:
            number = crypto.open_sealed(bytes(customer.cpf_cipher or b""), row=customer.id)
            customer.cpf_cipher = crypto.seal(number, row=customer.id)
        Customer.objects.bulk_update(rows, ["cpf_cipher"])
    return len(rows)


def purge(*, at: datetime) -> int:
    """Delete tickets and claims that ended more than an hour ago; return how many. For the engine's chores."""
    ended = Q(expires_at__lt=at - KEPT_AFTER_EXPIRY)
    tickets, _ = LookupTicket.objects.filter(ended).delete()
    claims, _ = AccountClaim.objects.filter(ended).delete()
    return tickets + claims


class _KeyId(Bytes):
    """The id of the key a value is sealed with: its first byte."""

    function = "get_byte"
    template = "%(function)s(%(expressions)s, 0)"


def _inserted(told: Registration, at: datetime) -> tuple[UUID, bool, int]:
    """Insert a customer unless their CPF or e-mail is taken; return whose row it is now, whether it is new, its version."""
    row = Customer(id=new_id(), name=told.name, email=told.email, phone=told.phone, address=told.address, created_at=at)
    index = None
    if told.document is not None:
        row.kind = told.document.kind
        row.cpf_cipher = crypto.seal(told.document.number, row=row.id)
        row.cpf_index = index = crypto.index_of(told.document.number)
    Customer.objects.bulk_create([row], ignore_conflicts=True)
    same = Q(id=row.id)
    if index is not None:
        same |= Q(cpf_index=index)
    if told.email:
        same |= Q(email=told.email)
    rows = Customer.objects.filter(same).order_by("cpf_index").select_for_update(no_key=True)
    found = list(rows.values_list("id", "version", "cpf_index")[:2])
    if not found:
        return _inserted(told, at)  # the known one was erased between the two statements
    customer_id, version, _ = next((one for one in found if one[2] is not None and one[2] == index), found[0])
    return customer_id, customer_id == row.id, version


def _insert_consents(purposes: frozenset[Purpose], *, new_id_: UUID, source: Source, at: datetime) -> None:
    """Insert consents of a new customer; of an unknown id, as a known customer is given here, nothing comes of it."""
    names = sorted(purpose.value for purpose in purposes)
    with connection.cursor() as cursor:
        cursor.execute(
            CONSENT_OF_THE_NEW,
            {
                "ids": [new_id() for _ in names],
                "purposes": names,
                "new": new_id_,
                "at": at,
                "source": source.value,
            },
        )


def _insert_claim(customer_id: UUID, token: str, password: str | None, at: datetime) -> UUID | None:
    if password is None:
        return None
    claim = AccountClaim.objects.create(
        customer_id=customer_id,
        token_hash=hashed(token),
        password_hash=password,
        created_at=at,
        expires_at=at + CLAIM_LIFE,
    )
    return claim.id


def _try_claim(token: str, code: str, at: datetime) -> UUID | None:
    waiting = AccountClaim.objects.filter(
        token_hash=hashed(token), used_at=None, expires_at__gt=at, tries__lt=MOST_TRIES, code_hash__isnull=False
    )
    claim = waiting.select_for_update().first()
    if claim is None:
        return None
    customer = Customer.objects.select_for_update().get(id=claim.customer_id)
    right = secrets.compare_digest(bytes(claim.code_hash or b""), _hashed_code(claim, code))
    if not right or not _may_sign_in(customer):
        claim.tries += 1
        claim.save(update_fields=["tries"])
        return None
    claim.used_at = at
    claim.save(update_fields=["used_at"])
    _link_account(customer, claim.password_hash)
    return customer.id


def _may_sign_in(customer: Customer) -> bool:
    """Tell whether the customer's e-mail can be a login: there is one, and it is not another customer's."""
    others = Customer.objects.exclude(id=customer.id).filter(user__email=customer.email)
    return bool(customer.email) and not others.exists()


def _link_account(customer: Customer, password_hash: str) -> None:
    accounts = get_user_model().objects
    account = customer.user or accounts.filter(email=customer.email).first()
    if account is None:
        account = accounts.create_user(customer.email, None, name=customer.name)
    if not _is_staff(account):
        account.password = password_hash
        account.save(update_fields=["password"])
    customer.user = account
    customer.version += 1
    customer.save(update_fields=["user", "version"])


def _delete_account(account_id: UUID) -> None:
    """Delete the login of a customer; one of the staff keeps it, it belongs to their work."""
    account = get_user_model().objects.filter(id=account_id).first()
    if account is not None and not _is_staff(account):
        account.delete()


def _is_staff(account: Any) -> bool:
    return bool(account.is_staff or account.is_superuser or actor_names(staff={account.pk}, devices=set()))


def _hashed_code(claim: AccountClaim, code: str) -> bytes:
    """Return what is kept of a code: short as it is, useless without our key."""
    return crypto.index_of(f"claim {claim.id} {code}")


def _record_read(customer: Customer | None, act: str, by: Actor, at: datetime) -> None:
    CustomerRead.objects.create(customer=customer, act=act, actor_kind=by.kind, actor_id=by.id, at=at)
    if act in AUDITED_AS:
        trail.record(by=by, action=AUDITED_AS[act], at=at, subject=customer)


def _found(customer: Customer | None) -> Customer:
    if customer is None:
        raise CustomerNotFoundError
    return customer
