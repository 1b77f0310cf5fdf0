"""What is held about somebody, and how it goes."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from apps.core.actors import SYSTEM, Actor, Role
from apps.core.models import StoredEvent
from apps.customers import facade, services
from apps.customers.errors import CustomerNotFoundError
from apps.customers.models import AccountClaim, Consent, Customer, CustomerRead, LookupTicket
from apps.customers.queries import by_document, granted_purposes
from apps.customers.rules import Purpose
from apps.stores.models import StaffRole
from tests.customers.people import CPF, CPF_DIGITS, PASSWORD, document, known, new_cpf
from tests.factories import StaffRoleFactory, UserFactory, staff
from tests.fixtures import Screen, broken_rules

pytestmark = pytest.mark.django_db
EMAIL, PHONE, NAME, STREET = "maria@example.org", "+5511987651234", "Maria das Dores", "Rua do Forno, 7"
OWNER = staff(Role.OWNER, None)
OUR_TABLES = [
    *("customers_customer", "customers_consent", "customers_lookupticket", "customers_accountclaim"),
    *("customers_customerread", "core_storedevent", "core_user"),
]


def maria() -> Customer:
    return known(
        CPF,
        name=NAME,
        email=EMAIL,
        phone=PHONE,
        address=STREET,
        password=PASSWORD,
        consents=frozenset({Purpose.LOYALTY, Purpose.RECEIPT}),
    )


def with_account(customer: Customer) -> Customer:
    user = get_user_model().objects.create_user(EMAIL, PASSWORD, name=NAME)
    Customer.objects.filter(id=customer.id).update(user=user)
    customer.refresh_from_db()
    return customer


def dump() -> str:
    """Every row of our tables as a backup would hold it."""
    texts = []
    with connection.cursor() as cursor:
        for table in OUR_TABLES:
            with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:
                texts += [bytes(block).decode() for block in copy]
    return "\n".join(texts)


def test_backup_holds_no_cpf_in_any_spelling(kiosk: Screen) -> None:
    maria()
    services.issue_ticket(document=document(), device_id=kiosk.device.id, at=timezone.now())
    kept = dump().lower()
    for spelling in (CPF_DIGITS, CPF, CPF_DIGITS.encode().hex(), CPF.encode().hex(), CPF_DIGITS[:9]):
        assert spelling not in kept
    import hashlib  # noqa: PLC0415

    for name in ("md5", "sha1", "sha256"):
        assert hashlib.new(name, CPF_DIGITS.encode()).hexdigest() not in kept
    assert EMAIL in kept  # the dump does hold what was told


def test_export_holds_everything_and_says_who_asked() -> None:
    customer = with_account(maria())
    held = facade.export_customer(customer_id=customer.id, by=OWNER, at=timezone.now())
    assert json.loads(json.dumps(held)) == held
    assert {name: held[name] for name in ("id", "name", "email", "phone", "address")} == {
        "id": str(customer.id),
        "name": NAME,
        "email": EMAIL,
        "phone": PHONE,
        "address": STREET,
    }
    assert held["document"] == {"kind": "cpf", "number": CPF_DIGITS}
    assert held["account"]["email"] == EMAIL
    assert [(one["purpose"], one["granted"], one["source"]) for one in held["consents"]] == [
        ("loyalty", True, "web"),
        ("receipt", True, "web"),
    ]
    assert [read["act"] for read in held["reads"]] == ["export"]
    read = CustomerRead.objects.get()
    assert (read.customer, read.act, read.actor_kind, read.actor_id) == (customer, "export", "staff", OWNER.id)


def test_export_covers_every_column_that_is_held() -> None:
    """A new column must either be exported or be named here as saying nothing of the person."""
    held = facade.export_customer(customer_id=maria().id, by=OWNER, at=timezone.now())
    ours = {"user": "account", "kind": "document", "cpf_cipher": "document", "cpf_index": "document"}
    columns = {ours.get(field.name, field.name) for field in Customer._meta.concrete_fields}
    assert columns - held.keys() == {"version"}


def test_erased_person_leaves_no_trace(kiosk: Screen) -> None:
    customer = with_account(maria())
    now = timezone.now()
    token = services.issue_ticket(document=document(), device_id=kiosk.device.id, at=now)
    before = dump()
    assert all(value in before for value in (EMAIL, PHONE, NAME, STREET))

    facade.erase_customer(customer_id=customer.id, by=OWNER, at=now)

    after = dump()
    for value in (EMAIL, PHONE, NAME, STREET, "Maria", CPF_DIGITS):
        assert value not in after
    assert bytes(customer.cpf_index or b"").hex() not in after
    assert bytes(customer.cpf_cipher or b"").hex() not in after
    customer.refresh_from_db()
    assert (customer.name, customer.email, customer.phone, customer.address, customer.kind) == ("",) * 5
    assert (customer.cpf_cipher, customer.cpf_index, customer.user) == (None, None, None)
    assert customer.erased_at == now
    assert by_document(document()) is None
    assert facade.redeem_ticket(token=token, device_id=kiosk.device.id, at=now) is None
    assert not LookupTicket.objects.filter(customer=customer).exists()
    assert not AccountClaim.objects.exists()
    assert not get_user_model().objects.filter(email=EMAIL).exists()
    assert facade.customer_label(customer.id) == "Cliente removido"
    event = StoredEvent.objects.order_by("-id")[0]
    assert (event.type, event.subject_id, event.seq, event.payload) == ("user.erased", customer.id, 2, {})
    assert "D2" not in broken_rules()


def test_consents_of_the_erased_stay_and_are_taken_back() -> None:
    customer = maria()
    facade.erase_customer(customer_id=customer.id, by=SYSTEM, at=timezone.now())
    consents = Consent.objects.filter(customer=customer).order_by("at", "purpose")
    assert [(one.purpose, one.granted, one.source) for one in consents] == [
        ("loyalty", True, "web"),
        ("receipt", True, "web"),
        ("loyalty", False, "erasure"),
        ("receipt", False, "erasure"),
    ]
    assert granted_purposes(customer.id) == frozenset()


def test_erasing_again_changes_nothing() -> None:
    customer, now = maria(), timezone.now()
    facade.erase_customer(customer_id=customer.id, by=OWNER, at=now)
    before, events = dump(), StoredEvent.objects.count()
    facade.erase_customer(customer_id=customer.id, by=OWNER, at=now + timedelta(days=1))
    assert (dump(), StoredEvent.objects.count()) == (before, events)


def test_other_people_stay() -> None:
    customer, other = maria(), known(new_cpf(), name="Ana", email="ana@example.org")
    facade.erase_customer(customer_id=customer.id, by=OWNER, at=timezone.now())
    assert Customer.objects.filter(id=other.id).values().get()["email"] == "ana@example.org"
    assert granted_purposes(other.id) == {Purpose.LOYALTY}


@pytest.mark.parametrize("is_staff", [True, False])
def test_login_of_somebody_who_works_here_stays(*, is_staff: bool) -> None:
    customer = maria()
    role = StaffRoleFactory(user=UserFactory(email=EMAIL, is_staff=is_staff), role=Role.KITCHEN)
    Customer.objects.filter(id=customer.id).update(user=role.user)
    facade.erase_customer(customer_id=customer.id, by=OWNER, at=timezone.now())
    assert StaffRole.objects.get().user == role.user
    assert Customer.objects.get().user is None


def test_erased_person_may_come_back_as_a_new_customer() -> None:
    customer = maria()
    facade.erase_customer(customer_id=customer.id, by=OWNER, at=timezone.now())
    assert maria().id != customer.id


@pytest.mark.parametrize("work", [facade.export_customer, facade.erase_customer])
def test_nobody_is_nobody(work: object) -> None:
    with pytest.raises(CustomerNotFoundError):
        work(customer_id=OWNER.id, by=OWNER, at=timezone.now())  # type: ignore[operator]


def test_label_is_a_first_name_or_a_masked_cpf() -> None:
    assert facade.customer_label(maria().id) == "Maria"
    assert facade.customer_label(known("123.456.789-09", name="").id) == "***.456.789-**"


def test_invariant_sees_what_is_left_of_the_erased(kiosk: Screen) -> None:
    customer = maria()
    facade.erase_customer(customer_id=customer.id, by=OWNER, at=timezone.now())
    services.issue_ticket(document=document(), device_id=kiosk.device.id, at=timezone.now())
    assert "D2" not in broken_rules()
    LookupTicket.objects.update(customer=customer)
    assert broken_rules()["D2"] == [f"{customer.id} ticket"]


@pytest.mark.parametrize(
    "values",
    [
        *({"email": "MARIA@example.org"}, {"phone": "11987651234"}, {"kind": "rg"}, {"kind": ""}, {"cpf_index": None}),
        *({"cpf_cipher": b"12345678909"}, {"cpf_index": b"short"}, {"version": 0}, {"erased_at": timezone.now()}),
        {"email": "", "phone": "", "kind": "", "cpf_index": None, "cpf_cipher": None},
    ],
    ids=" ".join,
)
def test_database_refuses_a_broken_customer(values: dict[str, object]) -> None:
    customer = maria()
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(id=customer.id).update(**values)


@pytest.mark.parametrize("field", ["email", "cpf_index"])
def test_database_refuses_a_second_customer_with_the_same(field: str) -> None:
    customer, other = maria(), known(new_cpf(), email="ana@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(id=other.id).update(**{field: getattr(customer, field)})


@pytest.mark.parametrize("model", [Consent, CustomerRead])
@pytest.mark.parametrize("statement", ["UPDATE {table} SET at = now()", "DELETE FROM {table}", "TRUNCATE {table}"])
def test_history_is_never_changed(model: type[Model], statement: str) -> None:
    customer = maria()
    facade.export_customer(customer_id=customer.id, by=OWNER, at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing of the test's own is in the way of TRUNCATE
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            cursor.execute(statement.format(table=model._meta.db_table))
    assert model._default_manager.exists()


def test_renewing_brings_every_cpf_under_the_current_key(settings: object) -> None:
    from tests.customers.test_crypto import key  # noqa: PLC0415

    settings.CUSTOMER_KEYS = f"1:{key('a')}"  # type: ignore[attr-defined]
    people = [known(new_cpf()) for _ in range(5)]
    numbers = [services.queries.document_of(person) for person in people]
    settings.CUSTOMER_KEYS = f"2:{key('b')},1:{key('a')}"  # type: ignore[attr-defined]
    newest = known(new_cpf())

    assert [services.renew_ciphers(most=3) for _ in range(3)] == [3, 2, 0]

    settings.CUSTOMER_KEYS = f"2:{key('b')}"  # type: ignore[attr-defined]
    assert [services.queries.document_of(Customer.objects.get(id=person.id)) for person in people] == numbers
    assert bytes(Customer.objects.get(id=newest.id).cpf_cipher or b"") == bytes(newest.cpf_cipher or b"")


def test_actor_of_the_system_may_erase_for_retention() -> None:
    customer = maria()
    by: Actor = SYSTEM
    facade.erase_customer(customer_id=customer.id, by=by, at=timezone.now())
    assert CustomerRead.objects.get().actor_kind == "system"
