"""The kiosks and the guests before them: everything they do goes over HTTP, as the real kiosk does it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

from breadmate.rush import plan
from breadmate.rush.plan import End, Guest, Line, Word
from breadmate.rush.tally import Placed, Tally
from breadmate.rush.wire import OfflineError, Reply, Server

PATIENCE_S = 90.0
TRY_AGAIN_S = 1.0
ASK_EVERY_S = 3.0
SILENT_STREAM_S = 12.0
REOPEN_S = 2.0
MOST_CARTS = 5  # a guest who loses this many to sold-out things goes home
CREATED, ACCEPTED, CONFLICT, NOT_MODIFIED, INVALID = 201, 202, 409, 304, 400
BUSY_STATUSES = (429, 503)
BUSY_CODES = ("idempotency_conflict",)
GONE_CODES = ("item_unavailable", "out_of_stock", "invalid")
DOUBLE_COPIES = 3


class GoneHomeError(Exception):
    """A guest who got no answer in all their patience."""


@dataclass
class Trouble:
    """What somebody does to the rush from outside while it runs; moments on the rush's clock."""

    lost_until_s: float = 0.0  # until then every notification is lost
    cut_kiosk: int | None = None
    cut_until_s: float = 0.0


@dataclass
class Stage:
    """What all actors share."""

    web: Server
    stream: Server
    simulator: Server
    tally: Tally
    clock: Callable[[], float]  # seconds since the beginning
    trouble: Trouble = field(default_factory=Trouble)
    menus: dict[str, Any] = field(default_factory=dict)  # parsed once for all kiosks, by ETag


@dataclass
class Caller:
    """Somebody with a device's token."""

    stage: Stage
    token: str
    number: int | None = None  # of a kiosk, whose network may be cut

    @property
    def headers(self) -> dict[str, str]:
        """What proves who this is."""
        return {"Authorization": f"Device {self.token}"}

    def is_cut(self) -> bool:
        """Tell whether this kiosk's network is down."""
        trouble = self.stage.trouble
        return self.number is not None and trouble.cut_kiosk == self.number and self.stage.clock() < trouble.cut_until_s

    async def call(
        self,
        kind: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        due_s: float | None = None,
        **more: str,
    ) -> Reply:
        """Send one request until it is answered, always with the same key; busy servers are asked again when they say.

        Args:
            due_s: when the guest wanted it; the latency counts from there.

        Raises:
            GoneHomeError: no answer in ``PATIENCE_S``.
        """
        stage, was_cut = self.stage, False
        due_s = stage.clock() if due_s is None else due_s
        stage.tally.behind_s = max(stage.tally.behind_s, stage.clock() - due_s)
        headers = {**self.headers, **more, **({"Idempotency-Key": key} if key else {})}
        until = due_s + PATIENCE_S
        while stage.clock() < until:
            if self.is_cut():
                was_cut, wait = True, TRY_AGAIN_S
                stage.tally.cut += 1
            else:
                try:
                    reply = await stage.web.call(method, path, body, headers)
                except OfflineError as error:
                    stage.tally.problem(f"sem resposta: {error}")
                    wait = TRY_AGAIN_S
                else:
                    if not _is_busy(reply):
                        if not was_cut:
                            stage.tally.answered(kind, stage.clock() - due_s, stage.clock())
                        if reply.status >= 500:  # noqa: PLR2004
                            stage.tally.problem(f"{method} {path}: {reply.status} {reply.raw[:200]!r}")
                        return reply
                    stage.tally.asked_to_wait[f"{kind} {reply.status}"] += 1
                    wait = float(reply.headers.get("retry-after", ASK_EVERY_S))
            await asyncio.sleep(wait)
        raise GoneHomeError(f"{method} {path}: sem resposta em {PATIENCE_S:.0f} s")


def _is_busy(reply: Reply) -> bool:
    return reply.status in BUSY_STATUSES or (reply.status == CONFLICT and reply.body.get("code") in BUSY_CODES)


@dataclass
class Kiosk(Caller):
    """One totem; it keeps its menu as a browser does, by ETag."""

    etag: str = ""

    async def menu(self, due_s: float) -> Any:
        """Return the menu as it is now."""
        known = {"If-None-Match": self.etag} if self.etag in self.stage.menus else {}
        reply = await self.call("menu", "GET", "/api/v1/menu", due_s=due_s, **known)
        if reply.status != NOT_MODIFIED:
            self.etag = reply.headers.get("etag", "")
            self.stage.menus[self.etag] = reply.body
        return self.stage.menus[self.etag]


