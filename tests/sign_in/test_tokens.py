"""Signing in by token."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from apps.core.actors import Role
from apps.core.models import User
from apps.stores.models import StaffRole, Store
from tests.factories import StaffRoleFactory, StoreFactory, UserFactory
from tests.fixtures import Reply

PASSWORD = "pão quentinho às seis"


@pytest.fixture
def cashier(store: Store) -> User:
    role: StaffRole = StaffRoleFactory(store=store, role=Role.CASHIER)
    role.user.set_password(PASSWORD)
    role.user.save()
    return role.user


def post(path: str, body: dict[str, Any]) -> Reply:
    return Reply(APIClient().post(f"/api/v1{path}", body, format="json"))


def sign_in(user: User, password: str = PASSWORD) -> Reply:
    return post("/auth/token", {"email": user.email.upper(), "password": password})


def orders(access: str) -> Reply:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return Reply(client.get("/api/v1/orders"))


def forged(token: str, key: str = "", **claims: Any) -> str:
    told = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode({**told, **claims}, key or settings.SECRET_KEY, algorithm="HS256")


def without_signature(token: str) -> str:
    payload = token.split(".")[1]
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    return f"{head}.{payload}."


def test_staff_work_with_the_token_they_got(cashier: User) -> None:
    told = sign_in(cashier)

    assert (told.status, told.response["Cache-Control"]) == (200, "no-store")
    claims = jwt.decode(told.body["access"], options={"verify_signature": False})
    assert claims.keys() == {"sub", "aud", "iss", "typ", "jti", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert orders(told.body["access"]).status == 200


@pytest.mark.parametrize("known", [True, False])
def test_wrong_guess_does_not_say_who_is_known(known: bool, cashier: User) -> None:
    who = cashier if known else UserFactory.build()

    refused = sign_in(who, "errada")

    assert refused.code == (401, "not_authenticated")
    assert refused.body["detail"] == "E-mail ou senha não conferem."


def test_account_without_a_role_is_not_staff(cashier: User) -> None:
    StaffRole.objects.all().delete()

    assert sign_in(cashier).code == (401, "not_authenticated")


def test_guesses_are_few_and_end_in_429(cashier: User) -> None:
    for _ in range(5):
        assert sign_in(cashier, "errada").status == 401

    refused = sign_in(cashier)
    assert refused.code == (429, "throttled")
    assert int(refused.response["Retry-After"]) > 0


def test_tokens_that_do_not_hold_are_refused(cashier: User) -> None:
    told = sign_in(cashier).body
    access = told["access"]
    long_ago = timezone.now() - timedelta(hours=1)
    bad = {
        "none": without_signature(access),
        "other key": forged(access, key="k" * 40),
        "other audience": forged(access, aud="else"),
        "other issuer": forged(access, iss="https://elsewhere.example"),
        "over": forged(access, exp=int(long_ago.timestamp())),
        "no subject": forged(access, sub="1; DROP TABLE"),
        "refresh": told["refresh"],
        "garbage": "abc",
        "empty": "",
    }

    assert {name: orders(token).code for name, token in bad.items()} == dict.fromkeys(bad, (401, "not_authenticated"))
    assert orders(access).status == 200


def test_refresh_token_works_once(cashier: User) -> None:
    first = sign_in(cashier).body

    second = post("/auth/token/refresh", {"refresh": first["refresh"]})
    assert second.status == 200
    assert orders(second.body["access"]).status == 200
    assert post("/auth/token/refresh", {"refresh": first["refresh"]}).code == (401, "not_authenticated")
    assert post("/auth/token/refresh", {"refresh": first["access"]}).code == (401, "not_authenticated")


def test_closed_account_and_lost_role_end_at_once(cashier: User) -> None:
    told = sign_in(cashier).body
    cashier.is_active = False
    cashier.save()
    assert orders(told["access"]).code == (401, "not_authenticated")
    assert post("/auth/token/refresh", {"refresh": told["refresh"]}).code == (401, "not_authenticated")

    cashier.is_active = True
    cashier.save()
    StaffRole.objects.update(role=Role.AUDITOR)
    assert orders(told["access"]).status == 200
    StaffRole.objects.all().delete()
    assert orders(told["access"]).code == (401, "not_authenticated")


def test_store_comes_from_the_role_and_not_from_the_request(cashier: User) -> None:
    StaffRole.objects.update(store=StoreFactory())

    access = str(AccessToken.for_user(cashier))

    assert orders(access).body["results"] == []
    assert RefreshToken.for_user(cashier)["sub"] == str(cashier.pk)
