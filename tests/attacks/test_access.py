"""Who may call what: `tests/access.toml` has a line for every route, and every line is driven."""

import asyncio
import copy
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import AsyncClient, Client
from django.utils import timezone

from apps.catalog import streams as catalog_streams
from apps.core import streams as core_streams
from apps.counter import streams as counter_streams
from apps.kiosk import streams as kiosk_streams
from apps.kitchen import streams as kitchen_streams
from breadmate.admin_site import site
from tests.attacks.conftest import CHAIN, PEOPLE, PRINCIPALS, SCREENS, Shop, make_shop
from tests.attacks.routes import METHODS, STREAMS, TABLE, WEB, WEBHOOK, methods_of, routes, table

pytestmark = pytest.mark.timeout(900)  # some hundred requests each, on a machine that may be busy

NOBODY = str(uuid4())
IN_PATH = {
    "<uuid:product_id>": "product_id",
    "<uuid:category_id>": "category_id",
    "<uuid:option_id>": "option_id",
    "<uuid:order_id>": "order_id",
    "<uuid:payment_id>": "payment_id",
    "<uuid:shift_id>": "shift_id",
    "<str:token>": "token",
    "<slug:slug>": "slug",
}
FIXED = {
    "<path:cpf>": "52998224725",
    "<str:kind>": "kiosk",
    "<str:action>": "note",
    "comecar/<name>": "comecar/produto",
    "<uuid:id_>": NOBODY,
    "<uuid:step_id>": NOBODY,
    "<path:content_type_id>": "1",
    "<path:object_id>": NOBODY,
    "health/?": "health",
    "health/live/?": "health/live",
    "health/ready/?": "health/ready",
    "(?:kitchen|panel|caixa|t/[^/]+|api/v1/menu|api/v1/orders/[^/]+)/stream/?": "kitchen/stream",
    "<file>": f"{'0' * 32}-320.webp",
    "<app_label>": "orders",
    "<url>": "nowhere/",
}
# A body that somebody who may call would have sent, where the store is looked at only after it has been read.
BODIES: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
    "POST /api/v1/payments/webhook": lambda ids: {"type": "order", "data": {"id": "ORD1"}},
    "POST /api/v1/payments": lambda ids: {"order": ids["order_id"], "method": "counter"},
    "POST /api/v1/payments/<uuid:payment_id>/confirm": lambda ids: {"tender": "card_machine"},
    "POST /api/v1/payments/<uuid:payment_id>/refunds": lambda ids: {"reason": "x"},
    "POST /api/v1/orders/<uuid:order_id>/release": lambda ids: {"release": True},
    "POST /api/v1/orders/<uuid:order_id>/items/<uuid:item_id>/void": lambda ids: {"reason": "x"},
    "PATCH /api/v1/orders/<uuid:order_id>/status": lambda ids: {"status": "in_preparation"},
    "PATCH /api/v1/inventory/items": lambda ids: {"item": ids["stock_id"], "on_hand": 40},
    "POST /api/v1/inventory/movements": lambda ids: {"item": ids["stock_id"], "quantity": 1, "reason": "waste"},
    "POST /api/v1/products/<uuid:product_id>/pause": lambda ids: {"hours": 1},
    "POST /api/v1/options/<uuid:option_id>/pause": lambda ids: {"hours": 1},
}
PAGE_OF_MODEL = re.compile(
    r"/admin/(?P<app>[a-z_]+)/(?P<model>[a-z]+)/(add/|<path:object_id>/((history|delete|change)/)?|\(\[\^/\]\+\)/history/\(\[\^/\]\+\)/)?"
)
LOGIN = "/admin/login/"
ROW = re.compile(r"/admin/\w+/\w+/[0-9a-f-]+/\w+/")
STAFF = (*PEOPLE, CHAIN)
PARTS = 3
SCHEMES = dict.fromkeys(SCREENS, "Device")
# What may be done with rows, by letter: list, read, write, add; and delete, which nobody may.
DEEDS = (
    ("l", "GET", ""),
    ("r", "GET", "<id>/change/"),
    ("w", "POST", "<id>/change/"),
    ("a", "GET", "add/"),
    ("d", "GET", "<id>/delete/"),
)
WEB_TABLES = ("api", "pages", "back_office")


def path_of(route: str, ids: dict[str, str]) -> str:
    """Fill a route in."""
    path = route
    for pattern, text in FIXED.items():
        path = path.replace(pattern, text)
    item = ids["stock_id"] if "inventory" in route else ids["item_id"]
    path = path.replace("<uuid:item_id>", item)
    for pattern, name in IN_PATH.items():
        path = path.replace(pattern, ids[name])
    return path


