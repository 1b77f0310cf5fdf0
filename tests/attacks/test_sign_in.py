"""Guessing passwords, and credentials that are not what they say."""

import base64
import json
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import RefreshToken

from apps.core.actors import Role
from apps.core.models import AuditEntry, User
from apps.stores import sign_in
from apps.stores.models import Store
from apps.stores.services import issue_pairing_code, revoke_device
from tests.attacks.conftest import Shop, browser
from tests.factories import StaffRoleFactory

PASSWORD = "pão de queijo às sete"
DOOR = "/admin/login/"


@pytest.fixture
def account(store: Store, quick_passwords: None) -> User:
    user: User = StaffRoleFactory(store=store, role=Role.OWNER, user__email="dona@example.org").user
    user.set_password(PASSWORD)
    user.save()
    return user


def knock(password: str, email: str = "dona@example.org", client: Client | None = None, **headers: str) -> Any:
    return (client or Client()).post(DOOR, {"username": email, "password": password}, headers=headers)


def deeds() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_door_of_the_back_office_lets_nobody_guess(account: User) -> None:
    """T17: five tries in a quarter of an hour, however an address is made up; then not even the right one helps."""
    statuses = [knock("errada", **{"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(6)]
    locked = knock(PASSWORD, email="  DONA@example.org ")

    assert statuses == [200] * 5 + [429]
    assert (locked.status_code, locked.wsgi_request.user.is_authenticated) == (429, False)
    assert 0 < int(locked["Retry-After"]) <= 1800
    assert "Muitas tentativas" in locked.content.decode()
    assert deeds() == ["stores.sign_in_failed"] * 5 + ["stores.sign_in_locked"]


def test_who_opened_the_door_itself_comes_in_at_the_start(account: User) -> None:
    came_in = knock(PASSWORD)

    assert (came_in.status_code, came_in["Location"]) == (302, "/admin/")


def test_door_and_api_count_together(account: User) -> None:
    """T17: whoever is out of tries at one door has none at the other."""
    for _ in range(5):
        knock("errada")

    body = {"email": "dona@example.org", "password": PASSWORD}
    assert Client().post("/api/v1/auth/token", body, content_type="application/json").status_code == 429


def test_stranger_locks_nobody_out(account: User) -> None:
    """T17: an account that somebody guesses at stays open to its owner at another address."""
    for _ in range(6):
        knock("errada", client=Client(REMOTE_ADDR="203.0.113.9"))

    assert knock(PASSWORD).status_code == 302


def test_address_has_few_tries_an_hour_whoever_they_are_at(account: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """T17: passwords sprayed over many accounts."""
    assert sign_in.TRIES_AN_ADDRESS == 20
    monkeypatch.setattr(sign_in, "TRIES_AN_ADDRESS", 6)

    statuses = [knock("errada", email=f"pessoa{n}@example.org").status_code for n in range(7)]

    assert statuses == [200] * 6 + [429]


def test_right_password_costs_no_try(account: User) -> None:
    assert [knock(PASSWORD).status_code for _ in range(7)] == [302] * 7


def test_door_does_not_say_who_is_known(account: User) -> None:
    """T17: known and unknown, wrong and closed are answered alike."""
    account.is_active = False
    account.save()
    User.objects.create_user("aberta@example.org", PASSWORD)

    said = {
        knock("errada", email=email).content.decode().replace(email, "")
        for email in ("dona@example.org", "aberta@example.org", "ninguem@example.org")
    }

    assert len({text[text.index("<form") :].split("csrfmiddlewaretoken")[0] for text in said}) == 1
    assert all("corretos" in text for text in said)


def test_new_password_is_in_the_trail_and_ends_other_sign_ins(account: User) -> None:
    """T45: who changes a password leaves an entry; a stolen refresh token and another browser end with the old one."""
    refresh, other, own = str(RefreshToken.for_user(account)), Client(), Client()
    for browser_ in (other, own):
        assert knock(PASSWORD, client=browser_).status_code == 302
    new = "outra broa, outro fubá"
    asked = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}

    refused = own.post("/admin/password_change/", {**asked, "old_password": "errada"})
    changed = own.post("/admin/password_change/", asked)

    assert (refused.status_code, changed.status_code, changed["Location"]) == (200, 302, "/admin/password_change/done/")
    assert deeds().count("stores.password_changed") == 1
    assert (own.get("/admin/").status_code, other.get("/admin/").status_code) == (200, 302)
    answer = Client().post("/api/v1/auth/token/refresh", {"refresh": refresh}, content_type="application/json")
    assert answer.status_code == 401


def test_stranger_changes_no_password(account: User) -> None:
    answer = Client().post("/admin/password_change/", {"old_password": PASSWORD})

    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, DOOR)
    assert deeds() == []


def dressed(token: str, head: dict[str, Any]) -> str:
    """A token with another header over the same claims, unsigned or signed with a key that anybody knows."""
    raw = base64.urlsafe_b64encode(json.dumps({"typ": "JWT", **head}).encode()).decode().rstrip("=")
    return ".".join([raw, *token.split(".")[1:]])


def test_headers_of_a_token_choose_neither_key_nor_algorithm(shop: Shop) -> None:
    """T1: ``alg``, ``kid``, ``jku`` and ``jwk`` are the attacker's; no one of them is followed."""
    access = shop.secrets[Role.OWNER]
    claims = jwt.decode(access, options={"verify_signature": False})
    made = [
        dressed(access, {"alg": "none"}),
        dressed(access, {"alg": "HS256", "kid": "../../../../dev/null"}),
        dressed(access, {"alg": "RS256", "jku": "https://evil.example/keys.json"}),
        jwt.encode(claims, "k" * 40, algorithm="HS256", headers={"kid": "/dev/null"}),
        jwt.encode(claims, "k" * 70, algorithm="HS512"),
        jwt.encode(claims, django_settings.SECRET_KEY, algorithm="HS384"),
    ]

    for token in made:
        refused = browser(Authorization=f"Bearer {token}").get("/api/v1/orders")
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
        assert refused["WWW-Authenticate"]


def test_every_401_says_how_to_identify(shop: Shop) -> None:
    """T1: also where a credential is asked for in the body."""
    wrong = {"email": "a@example.org", "password": "b"}
    answers = [
        browser().get("/api/v1/orders"),
        browser().post("/api/v1/auth/token", wrong, content_type="application/json"),
        browser().post("/api/v1/auth/token/refresh", {"refresh": "x"}, content_type="application/json"),
        browser(Authorization="Device x").get("/api/v1/orders"),
    ]

    assert [(each.status_code, "WWW-Authenticate" in each) for each in answers] == [(401, True)] * len(answers)


def test_no_credential_passes_for_another(shop: Shop) -> None:
    """T2: each secret is good in its own place only."""
    refresh = str(RefreshToken.for_user(shop.users[Role.OWNER]))
    code = issue_pairing_code(device_id=shop.devices[Role.PANEL].id, at=timezone.now())
    token, key, link = shop.secrets[Role.KIOSK], shop.secrets["system"], shop.ids["token"]
    wrong = [
        *(f"Bearer {each}" for each in (refresh, code, token, link, key[:-1], "bmk_" + token)),
        *(f"Device {each}" for each in (refresh, code, shop.secrets[Role.OWNER], link, key)),
        *(f"{scheme} {token}" for scheme in ("Token", "Basic", "device", "Cart", "")),
    ]

    assert {each: browser(Authorization=each).get("/api/v1/orders").status_code for each in wrong} == dict.fromkeys(
        wrong, 401
    )


def test_revoked_device_is_out_everywhere(shop: Shop) -> None:
    """T37: header and cookie, API and pages."""
    kiosk = shop.callers[Role.KIOSK]
    assert kiosk.get("/api/v1/orders").status_code == 200

    revoke_device(device_id=shop.devices[Role.KIOSK].id, at=timezone.now())

    assert kiosk.get("/api/v1/orders").status_code == 401
    assert browser(Cookie=f"bm_device={shop.secrets[Role.KIOSK]}").get("/api/v1/orders").status_code == 401
    assert "kiosk/pair.html" in [template.name for template in kiosk.get("/kiosk/").templates]
