"""Acting out a day: arrivals on schedule whatever the server does, and a look at everything once a second."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from breadmate.rush import plan
from breadmate.rush.cooks import Kitchen
from breadmate.rush.guests import PATIENCE_S, Caller, Kiosk, Stage, Trouble, visit
from breadmate.rush.tally import Tally
from breadmate.rush.wire import Server, ask

BEFORE_S = 1.0  # for the boards to be opened before the first guest comes
KITCHEN_S = 90.0  # for the last orders to be served
HELD_BACK = {"drop": 1.0, "duplicates": 0, "delay_ms": [0, 0]}  # the plan says which notification is sent and when
AS_USUAL = {"drop": 0.0, "duplicates": 0, "delay_ms": [0, 0]}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to act out, and where."""

    url: str
    stream_url: str
    simulator_url: str
    seed: int
    kiosks: int
    minutes: float
    rate: float


@dataclass(frozen=True, slots=True)
class Ways:
    """How a rush reaches its surroundings while it runs."""

    tell: Callable[[str, dict[str, Any]], None]  # once a second: the phase and the figures
    trouble: Callable[[float], Trouble]  # what somebody has done to it, on its own clock
    may_go_on: Callable[[], bool]
    bake: Callable[[int], Awaitable[None]] | None = None  # the next batch


class Rush:
    """One day."""

    def __init__(self, wanted: Wanted, *, kiosks: Sequence[str], boards: Sequence[str], ways: Ways) -> None:
        self.wanted = wanted
        self.tally = Tally()
        self.lasted_s = 0.0
        self._tokens = kiosks
        self._boards = boards
        self._ways = ways
        self._stopping = asyncio.Event()
        self._begun = 0.0
        self._phase = "running"
        self._last_kiosk = 0

    async def run(self) -> Tally:
        """Act it out; a signal or a lost lease ends the arrivals, and what was begun is still finished."""
        wanted = self.wanted
        guests = plan.day(seed=wanted.seed, kiosks=len(self._tokens), minutes=wanted.minutes, rate=wanted.rate)
        self._begun = time.monotonic() + BEFORE_S
        stage = Stage(
            web=Server(wanted.url),
            stream=Server(wanted.stream_url),
            simulator=Server(wanted.simulator_url),
            tally=self.tally,
            clock=self._clock,
        )
        kiosks = [Kiosk(stage, token, number) for number, token in enumerate(self._tokens)]
        kitchens = [Kitchen(Caller(stage, token), guests) for token in self._boards]
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        await self._policy(HELD_BACK)
        behind = [asyncio.create_task(work) for work in (self._look(stage), *(each.watch() for each in kitchens))]
        try:
            visits = await self._open(guests, kiosks, behind)
            self.lasted_s = self._clock()
            self._phase = "settling"
            if visits:
                _, late = await asyncio.wait(visits, timeout=3 * PATIENCE_S if self._ways.may_go_on() else 1.0)
                for task in late:
                    task.cancel()
                    self.tally.problem("um cliente ainda esperava no fim")
            until = self._clock() + KITCHEN_S
            while self._clock() < until and self._ways.may_go_on() and not self._served(kitchens):  # noqa: ASYNC110 - there are many to wait for
                await asyncio.sleep(0.2)
            for placed in self.tally.orders.values():
                if placed.paid_s is not None and placed.served_s is None:
                    self.tally.problem(f"o pedido {placed.number} foi pago e não foi entregue")
        finally:
            for task in behind:
                task.cancel()
            await asyncio.gather(*behind, return_exceptions=True)
            await self._policy(AS_USUAL)
            for server in (stage.web, stage.stream, stage.simulator):
                server.close()
        return self.tally

    async def _open(
        self, guests: list[plan.Guest], kiosks: list[Kiosk], behind: list[asyncio.Task[None]]
    ) -> list[asyncio.Task[None]]:
        """Let the guests come as planned; return their visits."""
        visits: list[asyncio.Task[None]] = []
        if self._ways.bake is not None:
            behind.append(asyncio.create_task(self._bake()))
        for guest in guests:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), max(guest.arrives_s - self._clock(), 0.0))
            if self._stopping.is_set():
                break
            self._last_kiosk = guest.kiosk
            visits.append(asyncio.create_task(visit(guest, kiosks[guest.kiosk])))
        return visits

    def _clock(self) -> float:
        return time.monotonic() - self._begun

    def _served(self, kitchens: list[Kitchen]) -> bool:
        paid = [placed for placed in self.tally.orders.values() if placed.paid_s is not None]
        return all(placed.served_s is not None for placed in paid) and all(each.is_done for each in kitchens)

    async def _look(self, stage: Stage) -> None:
        while True:
            if not self._ways.may_go_on():  # before anything is written: the folder may be gone with the stack
                self._stopping.set()
                return
            now = self._clock()
            stage.trouble = self._ways.trouble(now)
            figures = {"elapsed_s": round(max(now, 0.0), 1), "last_kiosk": self._last_kiosk, **self.tally.look(now)}
            self._ways.tell(self._phase, figures)
            await asyncio.sleep(1.0)

    async def _bake(self) -> None:
        from breadmate.rush.shop import BATCH_EVERY_S  # noqa: PLC0415 - the only part that needs the database

        number = 0
        while self._ways.bake is not None:
            await asyncio.sleep(BATCH_EVERY_S)
            await self._ways.bake(number)
            number += 1

    async def _policy(self, policy: dict[str, Any]) -> None:
        await ask(self.wanted.simulator_url, "/_sim/webhooks/policy", method="POST", body=policy)
