"""A rush and the proving room are for the demo on this machine only."""

import json
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from breadmate.rush.place import BusyError, Place

ROOM = ["/lab/", "/lab/figures/", "/lab/report/"]
BUTTONS = [
    "/lab/start/",
    "/lab/stop/",
    *(f"/lab/trouble/{kind}/" for kind in ("valkey", "worker", "silence", "lost", "cut")),
]


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pids.json").write_text(json.dumps({"supervisor": 0}))
    (tmp_path / "demo.json").write_text(
        json.dumps(
            {
                "base_url": "http://127.0.0.1:1",
                "stream_url": "http://127.0.0.1:1",
                "simulator_url": "http://127.0.0.1:1",
            }
        )
    )
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def demo(settings: Settings, run_dir: Path) -> Settings:
    """What has to be so for the room to be open; each test takes one thing away."""
    settings.DEMO, settings.PRODUCTION, settings.MP_BASE_URL = True, False, "http://127.0.0.1:1"
    return settings


@pytest.mark.parametrize("taken", ["demo", "development", "stack", "simulator"])
def test_proving_room_is_not_there_outside_a_demo(demo: Settings, run_dir: Path, taken: str) -> None:
    assert Client().get("/lab/").status_code == 200
    demo.DEMO, demo.PRODUCTION = taken != "demo", taken == "development"
    demo.MP_BASE_URL = "https://api.mercadopago.com" if taken == "simulator" else demo.MP_BASE_URL
    if taken == "stack":
        (run_dir / "pids.json").unlink()

    assert [Client().get(path).status_code for path in ROOM] == [404] * len(ROOM)
    assert [Client().post(path).status_code for path in BUTTONS] == [404] * len(BUTTONS)


def test_buttons_want_a_page_of_ours(demo: Settings) -> None:
    stranger = Client(enforce_csrf_checks=True)

    assert [stranger.post(path).status_code for path in BUTTONS] == [403] * len(BUTTONS)
    assert [stranger.get(path).status_code for path in BUTTONS] == [405] * len(BUTTONS)


def test_what_is_not_known_cannot_be_killed(demo: Settings, run_dir: Path) -> None:
    with Place(run_dir).lease():
        assert Client().post("/lab/trouble/postgres/").status_code == 404
        assert Client().post("/lab/trouble/supervisor/").status_code == 404


def test_rush_is_refused_outside_the_demo(demo: Settings) -> None:
    demo.DEMO = False
    with pytest.raises(CommandError, match="demonstração"):
        call_command("simulate_rush")


def test_rush_does_not_leave_this_machine_unasked(demo: Settings) -> None:
    with pytest.raises(CommandError, match=r"loja\.example não é esta máquina"):
        call_command("simulate_rush", "--url", "http://loja.example")


def test_there_is_one_rush_at_a_time(run_dir: Path) -> None:
    place = Place(run_dir)
    assert not place.is_taken()
    with place.lease():
        assert place.is_taken()
        with pytest.raises(BusyError), Place(run_dir).lease():
            pass
    assert not place.is_taken()


def test_troubles_of_two_buttons_do_not_undo_each_other(run_dir: Path) -> None:
    one, other = Place(run_dir), Place(run_dir)
    with one.lease():
        one.make_trouble("lost", until=time.time() + 10)
        other.make_trouble("cut", until=time.time() + 10, cut_kiosk=3)
        trouble = one.trouble(100.0)

    assert 109 < trouble.lost_until_s <= 110
    assert (trouble.cut_kiosk, 109 < trouble.cut_until_s <= 110) == (3, True)
    with one.lease():
        assert one.asked() == {}