async def visit(guest: Guest, kiosk: Kiosk) -> None:
    """Be one guest, from the first look at the menu until the number is called or the guest has gone."""
    tally = kiosk.stage.tally
    tally.arrived += 1
    try:
        outcome = await _Visit(guest, kiosk).run()
    except GoneHomeError as error:
        outcome = "gave_up"
        tally.problem(f"cliente {guest.number} desistiu: {error}")
    except Exception as error:  # noqa: BLE001 - one guest's surprise is a finding, not the end of the rush
        outcome = "gave_up"
        tally.problem(f"cliente {guest.number}: {error!r}")
    if outcome:
        tally.left[outcome] += 1


class _Visit:
    """The way of one guest."""

    def __init__(self, guest: Guest, kiosk: Kiosk) -> None:
        self.guest = guest
        self.kiosk = kiosk
        self.stage = kiosk.stage
        self.tally = kiosk.stage.tally

    async def run(self) -> str:
        """Go through it; return why the guest left without an order, if so."""
        menu = await self.kiosk.menu(self.guest.arrives_s)
        if self.guest.end == End.LEAVES_AT_MENU:
            return self.guest.end
        lines = plan.cart(menu, self.guest.taste)
        placed = await self._order(lines)
        if placed is None:
            return "sold_out" if self.guest.end != End.LEAVES_WITH_CART else self.guest.end
        await self._pay(placed)
        return "" if self.guest.end == End.PAYS else self.guest.end

    async def _order(self, lines: list[Line]) -> Placed | None:
        """Quote and check out; what sold out is dropped, what costs more is accepted."""
        for _ in range(MOST_CARTS):
            if not lines:
                return None
            due = await self._think()
            quoted = await self._post("quote", "/api/v1/orders/quote", self._cart(lines), due_s=due)
            if quoted.status != 200:  # noqa: PLR2004
                lines = self._fewer(lines, quoted)
                continue
            if self.guest.end == End.LEAVES_WITH_CART:
                return None
            due, total, key = await self._think(), quoted.body["total"], uuid4().hex
            body = {**self._cart(lines), "expected_total": total}
            answer = await self._post("checkout", "/api/v1/orders/checkout", body, key=key, due_s=due)
            if answer.status == CREATED:
                return self._placed(answer.body)
            if answer.body.get("code") != "price_changed":  # another quote says the new price
                lines = self._fewer(lines, answer)
        return None

    def _cart(self, lines: list[Line]) -> dict[str, Any]:
        return {"dining_option": "take_out" if self.guest.takes_out else "eat_in", "items": lines}

    def _fewer(self, lines: list[Line], refusal: Reply) -> list[Line]:
        problem = refusal.body
        if refusal.status not in (CONFLICT, INVALID) or problem.get("code") not in GONE_CODES:
            raise GoneHomeError(f"recusado: {refusal.status} {refusal.raw[:200]!r}")
        if problem["code"] == "invalid" and not any(plan.SOLD_OUT_LINE.search(e["field"]) for e in problem["errors"]):
            raise GoneHomeError(f"recusado: {refusal.raw[:200]!r}")
        self.tally.sold_out += 1
        return plan.without(lines, {"errors": problem["errors"]})

    def _placed(self, order: dict[str, Any]) -> Placed:
        placed = Placed(
            order=order["id"],
            number=order["number"],
            store=order["store"],
            total=Decimal(order["total"]),
            word=self.guest.word,
            placed_s=self.stage.clock(),
        )
        self.tally.place(placed)
        return placed

    async def _pay(self, placed: Placed) -> None:
        """Open the payment, follow the order live, pay as planned, and wait until the order is on its way."""
        body = {"order": placed.order, "method": "mercado_pago_qr"}
        watching, telling = asyncio.create_task(self._watch(placed)), None
        try:
            if placed.total == 0:
                await self._until_received(placed, watching)
                return
            answer = await self._post("payment", "/api/v1/payments", body, key=uuid4().hex)
            if answer.status not in (200, CREATED, ACCEPTED):
                raise GoneHomeError(f"pagamento recusado: {answer.status} {answer.raw[:200]!r}")
            payment = await self._code(answer.body)
            placed.payment, placed.reference = payment["id"], payment["provider_reference"]
            await asyncio.sleep(self.guest.pays_after_s)
            if self.guest.end == End.CANCELS:
                await self._post("cancel", f"/api/v1/orders/{placed.order}/cancel", {"reason": "guest"})
            if self.guest.end != End.PAYS:
                return
            await self._simulator(f"/_sim/orders/{placed.reference}/pay")
            self.tally.paid(placed, self.stage.clock())
            telling = asyncio.create_task(self._tell(placed))
            await self._until_received(placed, watching)
            await telling
        finally:
            tasks = [task for task in (watching, telling) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _code(self, payment: dict[str, Any]) -> dict[str, Any]:
        """Wait for the code when the way to the provider was busy, as the kiosk does."""
        until = self.stage.clock() + PATIENCE_S
        while not payment["provider_reference"]:
            if self.stage.clock() > until:
                raise GoneHomeError("o código de pagamento não veio")
            await asyncio.sleep(ASK_EVERY_S)
            payment = (await self.kiosk.call("status", "GET", f"/api/v1/payments/{payment['id']}")).body
        return payment

    async def _tell(self, placed: Placed) -> None:
        """Send the provider's notification, or not, as the plan has it; some guests then say that they have paid."""
        word = Word.LOST if self.stage.clock() < self.stage.trouble.lost_until_s else self.guest.word
        placed.word = word
        if word == Word.LATE:
            await asyncio.sleep(self.guest.word_after_s)
        copies = {Word.LOST: 0, Word.DOUBLED: DOUBLE_COPIES}.get(word, 1)
        told = {"order_id": placed.reference}
        await asyncio.gather(*(self._simulator("/_sim/webhooks/resend", told) for _ in range(copies)))
        if self.guest.asks_again and placed.received_s is None:
            await asyncio.sleep(ASK_EVERY_S)
            if placed.received_s is None:
                await self._post("check", f"/api/v1/payments/{placed.payment}/check", None)

    async def _until_received(self, placed: Placed, watching: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.shield(watching)
        except TimeoutError:
            raise GoneHomeError(f"pagou o pedido {placed.number} e ele não chegou à cozinha") from None

    async def _watch(self, placed: Placed) -> None:
        """Return once the order no longer waits for its payment: told by its stream, or asked while that is silent."""
        heard = asyncio.Event()
        asking = asyncio.create_task(self._ask_when_silent(placed, heard))
        listening = asyncio.create_task(self._listen(placed, heard))
        try:
            done, _ = await asyncio.wait((asking, listening), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            placed.received_s = self.stage.clock()
        finally:
            for task in (asking, listening):
                task.cancel()
            await asyncio.gather(asking, listening, return_exceptions=True)

    async def _listen(self, placed: Placed, heard: asyncio.Event) -> None:
        path = f"/api/v1/orders/{placed.order}/stream"
        while True:
            if not self.kiosk.is_cut():
                with contextlib.suppress(OfflineError):
                    async for name, data in self.stage.stream.events(path, self.kiosk.headers):
                        if self.kiosk.is_cut():
                            break
                        heard.set()
                        if name == "order" and b'"awaiting_payment"' not in data:
                            return
            await asyncio.sleep(REOPEN_S)

    async def _ask_when_silent(self, placed: Placed, heard: asyncio.Event) -> None:
        path = f"/api/v1/orders/{placed.order}/status"
        while True:
            try:
                async with asyncio.timeout(SILENT_STREAM_S):
                    await heard.wait()
                    heard.clear()
            except TimeoutError:
                reply = await self.kiosk.call("status", "GET", path)
                if reply.status == 200 and reply.body["status"] != "awaiting_payment":  # noqa: PLR2004
                    return

    async def _think(self) -> float:
        """Take the guest's time; return when that was over, which is when the next answer is due."""
        due = self.stage.clock() + self.guest.thinks_s
        await asyncio.sleep(self.guest.thinks_s)
        return due

    async def _post(self, kind: str, path: str, body: Any, *, key: str = "", due_s: float | None = None) -> Reply:
        return await self.kiosk.call(kind, "POST", path, body, key=key, due_s=due_s)

    async def _simulator(self, path: str, body: Any = None) -> None:
        """Do something at the provider; the guest's bank and its notifications do not depend on our network."""
        until = self.stage.clock() + PATIENCE_S
        while True:
            try:
                reply = await self.stage.simulator.call("POST", path, body)
            except OfflineError:
                if self.stage.clock() > until:
                    raise
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            if reply.status >= 400:  # noqa: PLR2004
                raise OfflineError(f"{path}: {reply.status} {reply.raw[:200]!r}")
            return
