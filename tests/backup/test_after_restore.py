"""What a restored database is told before anybody sells with it."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from apps.core.ids import new_id
from apps.core.models import StoredEvent
from apps.orders import numbers
from apps.stores.models import Store


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=3)])
def test_what_was_under_way_is_late_and_not_broken(store: Store, late: timedelta) -> None:
    """Restoring takes its time, in which nobody delivered."""
    number = numbers.take(store_id=store.id, timezone=store.timezone, day_starts_at=store.day_starts_at).value
    at = datetime.now(UTC) - late
    StoredEvent.objects.create(
        type="OrderPaid", version=1, occurred_at=at, subject_id=new_id(), seq=1, correlation_id="", payload={}
    )
    said = StringIO()

    call_command("after_restore", stdout=said)

    told = json.loads(said.getvalue())
    assert (told["ok"], told["broken"]) == (True, {})
    assert datetime.fromisoformat(told["last_commit_at"]) == at
    assert told["rows"]["core_storedevent"] == 1
    after = numbers.take(store_id=store.id, timezone=store.timezone, day_starts_at=store.day_starts_at).value
    assert after == number + 101
