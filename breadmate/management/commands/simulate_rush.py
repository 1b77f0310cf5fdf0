"""``manage.py simulate_rush``: a busy day in some minutes, and the books afterwards."""

import asyncio
import json
import os
import sys
import time
from argparse import ArgumentParser
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from breadmate.rush import book, machine, report, shop
from breadmate.rush.guests import Trouble
from breadmate.rush.place import BusyError, Place
from breadmate.rush.run import Rush, Wanted, Ways
from breadmate.rush.wire import OfflineError, ask

EVERY_S = 5.0
SIMULATOR_CALLS_AN_ORDER = 3


class Command(BaseCommand):
    """Act out a rush on the running demo shop, or on any whose devices' tokens are given; exit 1 when anything is wrong."""

    help = "Simula um movimento: totens, clientes, pagamentos e cozinha, e confere todos os livros no fim."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what to act out, and where."""
        parser.add_argument("--kiosks", type=int, default=50, help="totens (50)")
        parser.add_argument("--minutes", type=float, default=10.0, help="duração (10)")
        parser.add_argument("--rate", type=float, default=20.0, help="pedidos por segundo, em média (20)")
        parser.add_argument("--seed", type=int, default=7, help="a mesma semente faz o mesmo dia (7)")
        parser.add_argument("--url", default="", help="onde a loja atende, se não é a que ./run abriu")
        parser.add_argument(
            "--devices", type=Path, help="JSON como demo.json, com os tokens dos aparelhos de outra loja"
        )
        parser.add_argument("--report", type=Path, help="onde escrever o relatório em HTML")
        parser.add_argument("--yes-really", action="store_true", help="permite uma loja em outra máquina")

    def handle(self, *args: Any, **options: Any) -> None:
        """Act it out, close the books, tell."""
        self.options = options
        self.place = Place(Path(os.environ.get("RUN_DIR") or settings.BASE_DIR / ".run").resolve())
        self.is_own = options["devices"] is None
        self.said_at = 0.0
        self.before: dict[str, Any] = {}
        if not 1 <= options["kiosks"] <= 500 or options["rate"] <= 0 or options["minutes"] <= 0:  # noqa: PLR2004
            raise CommandError("De 1 a 500 totens; ritmo e duração maiores que zero.")
        told = self._shop()
        wanted = Wanted(
            url=(options["url"] or told["base_url"]).rstrip("/"),
            stream_url=told.get("stream_url") or options["url"],
            simulator_url=told.get("simulator_url") or "",
            seed=options["seed"],
            kiosks=options["kiosks"],
            minutes=options["minutes"],
            rate=options["rate"],
        )
        self._check(wanted)
        if not self.is_own:
            self._act(wanted, told)
            return
        try:
            with self.place.lease():
                self.place.tell({"phase": "preparing", "pid": os.getpid()})
                self._act(wanted, told)
        except BusyError:
            raise CommandError("Já há um movimento em andamento.") from None

    def _shop(self) -> dict[str, Any]:
        """Read where everything is and whose tokens to use."""
        if self.is_own and (settings.PRODUCTION or not settings.DEMO):
            raise CommandError("Só na loja de demonstração; para outra, dê --url e --devices.")
        path = self.options["devices"] or self.place.run_dir / "demo.json"
        try:
            told: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from None
        return told

    def _check(self, wanted: Wanted) -> None:
        """Refuse other people's machines and a provider that takes real money."""
        hosts = {urlsplit(url).hostname or "" for url in (wanted.url, wanted.stream_url, wanted.simulator_url)}
        far = sorted(host for host in hosts if not _is_here(host))
        if far and not self.options["yes_really"]:
            raise CommandError(
                f"{', '.join(far) or 'sem endereço'} não é esta máquina; se é mesmo essa loja: --yes-really"
            )
        try:
            asyncio.run(ask(wanted.simulator_url, "/_sim/health"))
        except OfflineError as error:
            raise CommandError(f"O simulador de pagamentos não responde: {error}") from None

    def _act(self, wanted: Wanted, told: dict[str, Any]) -> None:
        begun = timezone.now()
        kiosks, boards, devices = self._cast(wanted, told, begun)
        scarce = shop.stock_up(seed=wanted.seed, at=begun) if self.is_own else []
        if self.is_own and wanted.rate * SIMULATOR_CALLS_AN_ORDER > settings.MP_RATE:
            self.stderr.write(
                f"MP_RATE={settings.MP_RATE:g} chamadas por segundo ao provedor não bastam para {wanted.rate:g} pedidos: "
                f"os códigos vão esperar. Abra a loja com MP_RATE={wanted.rate * SIMULATOR_CALLS_AN_ORDER * 2:g} ./run"
            )
        if self.is_own:
            there = asyncio.run(ask(wanted.simulator_url, "/_sim/ledger"))["net"]
            self.before = {"here_before": str(book.kept_here()), "there_before": there}
        close_old_connections()

        async def bake(number: int) -> None:
            def in_thread() -> None:
                try:
                    shop.bake(scarce, number=number, at=timezone.now())
                finally:
                    close_old_connections()

            await sync_to_async(in_thread, thread_sensitive=False)()

        ways = Ways(
            tell=lambda phase, figures: self._tell(wanted, phase, figures),
            trouble=self.place.trouble if self.is_own else lambda _: Trouble(),
            may_go_on=self.place.stack_is_up if self.is_own else lambda: True,
            bake=bake if scarce else None,
        )
        pids = self.place.pids() if self.is_own else {}
        used, cpu, load = machine.use_of(pids), machine.own_cpu_s(), os.getloadavg()[0]
        clock = time.monotonic()

        async def act() -> Rush:
            rush = Rush(wanted, kiosks=kiosks, boards=boards, ways=ways)
            await rush.run()
            return rush

        rush = asyncio.run(act())
        took = time.monotonic() - clock
        used_after = machine.use_of(self.place.pids()) if self.is_own else {}
        books = self._books(wanted, rush, begun, devices)
        outcome = report.Outcome(
            wanted=wanted,
            tally=rush.tally,
            books=books,
            begun=timezone.localtime(begun),
            lasted_s=rush.lasted_s,
            took_s=took,
            own_cpu_s=machine.own_cpu_s() - cpu,
            used_before=used,
            used_after=used_after,
            load=(load, os.getloadavg()[0]),
            machine=machine.described(),
            command=_command(),
        )
        self._finish(outcome)

    def _cast(self, wanted: Wanted, told: dict[str, Any], at: datetime) -> tuple[list[str], list[str], list[UUID]]:
        """Return the tokens of totems and boards and, when they are ours, who they are."""
        if self.is_own:
            made = shop.screens(kiosks=wanted.kiosks, at=at)
            kiosks = [token for each in made for token in each.kiosks]
            return kiosks, [each.board for each in made], [device for each in made for device in each.devices]
        devices = [store["devices"] for store in told["stores"]]
        given = [token for each in devices for name, token in each.items() if name.startswith("kiosk")]
        return [given[n % len(given)] for n in range(wanted.kiosks)], [each["board"] for each in devices], []

    def _books(self, wanted: Wanted, rush: Rush, begun: datetime, devices: list[UUID]) -> book.Books | None:
        """Compare everything, where the database is ours to read."""
        if not self.is_own:
            return None
        self._tell(wanted, "checking", self.place.told())
        there = book.kept_there(asyncio.run(ask(wanted.simulator_url, "/_sim/orders"))["orders"])
        told = list(rush.tally.orders.values())
        return replace(book.compare(told, book.written_since(begun, devices), there), verdicts=book.audited())

    def _finish(self, outcome: report.Outcome) -> None:
        summary = report.summary(outcome)
        self._line("")
        self.stdout.write(report.text(outcome))
        path = self.options["report"]
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(report.html(outcome), encoding="utf-8")
            self.stdout.write(f"relatório: {path}")
        if self.is_own:
            self.place.tell({**self.place.told(), "phase": "done", "summary": summary, "at": time.time()})
        if not outcome.is_right:
            sys.exit(1)

    def _tell(self, wanted: Wanted, phase: str, figures: dict[str, Any]) -> None:
        now = {"phase": phase, "at": time.time(), "minutes": wanted.minutes, "rate": wanted.rate, **figures}
        now |= {"phase": phase, "kiosks": wanted.kiosks, "seed": wanted.seed, "pid": os.getpid(), **self.before}
        if self.is_own:
            self.place.tell(now)
        if sys.stdout.isatty() or time.monotonic() - self.said_at >= EVERY_S:
            self.said_at = time.monotonic()
            self._line(report.one_line(now))

    def _line(self, text: str) -> None:
        if sys.stdout.isatty():
            self.stdout.write(f"\r\033[K{text}", ending="" if text else "\r")
        elif text:
            self.stdout.write(text)
        self.stdout.flush()


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _command() -> str:
    """Return how this was called, without the places of this machine."""
    words = [Path(word).name if "/" in word and "://" not in word else word for word in sys.argv[1:]]
    return " ".join([".venv/bin/python manage.py", *words])
