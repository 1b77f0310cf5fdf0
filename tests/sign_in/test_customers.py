"""Customers sign in where staff do, and their tokens are never taken for each other."""

from datetime import timedelta

import jwt
import pytest
from django.contrib.auth.hashers import get_hasher
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from apps.core.actors import SYSTEM, Role
from apps.core.models import User
from apps.customers.services import erase_customer
from apps.stores.models import Store
from tests.customers.people import PASSWORD, Anyone, Shopper, known, with_login
from tests.factories import StaffRoleFactory, UserFactory
from tests.fixtures import Reply
from tests.sign_in.test_tokens import forged, post, without_signature

EMAIL = "maria@example.org"


def sign_in(email: str = EMAIL, password: str = PASSWORD) -> Reply:
    return post("/auth/token", {"email": email, "password": password})


def call(token: str, path: str = "/users/me") -> Reply:
    client = Anyone()
    client.client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client.get(path)


@pytest.fixture
def maria(db: None) -> Shopper:
    return Shopper(with_login(known(email=EMAIL)))


def test_customer_signs_in_for_a_day_and_the_token_names_nobody(maria: Shopper) -> None:
    told = sign_in(EMAIL.upper())

    assert (told.status, told.body["refresh"], told.body["expires_in"]) == (200, None, 24 * 60 * 60)
    claims = jwt.decode(told.body["access"], options={"verify_signature": False})
    assert claims.keys() == {"sub", "aud", "iss", "typ", "jti", "iat", "exp"}
    assert (claims["sub"], claims["typ"]) == (str(maria.customer.id), "customer")
    assert claims["exp"] - claims["iat"] == 24 * 60 * 60
    assert jwt.get_unverified_header(told.body["access"])["alg"] == "HS256"
    assert call(told.body["access"]).body["email"] == EMAIL


def test_wrong_password_unknown_and_closed_are_answered_alike_after_the_same_work(
    maria: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = type(get_hasher())
    worked: list[str] = []
    encode = hasher.encode

    def counted(self: object, password: str, salt: str) -> str:
        worked.append("encode")
        return encode(self, password, salt)

    verify = hasher.verify

    def verified(self: object, password: str, encoded: str) -> bool:
        worked.append("verify")
        return verify(self, password, encoded)

    monkeypatch.setattr(hasher, "encode", counted)
    monkeypatch.setattr(hasher, "verify", verified)
    closed = UserFactory(is_active=False)
    answers = []
    for email, password in ((EMAIL, "errada"), ("ninguem@example.org", PASSWORD), (closed.email, PASSWORD)):
        worked.clear()
        refused = sign_in(email, password)
        assert refused.code == (401, "not_authenticated")
        assert len(worked) == 1, "one slow hash, whoever it is"
        answers.append({**refused.body, "request_id": ""})
    assert answers[0] == answers[1] == answers[2]


def test_tokens_that_do_not_hold_are_refused(maria: Shopper) -> None:
    long_ago = int((timezone.now() - timedelta(hours=1)).timestamp())
    bad = {
        "none": without_signature(maria.access),
        "other key": forged(maria.access, key="k" * 40),
        "other algorithm": jwt.encode(
            jwt.decode(maria.access, options={"verify_signature": False}), "k" * 64, algorithm="HS512"
        ),
        "other audience": forged(maria.access, aud="else"),
        "other issuer": forged(maria.access, iss="https://elsewhere.example"),
        "other type": forged(maria.access, typ="pairing"),
        "over": forged(maria.access, exp=long_ago),
        "nobody's": forged(maria.access, sub="00000000-0000-7000-8000-000000000000"),
        "no id": forged(maria.access, sub="1; DROP TABLE"),
        "empty": "",
    }
    answers = {name: call(token) for name, token in bad.items()}
    assert {name: reply.code for name, reply in answers.items()} == dict.fromkeys(bad, (401, "not_authenticated"))
    assert all(reply.response["WWW-Authenticate"] for reply in answers.values())
    assert call(maria.access).status == 200


def test_token_ends_with_the_login_and_with_the_person(maria: Shopper) -> None:
    User.objects.update(is_active=False)
    assert maria.get("/users/me").code == (401, "not_authenticated")
    assert sign_in().code == (401, "not_authenticated")
    User.objects.update(is_active=True)
    assert maria.get("/users/me").status == 200

    erase_customer(customer_id=maria.customer.id, by=SYSTEM, at=timezone.now())

    assert maria.get("/users/me").code == (401, "not_authenticated")
    assert sign_in().code == (401, "not_authenticated")


STAFF_ONLY = (
    ("GET", "/users/cpf/52998224725"),
    ("POST", "/users/lookup"),
    ("PATCH", "/orders/00000000-0000-7000-8000-000000000000/status"),
    ("POST", "/orders/00000000-0000-7000-8000-000000000000/recall"),
    ("POST", "/payments/00000000-0000-7000-8000-000000000000/confirm"),
    ("POST", "/products"),
    ("GET", "/inventory/items"),
    ("POST", "/devices/heartbeat"),
)


@pytest.mark.parametrize(("method", "path"), STAFF_ONLY)
def test_customer_is_not_staff(method: str, path: str, maria: Shopper) -> None:
    assert maria.send(method, path, {}).code == (403, "permission_denied")


@pytest.mark.parametrize("typ", [None, "access", "refresh"])
def test_customer_token_dressed_up_is_no_staff_token(typ: str | None, maria: Shopper, store: Store) -> None:
    StaffRoleFactory(user=UserFactory(), store=store, role=Role.OWNER)
    token = maria.access if typ is None else forged(maria.access, typ=typ)

    assert call(token, "/inventory/items").status in (401, 403)


def test_staff_token_is_no_customer(store: Store) -> None:
    role = StaffRoleFactory(store=store, role=Role.OWNER)

    assert call(str(AccessToken.for_user(role.user))).code == (403, "permission_denied")
    assert call(str(RefreshToken.for_user(role.user))).code == (401, "not_authenticated")


def test_account_of_both_signs_in_as_staff(maria: Shopper, store: Store) -> None:
    StaffRoleFactory(user=User.objects.get(email=EMAIL), store=store, role=Role.CASHIER)

    told = sign_in()

    assert told.body["refresh"] is not None
    assert call(told.body["access"], "/orders").status == 200
    assert call(told.body["access"]).code == (403, "permission_denied")


def test_refresh_is_not_for_customers(maria: Shopper) -> None:
    assert post("/auth/token/refresh", {"refresh": maria.access}).code == (401, "not_authenticated")
