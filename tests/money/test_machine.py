"""Whatever happens, and whoever dies in the middle of it: no money and no goods are lost or made up.

``make test-deep`` runs ten times as many and longer examples (CONTRIBUTING.md).
"""

import os
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.money.machine import MoneyMachine
from tests.money.shop import Shop

EXAMPLES, STEPS, LOOK_EVERY = (500, 50, 1) if os.environ.get("BREADMATE_TEST_DEEP") else (50, 30, 5)


@pytest.mark.timeout(0)  # how long shrinking a failure takes is nobody's fault
def test_money_is_neither_lost_nor_made_up(shop: Shop) -> None:
    run_state_machine_as_test(
        partial(MoneyMachine, shop, look_every=LOOK_EVERY),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
