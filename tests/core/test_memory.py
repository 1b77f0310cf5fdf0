"""What a process remembers: never older than it says, and never what the process itself has changed."""

import pytest

from apps.core.memory import MOST, Memory
from apps.stores.models import Store
from tests.factories import StoreFactory


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_answer_is_kept_for_its_seconds_and_no_longer(clock: Clock) -> None:
    asked: list[str] = []
    memory = Memory(lambda key: asked.append(key) or key.upper(), seconds=5, clock=clock)

    told = []
    for clock.now in (0.0, 4.9, 5.0):
        told.append(memory.get("a"))

    assert told == ["A", "A", "A"]
    assert asked == ["a", "a"]


def test_nothing_is_asked_again(clock: Clock) -> None:
    asked: list[str] = []
    memory = Memory(asked.append, seconds=5, clock=clock)

    assert [memory.get("a"), memory.get("a")] == [None, None]
    assert asked == ["a", "a"]


def test_it_does_not_grow_without_end(clock: Clock) -> None:
    memory = Memory(lambda key: key, seconds=5, clock=clock)
    for key in range(MOST + 10):
        memory.get(key)

    assert len(memory._known) <= MOST


def test_own_changes_are_known_at_once(db: None, clock: Clock) -> None:
    store = StoreFactory()
    memory = Memory(
        lambda key: Store.objects.filter(pk=key).values_list("name", flat=True).first(), seconds=5, clock=clock
    )
    memory.forget_changes_of(Store)
    assert memory.get(store.pk) == store.name

    store.name = "Outra"
    store.save()

    assert memory.get(store.pk) == "Outra"
