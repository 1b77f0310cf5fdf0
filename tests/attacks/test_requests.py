"""Requests that mean harm: to prices, to other people's orders, to the database, to whoever reads a page."""

import json
import logging
import re
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client

from apps.catalog.models import Product
from apps.core.actors import Role
from apps.core.models import AuditEntry
from apps.orders.models import Order
from apps.stores.models import Store
from breadmate.admin_site import site
from tests.attacks.conftest import CHAIN, Shop, browser
from tests.attacks.test_schema_fuzz import state
from tests.fixtures import cart

pytestmark = pytest.mark.django_db

INJECTED = (
    "' OR '1'='1",
    "'; DROP TABLE orders_order; --",
    "1) UNION SELECT password FROM core_user --",
    "%' ESCAPE '\\",
    "\\",
    "$$||pg_sleep(9)||$$",
    "{{7*7}}{% debug %}",
    "\u202egnp.exe",
    "e\u0301" * 50,
)
SCRIPT = '"><script>alert(1)</script>'


def send(caller: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    headers = {"Idempotency-Key": uuid4().hex, **headers}
    return caller.generic(method, f"/api/v1{path}", json.dumps(body or {}), "application/json", headers=headers)


def product_of(shop: Shop) -> Product:
    return Product.objects.get(id=shop.ids["product_id"])


def test_order_is_behind_its_secret_alone(shop: Shop) -> None:
    """T5: neither what is called out nor an id opens a guest's page, and a wrong secret is answered like none."""
    order, guest = Order.objects.get(id=shop.ids["order_id"]), browser()
    assert len(order.tracking_token) * 6 >= 128

    for part in ("", "order/", "recibo/"):
        refused = [
            guest.get(f"/t/{said}/{part}")
            for said in (
                order.number,
                order.id,
                order.pickup_code,
                order.tracking_token[:-1],
                order.tracking_token[::-1],
            )
        ]
        assert {(each.status_code, each.content) for each in refused} == {(404, refused[0].content)}
        assert guest.get(f"/t/{order.tracking_token}/{part}").status_code in (200, 302)


NOT_THEIRS = {
    "price": "0.01",
    "unit_price": "0.01",
    "total": "0.01",
    "subtotal": "0.01",
    "discount": "99.00",
    "currency": "ARS",
    "status": "paid",
    "store_id": str(uuid4()),
    "number": "T001",
    "created_at": "2020-01-01T00:00:00Z",
    "paid_at": "2020-01-01T00:00:00Z",
    "customer_id": str(uuid4()),
    "placed_by_id": str(uuid4()),
    "is_staff": True,
}


def test_nobody_says_a_price_or_what_is_ours_to_say(shop: Shop) -> None:
    """T7, T8: a field that is not the caller's is refused by its name, on each level, and nothing is stored."""
    kiosk, customer = shop.callers[Role.KIOSK], shop.callers["customer"]
    before = state()

    for name, value in NOT_THEIRS.items():
        on_top, inside = cart(product_of(shop)), cart(product_of(shop))
        on_top[name] = value
        inside["items"][0][name] = value
        refusals = [
            send(kiosk, "POST", "/orders/checkout", on_top),
            send(kiosk, "POST", "/orders/checkout", inside),
            send(kiosk, "POST", "/orders/quote", {"items": inside["items"]}),
            send(kiosk, "POST", "/payments", {"order": shop.ids["order_id"], "method": "counter", name: value}),
            send(customer, "PATCH", "/users/me", {name: value}),
        ]
        for each in refusals:
            told = each.json()
            assert (each.status_code, told["code"]) == (400, "invalid"), (name, told)
            assert [error["code"] for error in told["errors"]] == ["unknown_field"], (name, told)

    assert state() == before


def test_cpf_in_an_address_reaches_no_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """T16: refused to all but staff, and written down nowhere, whoever asks and however it is spelled."""
    cpf = "52998224725"
    with caplog.at_level(logging.DEBUG):
        for who, expected in ((Role.KIOSK, 403), ("customer", 403), ("anyone", 401), (Role.CASHIER, 404)):
            assert shop.callers[who].get(f"/api/v1/users/cpf/{cpf}").status_code == expected
        for address in (f"/api/v1/orders?cpf={cpf}", f"/api/v1/users/{cpf}", f"/t/{cpf}/", "/nowhere/529.982.247-25/"):
            shop.callers[Role.KIOSK].get(address)

    ours = [record for record in caplog.records if record.name.startswith(("breadmate", "apps", "django"))]
    said = " ".join([record.getMessage() for record in ours] + [str(getattr(record, "fields", "")) for record in ours])
    assert ours
    assert [text for text in (cpf, "529.982", "982247") if text in said] == []


@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_other_site_makes_a_signed_in_browser_do_nothing(origin: str | None, shop: Shop) -> None:
    """T20: a form of somebody else's, on the pages, in the back office and at the API."""
    browser_ = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser_.force_login(shop.users[CHAIN], backend="django.contrib.auth.backends.ModelBackend")
    told = {"opening_float": "10.00", "name": "x", "csrfmiddlewaretoken": "a" * 64}
    headers = {"Origin": origin} if origin else {}
    before = state()

    pages = (
        "/caixa/turno/abrir/",
        "/caixa/loja/",
        "/admin/catalog/category/add/",
        "/admin/password_change/",
        "/admin/logout/",
    )
    refused = [browser_.post(page, told, headers=headers).status_code for page in pages]
    by_api = browser_.post("/api/v1/categories", "{}", content_type="application/json", headers=headers).status_code
    plain = browser_.post("/api/v1/categories", '{"name": "x"}', content_type="text/plain", headers=headers).status_code

    assert (refused, by_api) == ([403] * len(pages), 403)
    assert plain in (403, 415)
    assert state() == before


def test_what_is_not_said_to_be_json_is_not_read(shop: Shop) -> None:
    """T20: what a form can send without asking first is no request of the API's."""
    for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = shop.callers[Role.KIOSK].generic("POST", "/api/v1/orders/quote", '{"items": []}', media)
        assert answer.status_code == 415


def test_links_name_our_own_address(shop: Shop) -> None:
    """T22: whatever host a request says it was sent to or forwarded from."""
    body = cart(product_of(shop))
    forged = {"Host": "localhost", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}

    answer = send(shop.callers[Role.KIOSK], "POST", "/orders/checkout", body, **forged)

    assert answer.status_code == 201
    assert answer.json()["tracking_url"].startswith(f"{django_settings.PUBLIC_URL}/t/")
    assert answer.json()["stream_url"].startswith(f"{django_settings.STREAM_URL}/")


@pytest.mark.parametrize("path", ["/admin/login/", "/t/x/", "/caixa/loja/", "/kiosk/"])
def test_thousands_of_parameters_are_no_work(path: str, db: None) -> None:
    """T25: a page reads none of them, or refuses them all."""
    answer = browser().get(path + "?" + "&".join(f"a{n}=1" for n in range(10_000)))

    assert answer.status_code in (200, 302, 400, 404)


def test_text_for_the_database_stays_text(shop: Shop) -> None:
    """T28: every filter, search and cursor; answers are found or refused, and everything is still there."""
    owner, chain, before = shop.callers[Role.OWNER], shop.callers[CHAIN], state()
    searches = [
        f"/admin/{model._meta.label_lower.replace('.', '/')}/?q="
        for model, page in site._registry.items()
        if getattr(page, "search_fields", None)
    ]
    asked = [
        *("/api/v1/products?q=", "/api/v1/products?category=", "/api/v1/products?store=", "/api/v1/products?cursor="),
        *("/api/v1/categories?cursor=", "/api/v1/categories?page_size=", "/api/v1/products/", "/api/v1/menu?store="),
        *("/api/v1/orders?status=", "/api/v1/orders?since=", "/api/v1/orders?status=received&cursor="),
        *("/caixa/retirada/?q=", "/t/", "/api/v1/orders?ordering=customer__password&status="),
    ]

    for text in INJECTED:
        for address in asked:
            answer = owner.get(address + quote(text, safe=""))
            assert answer.status_code in (200, 400, 404), (address, text)
            assert b"ProgrammingError" not in answer.content
        answer = send(shop.callers[Role.KIOSK], "POST", "/orders/quote", {"items": [], "coupon": text})
        assert answer.status_code == 400
    for number, address in enumerate(searches):
        answer = chain.get(address + quote(INJECTED[number % len(INJECTED)], safe=""))
        assert answer.status_code == 200, address

    assert state() == before


@pytest.mark.parametrize(
    "address",
    [
        "/admin/stores/staffrole/?user__password__startswith=argon2",
        "/admin/core/user/?password__startswith=argon2",
        "/admin/stores/device/?token_hash__startswith=a",
        "/admin/orders/order/?placed_by_id__gt=0",
        "/admin/payments/provideraccount/?token_sealed__gt=a",
    ],
)
def test_list_is_not_narrowed_by_what_it_does_not_show(address: str, shop: Shop) -> None:
    """T28: no page of the back office answers questions about a secret column, a letter at a time."""
    answer = shop.callers[CHAIN].get(address)

    assert answer.status_code == 400


def test_text_of_the_menu_is_text_on_every_page(shop: Shop) -> None:
    """T29, T30: markup and template signs in every name; read by staff in the back office and by guests."""
    product = product_of(shop)
    product.name = product.description = product.category.name = SCRIPT + "{{7*7}}"
    product.save()
    product.category.save()
    Store.objects.update(name=SCRIPT)
    Order.objects.update(guest_name=SCRIPT)
    shop.devices[Role.KIOSK].name = SCRIPT
    shop.devices[Role.KIOSK].save()
    shop.users[Role.CASHIER].name = SCRIPT
    shop.users[Role.CASHIER].save()
    rows = {
        "catalog/product": product.id,
        "catalog/category": product.category_id,
        "stores/store": shop.store.id,
        "stores/device": shop.devices[Role.KIOSK].id,
        "core/user": shop.users[Role.CASHIER].id,
        "orders/order": shop.ids["order_id"],
        "payments/charge": shop.ids["payment_id"],
    }
    pages = [page for name, row in rows.items() for page in (f"/admin/{name}/", f"/admin/{name}/{row}/change/")]

    shown = {page: shop.callers[CHAIN].get(page) for page in ("/admin/", "/admin/stores/staffrole/", *pages)}
    shown |= {page: shop.callers[Role.CASHIER].get(page) for page in ("/caixa/", "/caixa/turno/", "/caixa/pedido/")}
    shown |= {page: shop.callers[Role.KIOSK].get(page) for page in ("/kiosk/", f"/t/{shop.ids['token']}/")}

    for page, answer in shown.items():
        text = answer.content.decode()
        assert answer.status_code == 200, page
        assert "<script>alert" not in text, page
        assert "49" not in re.findall(r"&lt;/script&gt;(\S\S)", text), page
    assert sum("&lt;script&gt;alert(1)" in answer.content.decode() for answer in shown.values()) > len(shown) // 2


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Zé 🥐👩‍🍳", "Zé 🥐👩‍🍳"),
        ("  Ana\n\tBia  ", "Ana Bia"),
        ("Jose\u0301", "José"),
        ("e" + "\u0301" * 39, "é" + "\u0301" * 38),
        ("Ana\u202e001T", None),
        ("\u2066Ana", None),
        ("A\u0007na", None),
        ("e" + "\u0301" * 10_000, None),
        ("🥐" * 41, None),
    ],
    ids=["emoji", "lines", "spelling", "marks", "turned", "isolated", "bell", "pile of marks", "long"],
)
def test_name_of_a_guest_is_one_visible_line(said: str, kept: str | None, shop: Shop) -> None:
    """T31: in one spelling and counted in characters; the board and the panel stand still."""
    answer = send(shop.callers[Role.KIOSK], "POST", "/orders/checkout", cart(product_of(shop), guest_name=said))

    assert (answer.status_code, answer.json().get("guest_name")) == ((201, kept) if kept else (400, None))


