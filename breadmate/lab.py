"""The proving room of the demo: start a rush, break things, and watch that nothing is lost."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from apps.core.audit import audit
from apps.inventory.models import StockLevel
from breadmate.rush import book
from breadmate.rush.place import Place
from breadmate.rush.wire import OfflineError, ask

TROUBLE_S = 10.0
SILENCE = {"match": " /v1/", "times": 1_000_000, "do": "timeout", "delay_ms": 5000, "for_s": TROUBLE_S}
KILLED = ("valkey", "worker")
AUDIT_EVERY_S = 15.0
ANSWER_S = 2.0
MOST = {"rate": 30.0, "minutes": 30.0, "kiosks": 200.0}
LEAST = {"rate": 0.5, "minutes": 0.5, "kiosks": 1.0}
USUAL = {"rate": 2, "minutes": 3, "kiosks": 50}

View = Callable[..., HttpResponse]


class _Audit:
    """The last audit this process made, made anew when somebody looks and it is old; one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, Any] | None = None
        self._at = 0.0

    def told(self) -> dict[str, Any] | None:
        if time.monotonic() - self._at > AUDIT_EVERY_S and self._lock.acquire(blocking=False):
            try:
                verdicts = list(audit())
                broken = [verdict.id for verdict in verdicts if verdict.violations]
                self._told, self._at = {"rules": len(verdicts), "broken": broken}, time.monotonic()
            finally:
                self._lock.release()
        return self._told


_audit = _Audit()


def here() -> Place | None:
    """Return where the room is; None anywhere but in a demo of ``./run`` on this machine, with a simulated provider."""
    run_dir = os.environ.get("RUN_DIR", "")
    is_simulated = urlsplit(settings.MP_BASE_URL).hostname in ("127.0.0.1", "localhost")
    if (
        settings.DEMO
        and not settings.PRODUCTION
        and is_simulated
        and run_dir
        and (Path(run_dir) / "pids.json").exists()
    ):
        return Place(Path(run_dir))
    return None


def only_in_demo(view: View) -> View:
    """Answer 404 where the room is not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = here()
        if found is None:
            raise Http404
        return view(request, found, *args, **kwargs)

    return guarded


@require_GET
@never_cache
@ensure_csrf_cookie
@only_in_demo
def room(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the room."""
    return render(request, "lab/lab.html", {"usual": USUAL, "least": LEAST, "most": MOST})


@require_GET
@never_cache
@only_in_demo
def figures(request: HttpRequest, place: Place) -> HttpResponse:
    """Tell how everything stands."""
    rush, now, pids = place.told(), time.time(), place.pids()
    asked, running = place.asked(), place.is_taken()
    return JsonResponse(
        {
            "running": running,
            "rush": rush,
            "processes": {name: pids.get(name) for name in KILLED},
            "troubles": {name: round(max(asked.get(name, 0.0) - now, 0.0), 1) for name in ("silence", "lost", "cut")},
            "cut_kiosk": asked.get("cut_kiosk"),
            "money": _money(rush) if running else _money_at_the_end(rush),
            "stock": _stock(),
            "audit": _audit.told(),
            "report": place.report.exists(),
        }
    )


