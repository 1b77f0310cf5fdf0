"""Money as people read it."""

from decimal import Decimal

import pytest

from apps.core.formats import brl


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("0", "R$ 0,00"),
        ("7.5", "R$ 7,50"),
        ("1234.5", "R$ 1.234,50"),
        ("1234567.89", "R$ 1.234.567,89"),
        ("-2", "R$ -2,00"),
    ],
)
def test_money_has_a_comma_and_points(amount: str, told: str) -> None:
    assert brl(Decimal(amount)) == told