def test_trail_cannot_be_cleaned_with_the_programs_own_hands(shop: Shop) -> None:
    """T45: neither by the owner's pages nor by a statement, whichever it is."""
    send(shop.callers[CHAIN], "POST", "/categories", {"name": "Doces"})
    entry = AuditEntry.objects.get(action="catalog.category_added")
    chief = shop.callers[CHAIN]
    for address in ("add/", f"{entry.pk}/delete/"):
        assert chief.post(f"/admin/core/auditentry/{address}", {"post": "yes"}).status_code == 403
    chief.post(f"/admin/core/auditentry/{entry.pk}/change/", {"action": "x"})
    chief.post(
        "/admin/core/auditentry/", {"action": "delete_selected", "_selected_action": str(entry.pk), "post": "yes"}
    )

    for statement in (
        "UPDATE core_auditentry SET action = 'x'",
        "DELETE FROM core_auditentry",
        "TRUNCATE core_auditentry",
    ):
        with pytest.raises(DatabaseError, match="core_auditentry rows are never changed"), transaction.atomic():
            connection.cursor().execute(statement)
    assert AuditEntry.objects.filter(pk=entry.pk, action="catalog.category_added").exists()


def test_answers_name_no_program(shop: Shop) -> None:
    """T41: neither in a header nor on an error page."""
    for path in ("/", "/kiosk/", "/api/v1/menu", "/api/v1/nowhere", "/nowhere", "/admin/login/"):
        answer = browser().get(path)
        said = " ".join(f"{name}: {value}" for name, value in answer.headers.items()).lower()
        assert not [word for word in ("django", "python", "gunicorn", "x-powered-by") if word in said]
        assert b"Traceback" not in answer.content
