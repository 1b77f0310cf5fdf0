"""Requests made up from the API's own schema, well formed and not, by everybody who may call: nothing fails, nothing moves.

Each answer, good or refused, is held against the same schema.
"""

from collections import Counter
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from django.apps import apps
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from rest_framework.test import APIClient

from apps.core.problems import PROBLEM_JSON
from tests.attacks.conftest import PRINCIPALS, Shop
from tests.attacks.routes import table
from tests.contract import Contract
from tests.fixtures import broken_rules
from tests.payments.conftest import Provider, provider  # noqa: F401 - the fixture

pytestmark = pytest.mark.timeout(900)  # some hundred requests each, on a machine that may be busy

EXAMPLES_OF_BODY, EXAMPLES = 22, 2
PARTS = 4
# What a refusal may write: the counts of limits, when a key was last used, and that somebody failed to sign in.
MAY_CHANGE = {"core_ratewindow", "stores_integratorkey", "core_auditentry", "django_session"}
OURS = {"Authorization", "Cookie", "User-Agent", "Content-Length", "Connection", "Accept-Encoding"}
NEGATIVE, POSITIVE = schemathesis.GenerationMode.NEGATIVE, schemathesis.GenerationMode.POSITIVE


def state() -> dict[str, int]:
    """What is in each table, as one number; in one statement."""
    names = sorted({model._meta.db_table for model in apps.get_models()} - MAY_CHANGE)
    parts = [f"SELECT '{name}', coalesce(sum(hashtext(t::text)), 0) FROM \"{name}\" t" for name in names]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


def who_may(operation: Any) -> list[str]:
    """Return everybody a route serves, and somebody without a credential."""
    method, path = operation.method.upper(), operation.full_path
    for line, cells in table()["api"].items():
        named, _, route = line.partition(" ")
        if named == method and plain(route) == path:
            return [who for who, cell in zip(PRINCIPALS, cells.split(), strict=False) if cell == "yes"] + ["anyone"]
    raise AssertionError(f"{method} {path} has no line")


def plain(route: str) -> str:
    """Spell a route as the schema does."""
    for kind in ("uuid", "slug", "path", "str"):
        route = route.replace(f"<{kind}:", "{")
    return route.replace(">", "}")


def sent(case: Any, shop: Shop, who: str) -> Any:
    """Send what was made up with the caller's own credential."""
    made = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {
        name: str(value) for name, value in made.headers.items() if name not in OURS and str(value).isprintable()
    }
    media = headers.pop("Content-Type", "application/json")
    url = urlsplit(made.url or "")
    return shop.callers[who].generic(made.method, f"{url.path}?{url.query}", made.body or b"", media, headers=headers)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.django_db
def test_no_made_up_request_fails_or_moves_anything(part: int, shop: Shop, provider: Provider) -> None:  # noqa: F811
    """T7 to T10, T12, T24, T28: at least 300 malformed bodies altogether, the same ones each time."""
    document = APIClient().get("/api/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    schema, contract = schemathesis.openapi.from_dict(document).exclude(path_regex="/stream$"), Contract(document)
    before, count = state(), Counter()

    def try_out(operation: Any, mode: Any, most: int, given_ids: dict[str, str]) -> None:
        @settings(
            max_examples=most,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            case=operation.as_strategy(generation_mode=mode, path_parameters=given_ids or None),
            who=st.sampled_from(who_may(operation)),
        )
        def one(case: Any, who: str) -> None:
            point = transaction.savepoint()
            try:
                answer = sent(case, shop, who)
                count[answer.status_code] += 1
                count["malformed bodies"] += mode is NEGATIVE and bool(operation.body)
                told = f"{operation.label} by {who}: {answer.status_code} {answer.content[:300]!r}"
                assert answer.status_code < 500, told
                if answer.status_code == 405:  # with a made-up id the path is another's, which has not this method
                    assert contract.fits("Problem", answer.json()), told
                else:
                    media = answer.headers.get("Content-Type", "")
                    contract.check(operation.method.upper(), operation.path, answer.status_code, media, answer.content)
                if answer.status_code >= 400:
                    assert answer["Content-Type"] == PROBLEM_JSON, told
                    changed = before.items() ^ state().items()
                    assert not changed, f"{told} changed {changed}"
            finally:
                transaction.savepoint_rollback(point)

        with suppress(Unsatisfiable):  # there is nothing in it that could be wrong
            one()

    for operation in [found.ok() for found in schema.get_all_operations()][part::PARTS]:
        wanted = {parameter.name for parameter in operation.path_parameters}
        ids = {name: value for name, value in (shop.ids | {"cpf": "52998224725"}).items() if name in wanted}
        if "inventory" in operation.full_path and "item_id" in ids:
            ids["item_id"] = shop.ids["stock_id"]
        if operation.body:
            try_out(operation, NEGATIVE, EXAMPLES_OF_BODY, ids)
        try_out(operation, POSITIVE, EXAMPLES, ids)
        if wanted or operation.query:
            try_out(operation, NEGATIVE, EXAMPLES, {})

    assert broken_rules() == {}
    assert count["malformed bodies"] >= 300 / PARTS, count
    assert count[400] * 2 >= count["malformed bodies"], count  # the rest were nobody's, or about nothing that is there