def word_for(response: Any) -> str:
    """Say in one word whether somebody was let in."""
    status, leads_to = response.status_code, response.headers.get("Location", "")
    if leads_to.startswith(LOGIN) and not response.request["PATH_INFO"].startswith("/admin/logout/"):
        return "sign-in"
    if leads_to == "/admin/" and ROW.fullmatch(response.request["PATH_INFO"]):
        return "404"  # Django's way to say that there is no such row
    if any(template.name == "kiosk/pair.html" for template in response.templates):
        return "pair"
    return str(status) if status in (401, 403, 404, 405) or status >= 500 else "yes"


def ask(client: Client, line: str, ids: dict[str, str]) -> str:
    """Call one route as one principal and take back whatever that did."""
    method, route = line.split(" ")
    body = json.dumps(BODIES[line](ids) if line in BODIES else {})
    point, cookies = transaction.savepoint(), copy.deepcopy(client.cookies)
    try:
        return word_for(
            client.generic(
                method,
                path_of(route, ids),
                "" if method == "GET" else body,
                "application/json",
                headers={"Idempotency-Key": str(uuid4())},
            )
        )
    finally:
        transaction.savepoint_rollback(point)
        client.cookies = cookies


def answers(line: str, shop: Shop, elsewhere: Shop) -> str:
    """Say what everybody is answered: each principal in the shop, then those let in there about another store's things."""
    here = {who: ask(shop.callers[who], line, shop.ids_of(who)) for who in PRINCIPALS}
    if not any(name in line for name in ("_id>", "<str:token>")):
        return " ".join([*here.values(), "-"])
    let_in = [who for who in PRINCIPALS if who not in ("anyone", CHAIN) and here[who] == "yes"]
    there = {ask(shop.callers[who], line, elsewhere.ids_of(who)) for who in let_in}
    return " ".join([*here.values(), "/".join(sorted(there)) or "-"])


def cells(line: str) -> str:
    """Forget how a line is laid out."""
    return " ".join(line.split())


def differences(written: dict[str, str], found: dict[str, str]) -> list[str]:
    """Say which lines are to be added, taken out or thought about, as they would have to be written."""
    told = [
        f"add to {TABLE.name}, after making sure that it is meant:\n{spelled(key, found[key])}"
        for key in found
        if key not in written
    ]
    told += [f"no such route any more, take out: {key}" for key in written if key not in found]
    told += [
        f"{key}\n  is written {cells(written[key])}\n  and answers {found[key]}"
        for key in found
        if key in written and cells(written[key]) != found[key]
    ]
    return told


def spelled(key: str, found: str) -> str:
    """Lay a line out as the others are."""
    return f"'{key}'".ljust(80) + "= '" + " ".join(cell.ljust(7) for cell in found.split()).rstrip() + "'"


def methods(view: Any, route: str, shop: Shop) -> Iterable[str]:
    """Return the methods a route has; a plain function is asked, as whoever may do most."""
    if route == WEBHOOK:
        return ("POST",)
    known = methods_of(view)
    if known is not None:
        return known
    if route.startswith("/admin/"):
        return ("GET", "POST")  # Django's pages take any other method for one of these
    return [each for each in METHODS if ask(shop.callers[CHAIN], f"{each} {route}", shop.ids) != "405"]


def is_page_of_a_model(route: str) -> bool:
    """Tell whether a route is one of those that every page of the back office has; they have a table of their own."""
    found = PAGE_OF_MODEL.fullmatch(route)
    return found is not None and f"{found['app']}.{found['model']}" in pages()


def pages() -> dict[str, Any]:
    """Return the pages of the back office by their model's label."""
    return {model._meta.label_lower: page for model, page in site._registry.items()}


@pytest.mark.django_db
def test_every_route_has_a_line_and_answers_as_it_says(shop: Shop, elsewhere: Shop) -> None:
    """T3 to T6: each route and method, each principal, and the same about another store's things."""
    found = {}
    for route, view in routes(WEB).items():
        if not is_page_of_a_model(route):
            for method in methods(view, route, shop):
                found[f"{method} {route}"] = answers(f"{method} {route}", shop, elsewhere)

    agree(found, *WEB_TABLES)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.django_db
def test_every_page_of_the_back_office_has_a_line_and_opens_as_it_says(part: int, shop: Shop, elsewhere: Shop) -> None:
    """T6: for each kind of rows who may list, read, write and add, and that nobody deletes or opens another store's."""
    known = sorted(pages())[part::PARTS]
    written = {label: line for label, line in table()["models"].items() if label in known or label not in pages()}
    told = differences(written, {label: page_answers(pages()[label], shop, elsewhere) for label in known})
    assert not told, "\n".join(["", *told])