@require_POST
@only_in_demo
def start(request: HttpRequest, place: Place) -> HttpResponse:
    """Start a rush, a process of its own that outlives this one; its lease is the file it locks."""
    if place.is_taken():
        return JsonResponse({"detail": "Já há um movimento em andamento."}, status=409)
    place.report.unlink(missing_ok=True)
    wanted = [word for name in MOST for word in (f"--{name}", _asked(request, name))]
    command = [sys.executable, "manage.py", "simulate_rush", *wanted, "--seed", str(random.randrange(10_000))]  # noqa: S311
    not_its_own = ("BREADMATE_ROLE", "PROMETHEUS_MULTIPROC_DIR")
    environ = {name: value for name, value in os.environ.items() if name not in not_its_own} | {"DB_POOL": "0"}
    with (place.run_dir / "log" / "rush.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - numbers that were checked
            [*command, "--report", str(place.report)],
            cwd=settings.BASE_DIR,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that it does not stay as a zombie
    return JsonResponse({"pid": process.pid}, status=202)


@require_POST
@only_in_demo
def stop(request: HttpRequest, place: Place) -> HttpResponse:
    """Let no more guests in; those who have come are still served, and the books are closed."""
    pid = place.told().get("pid")
    if not place.is_taken() or not pid:
        return JsonResponse({"detail": "Não há movimento em andamento."}, status=409)
    os.kill(pid, signal.SIGTERM)
    return JsonResponse({"pid": pid}, status=202)


@require_POST
@only_in_demo
def trouble(request: HttpRequest, place: Place, kind: str) -> HttpResponse:
    """Break something."""
    until = time.time() + TROUBLE_S
    if kind in KILLED:
        try:
            pid = place.pids()[kind]
            os.kill(pid, signal.SIGKILL)
        except (KeyError, ProcessLookupError):
            return JsonResponse({"detail": "Este processo já está fora do ar."}, status=409)
        return JsonResponse({"pid": pid})
    if kind == "silence":
        try:
            _simulator("/_sim/faults", method="POST", body=[SILENCE])
        except OfflineError:
            return JsonResponse({"detail": "O simulador não responde."}, status=409)
        place.make_trouble("silence", until=until)
        return JsonResponse({})
    if not place.is_taken():
        return JsonResponse({"detail": "Comece o movimento primeiro."}, status=409)
    if kind == "lost":
        place.make_trouble("lost", until=until)
    elif kind == "cut":
        place.make_trouble("cut", until=until, cut_kiosk=place.told().get("last_kiosk", 0))  # a guest is standing there
    else:
        raise Http404
    return JsonResponse({})


@require_GET
@never_cache
@only_in_demo
def report(request: HttpRequest, place: Place) -> HttpResponse:
    """Hand out the last report; as a file, because it brings its own styles."""
    if not place.report.exists():
        raise Http404
    file = place.report.open("rb")
    return FileResponse(file, as_attachment=True, filename=place.report.name, content_type="text/html; charset=utf-8")  # type: ignore[return-value]


def _asked(request: HttpRequest, name: str) -> str:
    """Read one number of the form, kept within what a machine can bear."""
    try:
        value = float(request.POST.get(name, ""))
    except ValueError:
        value = float(USUAL[name])
    value = min(max(LEAST[name], value), MOST[name])  # in this order what is no number becomes the least
    return str(int(value)) if name == "kiosks" else str(value)


def _money(rush: dict[str, Any]) -> dict[str, Any] | None:
    """Say what has come in since the rush began, here and at the provider; None when the provider cannot be asked."""
    try:
        there = Decimal(_simulator("/_sim/ledger")["net"]) - Decimal(rush.get("there_before", "0"))
    except OfflineError:
        return None
    here = book.kept_here() - Decimal(rush.get("here_before", "0"))
    return {"here": str(here), "there": str(there), "equal": here == there}


def _money_at_the_end(rush: dict[str, Any]) -> dict[str, Any]:
    """Say what the closed books of the last rush say; the simulator forgets its own when it is started again."""
    summary = rush.get("summary") or {}
    here, there = summary.get("here") or "0.00", summary.get("there") or "0.00"
    return {"here": here, "there": there, "equal": here == there}


def _stock() -> dict[str, int]:
    """Count what is sold out, and what was sold and is not there: the latter is never."""
    levels = StockLevel.objects.all()
    return {
        "sold_out": levels.filter(on_hand__lte=F("reserved")).count(),
        "oversold": levels.filter(on_hand__lt=F("reserved")).count(),
    }


def _simulator(path: str, *, method: str = "GET", body: Any = None) -> Any:
    return asyncio.run(ask(settings.MP_BASE_URL, path, method=method, body=body, seconds=ANSWER_S))
