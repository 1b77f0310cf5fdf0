"""``docs/payment-scenarios.md`` names, for all that can happen to a guest's money, tests that exist and look at the books.

So does ``docs/reliability.md`` for the faults that are put into the code.
"""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "payment-scenarios.md").read_text()
MUTANTS = re.findall(r"`(tests/money/test_mutants\.py::\w+)`", (DOCS / "reliability.md").read_text())
ROWS = dict(re.findall(r"^\| (\d+) \|.+\| (`.+`) \|$", PAGE, re.MULTILINE))
BOOKS_CHECKED = (
    "broken_rules() == {}",
    "shop.paid_once(",
    "shop.untouched(",
    'audit(stack)["ok"]',
    'audit(shop.stack)["ok"]',
    "outcome.is_right",
)


def source_of(test: str) -> str:
    """Return the text of a test; fails where there is none of that name."""
    path, _, name = test.partition("::")
    return inspect.getsource(getattr(import_module(path.removesuffix(".py").replace("/", ".")), name))


def test_every_number_is_there() -> None:
    assert list(ROWS) == [str(number) for number in range(1, 26)]


@pytest.mark.parametrize("number", ROWS)
def test_scenario_has_its_tests_and_ends_with_the_books(number: str) -> None:
    texts = [source_of(test) for test in re.findall(r"`([^`]+)`", ROWS[number])]

    assert any(check in text for text in texts for check in BOOKS_CHECKED)


def test_every_fault_put_into_the_code_is_on_the_page() -> None:
    names = {source_of(test).partition("(")[0].rpartition(" ")[2] for test in MUTANTS}
    module = vars(import_module("tests.money.test_mutants"))

    assert {name for name in module if name.startswith("test_mutant_")} <= names
