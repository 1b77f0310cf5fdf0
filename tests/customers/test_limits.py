"""How often somebody may ask."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from apps.core.actors import Role
from apps.core.facade import Limit, LimitedError, limits
from apps.core.models import RateWindow
from apps.customers.models import Customer, LookupTicket
from apps.stores.models import Store
from tests.customers.people import CPF, Anyone, known, new_cpf, person
from tests.fixtures import Screen

REFUSED_LOOKUPS = "breadmate_lookups_refused_total"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEN = Limit("test", "somebody", 10, 60)
pytestmark = pytest.mark.django_db


def let_in(limit: Limit, *, at: datetime, tries: int = 1) -> int:
    """How many of some calls at one moment are let in."""
    count = 0
    for _ in range(tries):
        try:
            limits.hit([limit], at=at)
        except LimitedError:
            continue
        count += 1
    return count


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def test_limit_lets_in_as_many_as_it_says() -> None:
    assert let_in(TEN, at=NOON, tries=15) == 10


def test_border_between_windows_lets_no_double_load_through() -> None:
    assert let_in(TEN, at=NOON + seconds(59), tries=10) == 10
    assert let_in(TEN, at=NOON + seconds(61), tries=10) == 0
    assert let_in(TEN, at=NOON + seconds(90), tries=10) == 5
    assert let_in(TEN, at=NOON + seconds(240), tries=15) == 10


@pytest.mark.parametrize("after", [0, 7, 29.5, 59.9])
@pytest.mark.parametrize("most", [1, 2, 10])
@pytest.mark.parametrize("earlier", [False, True])
def test_refusal_says_when_the_next_call_fits(after: float, most: int, *, earlier: bool) -> None:
    limit, at = Limit("test", "somebody", most, 60), NOON + seconds(after)
    if earlier:
        let_in(limit, at=NOON - seconds(1), tries=most)
    let_in(limit, at=at, tries=most)
    with pytest.raises(LimitedError) as refused:
        limits.hit([limit], at=at)
    wait = refused.value.retry_after_seconds
    assert wait is not None
    assert let_in(limit, at=at + seconds(wait)) == 1
    RateWindow.objects.all().delete()


def test_refusal_is_not_early_by_more_than_a_second() -> None:
    let_in(TEN, at=NOON, tries=10)
    with pytest.raises(LimitedError) as refused:
        limits.hit([TEN], at=NOON + seconds(30))
    assert refused.value.retry_after_seconds in (36, 37)  # a tenth into the next minute, one of the ten is forgotten
    assert let_in(TEN, at=NOON + seconds(30 + 35)) == 0


def test_keys_and_scopes_are_counted_apart() -> None:
    assert let_in(TEN, at=NOON, tries=10) == 10
    assert let_in(Limit("test", "other", 10, 60), at=NOON) == 1
    assert let_in(Limit("other", "somebody", 10, 60), at=NOON) == 1


def test_call_over_its_own_limit_takes_nothing_from_the_shared_one() -> None:
    shared = Limit("shared", "all", 12, 3600)
    for _ in range(30):
        try:
            limits.hit([TEN, shared], at=NOON)
        except LimitedError:
            continue
    assert RateWindow.objects.get(scope="shared").count == 10
    assert let_in(shared, at=NOON, tries=5) == 2
    with pytest.raises(LimitedError):
        limits.hit([Limit("test", "another", 10, 60), shared], at=NOON)
    assert RateWindow.objects.filter(scope="test").count() == 1


def test_key_is_kept_only_hashed() -> None:
    limits.hit([Limit("test", "203.0.113.7", 10, 60)], at=NOON)
    assert b"203.0.113.7" not in bytes(RateWindow.objects.get().key_hash)
    assert len(bytes(RateWindow.objects.get().key_hash)) == 32


def test_old_windows_are_purged() -> None:
    let_in(TEN, at=NOON - timedelta(days=3))
    let_in(TEN, at=NOON)
    assert limits.purge(NOON) == 1
    assert [window.window_start for window in RateWindow.objects.all()] == [NOON]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        *(
            (0, "198.51.100.1", "192.0.2.9"),
            (1, "198.51.100.1", "198.51.100.1"),
            (1, "9.9.9.9, 198.51.100.1", "198.51.100.1"),
        ),
        *(
            (2, "9.9.9.9, 198.51.100.1, 192.0.2.1", "198.51.100.1"),
            (2, "198.51.100.1", "192.0.2.9"),
            (1, "", "192.0.2.9"),
        ),
        *(
            (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            (1, "::ffff:198.51.100.1", "198.51.100.1"),
            (1, "junk", "unknown"),
        ),
    ],
)
def test_address_is_believed_only_from_our_own_proxies(
    proxies: int, forwarded: str, address: str, settings: Settings
) -> None:
    settings.NUM_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory(REMOTE_ADDR="192.0.2.9").get("/", headers=headers)
    assert limits.client_address(request) == address


def test_device_may_look_up_ten_times_a_minute(kiosk: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    statuses = [kiosk.post("/users/lookup", {"cpf": new_cpf() if n % 2 else "1"}).status for n in range(10)]
    assert statuses == [400, 200] * 5

    refused = kiosk.post("/users/lookup", {"cpf": CPF})

    assert refused.code == (429, "throttled")
    assert refused.response["Retry-After"] == "66"
    assert refused.response["Cache-Control"] == "no-store"
    assert LookupTicket.objects.count() == 5


def test_device_may_look_up_sixty_times_an_hour_and_its_store_three_hundred(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMIT_LOOKUP_PER_HOUR, settings.LIMIT_LOOKUP_PER_STORE_HOUR = 3, 5
    first, second = Screen(store), Screen(store)
    at = NOON

    def ask(screen: Screen) -> int:
        nonlocal at
        at += timedelta(minutes=3)
        monkeypatch.setattr(timezone, "now", lambda: at)
        return screen.post("/users/lookup", {"cpf": CPF}).status

    assert [ask(first) for _ in range(4)] == [200, 200, 200, 429]
    assert [ask(second) for _ in range(3)] == [200, 200, 429]
    assert ask(Screen(Store.objects.create(code="OUTRA", name="Outra"))) == 200


def test_limits_are_as_written_down(settings: Settings) -> None:
    names = (
        "LOOKUP_PER_MINUTE",
        "LOOKUP_PER_HOUR",
        "LOOKUP_PER_STORE_HOUR",
        "STAFF_LOOKUP_PER_HOUR",
        "REGISTER_PER_HOUR",
    )
    assert [getattr(settings, f"LIMIT_{name}") for name in names] == [10, 60, 300, 60, 20]


def test_spoofed_addresses_do_not_open_registration(settings: Settings) -> None:
    settings.LIMIT_REGISTER_PER_HOUR = 3
    anyone = Anyone()
    replies = [
        anyone.send("POST", "/users", {"name": "Ana", "cpf": new_cpf()}, **{"X-Forwarded-For": f"198.51.100.{n}"})
        for n in range(6)
    ]
    assert [reply.status for reply in replies] == [201] * 3 + [429] * 3
    assert int(replies[-1].response["Retry-After"]) > 0
    assert Customer.objects.count() == 3
    assert Anyone("203.0.113.8").post("/users", {"name": "Ana", "cpf": new_cpf()}).status == 201


def test_person_may_look_up_sixty_times_an_hour_wherever(store: Store, settings: Settings) -> None:
    settings.LIMIT_STAFF_LOOKUP_PER_HOUR = 3
    known()
    cashier = person(Role.CASHIER, store)
    assert [cashier.get(f"/users/cpf/{cpf}").status for cpf in (CPF, new_cpf(), "1", CPF)] == [200, 404, 400, 429]
    assert person(Role.CASHIER, store).get(f"/users/cpf/{CPF}").status == 200


def test_scan_is_counted_and_named_without_a_number(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIMIT_LOOKUP_PER_MINUTE = 2
    kiosk, before = Screen(store), REGISTRY.get_sample_value(REFUSED_LOOKUPS) or 0.0
    cpfs = [new_cpf() for _ in range(4)]

    answers = [kiosk.post("/users/lookup", {"cpf": cpf}).status for cpf in cpfs]

    assert answers == [200, 200, 429, 429]
    assert REGISTRY.get_sample_value(REFUSED_LOOKUPS) == before + 2
    alarms = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert alarms == [f"device {kiosk.device.id} of store {store.id} looks up more CPFs than it may"] * 2
    assert not [cpf for cpf in cpfs if cpf in caplog.text]