def page_answers(page: Any, shop: Shop, elsewhere: Shop) -> str:
    """Say in letters what each member of staff may do with the rows of a page, then what is said of another store's row."""
    row, theirs = (row_of(page, each) for each in (shop, elsewhere))
    said = []
    for who in STAFF:
        client, letters = shop.callers[who], ""
        for letter, method, part in DEEDS:
            address = (
                f"/admin/{page.opts.label_lower.replace('.', '/')}/{part.replace('<id>', str(row.pk) if row else '-')}"
            )
            if (row or "<id>" not in part) and ask(client, f"{method} {address}", shop.ids) == "yes":
                letters += letter
        said.append(letters or "-")
    if not page.store_lookup:
        return " ".join([*said, "shared"])
    assert row is not None, f"make a row of {page.opts.label_lower} in row_of"
    there = f"GET /admin/{page.opts.label_lower.replace('.', '/')}/{theirs.pk}/change/"
    readers = [who for who, letters in zip(STAFF, said, strict=True) if "r" in letters and who != CHAIN]
    return " ".join([*said, "/".join(sorted({ask(shop.callers[who], there, shop.ids) for who in readers}))])


def row_of(page: Any, shop: Shop) -> Any:
    """Return a row of the shop's on a page, made if there is none; any row of a page that all stores share."""
    rows = page.model._default_manager.all()
    if not page.store_lookup:
        return rows.first()
    rows = rows.filter(**{page.store_lookup: shop.store.pk})
    make = MAKE.get(page.opts.label_lower)
    if make is not None and not rows.exists():
        page.model._default_manager.create(**make(shop))
    return rows.first()


OFFER = {"name": "Café da tarde", "kind": "percent", "value": 10}
NOW = timezone.now()
MAKE: dict[str, Callable[[Shop], dict[str, Any]]] = {
    "catalog.mark": lambda shop: {"store": shop.store, "product_id": shop.ids["product_id"], "kind": "slow"},
    "promotions.promotion": lambda shop: {"store": shop.store, **OFFER},
    "promotions.coupon": lambda shop: {"store": shop.store, "code": f"CAFE{shop.store.code}", **OFFER},
    "payments.refund": lambda shop: {
        "charge_id": shop.ids["payment_id"],
        "amount": 1,
        "cause": "requested",
        "asked_by_kind": "staff",
        "key": uuid4().hex,
        "created_at": NOW,
    },
    "payments.closing": lambda shop: {
        "store": shop.store,
        "day": NOW.date(),
        "begins_at": NOW,
        "ends_at": NOW,
        "next_check_at": NOW,
    },
    "payments.provideraccount": lambda shop: {
        "store": shop.store,
        "label": shop.store.code,
        "token_sealed": b"x",
        "changed_at": NOW,
    },
    "payments.pointofsale": lambda shop: {
        "store": shop.store,
        "external_id": shop.store.code,
        "provider_id": shop.store.code,
    },
    "counter.cashmovement": lambda shop: {
        "shift_id": shop.ids["shift_id"],
        "kind": "supply",
        "amount": 1,
        "reason": "troco",
        "at": NOW,
        "by": shop.users["cashier"],
        "form_key": uuid4(),
    },
    "orders.cancelstep": lambda shop: {"order_id": shop.ids["order_id"], "kind": "refund"},
    "core.auditentry": lambda shop: {"store_id": shop.store.id, "at": NOW, "action": "admin.added", "request_id": "-"},
}


@pytest.mark.django_db(transaction=True)
def test_every_stream_has_a_line_and_opens_as_it_says(
    quick_passwords: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T38: who may listen to what, and to another store's."""
    settings.ROOT_URLCONF, settings.MIDDLEWARE = STREAMS, settings.STREAM_MIDDLEWARE
    shop, elsewhere = make_shop(), make_shop()

    async def listen(who: str, route: str, place: Shop) -> str:
        client = AsyncClient(raise_request_exception=False)
        client.cookies = copy.deepcopy(shop.callers[who].cookies)
        address = path_of(route, place.ids_of(who)) + (f"?store={place.store.id}" if route.startswith("/caixa") else "")
        headers = {"Authorization": f"{SCHEMES.get(who, 'Bearer')} {shop.secrets[who]}"} if who in shop.secrets else {}
        return word_for(await client.get(address, headers=headers))

    async def all_of(route: str) -> str:
        hub = core_streams.Hub()
        for module in (catalog_streams, counter_streams, kiosk_streams, kitchen_streams):
            monkeypatch.setattr(module, "hub", hub)
        here = {who: await listen(who, route, shop) for who in PRINCIPALS}
        let_in = [who for who in PRINCIPALS if who not in ("anyone", CHAIN) and here[who] == "yes"]
        names = any(name in route for name in ("_id>", "<str:token>", "/caixa"))
        there = {await listen(who, route, elsewhere) for who in let_in} if names else set()
        return " ".join([*here.values(), "/".join(sorted(there)) or "-"])

    agree({f"GET {route}": asyncio.run(all_of(route)) for route in routes(STREAMS)}, "streams")


def agree(found: dict[str, str], *sections: str) -> None:
    """Fail with the lines as they would have to be written."""
    told = differences({key: line for name in sections for key, line in table()[name].items()}, found)
    assert not told, "\n".join(["", *told])
