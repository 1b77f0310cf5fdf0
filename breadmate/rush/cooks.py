"""The kitchens: a board that is read live, and cooks who take each order through its steps by the API."""

import asyncio
import contextlib
import re

from breadmate.rush.guests import Caller, GoneHomeError
from breadmate.rush.plan import Guest
from breadmate.rush.wire import OfflineError

STEPS = ("in_preparation", "ready", "finished")
# How the board's drawing names a ticket, inside the JSON of its event.
TICKET = re.compile(rb'data-order=\\"([0-9a-f-]{36})\\"')
REOPEN_S = 2.0


class Kitchen:
    """One store's board and its cooks."""

    def __init__(self, board: Caller, guests: list[Guest]) -> None:
        self.board = board
        self.stage = board.stage
        self._guests = guests  # how long each dish takes is part of the plan
        self._seen: set[str] = set()
        self._cooking: set[asyncio.Task[None]] = set()

    async def watch(self) -> None:
        """Read the board until cancelled; every new ticket of this rush is taken."""
        while True:
            with contextlib.suppress(OfflineError):
                async for name, data in self.stage.stream.events("/kitchen/stream", self.board.headers):
                    if name == "board":
                        self._take({found.decode() for found in TICKET.findall(data)})
            await asyncio.sleep(REOPEN_S)

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is being cooked."""
        return not self._cooking

    def _take(self, orders: set[str]) -> None:
        for order in orders - self._seen:
            placed = self.stage.tally.orders.get(order)
            if placed is None:
                continue  # somebody else's, or the guest has not heard of it yet
            self._seen.add(order)
            self.stage.tally.on_board(placed, self.stage.clock())
            task = asyncio.create_task(self._cook(order))
            self._cooking.add(task)
            task.add_done_callback(self._cooking.discard)

    async def _cook(self, order: str) -> None:
        times = self._guests[len(self._seen) % len(self._guests)].cooks_s
        try:
            for step, seconds in zip(STEPS, times, strict=True):
                await asyncio.sleep(seconds)
                path = f"/api/v1/orders/{order}/status"
                reply = await self.board.call("cook", "PATCH", path, {"status": step}, Prefer="return=minimal")
                if reply.status != 200:  # noqa: PLR2004
                    self.stage.tally.problem(f"a cozinha não pôde passar a {step}: {reply.status} {reply.raw[:200]!r}")
                    return
        except GoneHomeError as error:
            self.stage.tally.problem(f"cozinha: {error}")
            return
        self.stage.tally.orders[order].served_s = self.stage.clock()
