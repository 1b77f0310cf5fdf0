"""From a registration with a password to a login."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from apps.core.actors import Role
from apps.core.models import StoredEvent
from apps.customers import facade
from apps.customers.errors import ClaimRefusedError
from apps.customers.models import AccountClaim, Customer
from apps.customers.rules import Source
from apps.customers.services import CLAIM_LIFE, Registration, register_customer
from tests.customers.people import CPF, PASSWORD, document, known
from tests.factories import StaffRoleFactory, UserFactory

pytestmark = pytest.mark.django_db
EMAIL = "maria@example.org"
NOW = timezone.now()


def ask(password: str = PASSWORD, email: str = EMAIL) -> tuple[str, UUID]:
    """Register with a password; return the token the registrant has and the claim the event names."""
    told = Registration(name="Maria", document=document(CPF), email=email, password=password)
    token = register_customer(told=told, source=Source.WEB, store_id=None, at=NOW)
    assert token is not None
    return token, UUID(StoredEvent.objects.order_by("-id")[0].payload["claim"])


def code_of(claim_id: UUID) -> str:
    code = facade.issue_claim_code(claim_id=claim_id, at=NOW)
    assert code is not None
    assert code.email == EMAIL
    assert code.code not in repr(code)
    return code.code


def test_code_makes_the_login() -> None:
    token, claim_id = ask()
    assert not get_user_model().objects.exists()
    customer_id = facade.claim_account(token=token, code=code_of(claim_id), at=NOW)
    user = get_user_model().objects.get()
    assert (user.email, user.is_staff, user.is_superuser) == (EMAIL, False, False)
    assert user.check_password(PASSWORD)
    assert Customer.objects.get(id=customer_id).user == user


def test_code_and_token_are_good_once_and_half_an_hour() -> None:
    token, claim_id = ask()
    code = code_of(claim_id)
    for wrong in ({"at": NOW + CLAIM_LIFE}, {"token": token + "x"}):
        with pytest.raises(ClaimRefusedError):
            facade.claim_account(**{"token": token, "code": code, "at": NOW, **wrong})
    facade.claim_account(token=token, code=code, at=NOW + CLAIM_LIFE - timedelta(seconds=1))
    with pytest.raises(ClaimRefusedError):
        facade.claim_account(token=token, code=code, at=NOW)
    assert facade.issue_claim_code(claim_id=claim_id, at=NOW) is None


def test_five_wrong_codes_end_a_claim() -> None:
    token, claim_id = ask()
    code = code_of(claim_id)
    for _ in range(5):
        with pytest.raises(ClaimRefusedError):
            facade.claim_account(token=token, code="x" + code, at=NOW)
    with pytest.raises(ClaimRefusedError):
        facade.claim_account(token=token, code=code, at=NOW)
    assert facade.issue_claim_code(claim_id=claim_id, at=NOW) is None
    assert not get_user_model().objects.exists()


def test_new_code_voids_the_one_before() -> None:
    token, claim_id = ask()
    first, second = code_of(claim_id), code_of(claim_id)
    if first != second:
        with pytest.raises(ClaimRefusedError):
            facade.claim_account(token=token, code=first, at=NOW)
    facade.claim_account(token=token, code=second, at=NOW)


def test_password_of_a_stranger_never_becomes_the_login() -> None:
    """A stranger registers Maria's data first; the code reaches only her, and works only with her own attempt."""
    their_token, their_claim = ask("senha de um estranho")
    her_token, her_claim = ask()
    her_code = code_of(her_claim)
    with pytest.raises(ClaimRefusedError):
        facade.claim_account(token=their_token, code=her_code, at=NOW)
    code_of(their_claim)
    facade.claim_account(token=her_token, code=her_code, at=NOW)
    assert get_user_model().objects.get().check_password(PASSWORD)


def test_code_goes_to_the_customers_own_address() -> None:
    known(CPF, email=EMAIL)
    _, claim_id = ask(email="estranho@example.org")
    code = facade.issue_claim_code(claim_id=claim_id, at=NOW)
    assert code is not None
    assert code.email == EMAIL


def test_customer_without_an_address_gets_no_code() -> None:
    known(CPF)
    _, claim_id = ask()
    assert facade.issue_claim_code(claim_id=claim_id, at=NOW) is None


def test_staff_keep_their_password() -> None:
    user = StaffRoleFactory(user=UserFactory(email=EMAIL, is_staff=False), role=Role.CASHIER).user
    user.set_password("a da padaria")
    user.save()
    token, claim_id = ask()
    facade.claim_account(token=token, code=code_of(claim_id), at=NOW)
    user.refresh_from_db()
    assert user.check_password("a da padaria")
    assert Customer.objects.get().user == user


def test_login_of_one_customer_is_never_given_to_another() -> None:
    token, claim_id = ask()
    owner = known(None, email="outra@example.org")
    owner.user = get_user_model().objects.create_user(EMAIL, "a dela mesma", name="Outra")
    owner.save()
    with pytest.raises(ClaimRefusedError):
        facade.claim_account(token=token, code=code_of(claim_id), at=NOW)
    assert get_user_model().objects.get().check_password("a dela mesma")


def test_codes_are_kept_only_hashed() -> None:
    token, claim_id = ask()
    code = code_of(claim_id)
    kept = repr(list(AccountClaim.objects.values()))
    assert code.encode().hex() not in kept
    assert f"'{code}'" not in kept
    assert token not in kept
    assert PASSWORD not in kept
