"""Webhook events: planned by a policy, signed, sent by worker threads and retried on the simulator's clock."""

import http.client
import queue
import threading
import time
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from ops.mpsim import signature
from ops.mpsim.agenda import Agenda
from ops.mpsim.clock import CHANCE, Clock
from ops.mpsim.errors import ApiError, bad_value
from ops.mpsim.journal import Journal
from ops.mpsim.state import Action, Order
from ops.mpsim.wire import (
    chargeback_event,
    dumps,
    forged_json,
    merchant_order_event,
    payment_event,
    webhook_json,
)

WORKERS = 16
ORDERINGS = ("fifo", "lifo", "shuffle")
TOPICS = ("order", "payment", "topic_merchant_order_wh", "topic_chargebacks_wh")
PARTIAL_EVENTS = ("none", "order.refunded", "order.processed")


def is_span(times: tuple[float, ...]) -> bool:
    """Tell whether these are a shortest and a longest time."""
    match times:
        case (shortest, longest):
            return 0 <= shortest <= longest
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Policy:
    """How events leave: where to, how late, how often, in which order and how signed.

    ``duplicates`` is a number of extra copies; a fraction is the chance of one more. ``drop`` is the chance of loss.
    ``lifo`` and ``shuffle`` gather events for the longest delay and then send them one by one.
    """

    url: str = ""
    topics: tuple[str, ...] = ("order",)
    delay_ms: tuple[int, int] = (0, 0)
    duplicates: float = 0
    drop: float = 0
    reorder: str = "fifo"
    sign: str = "docs"
    ts_unit: str = "ms"
    timeout_s: float = 22
    retry_s: tuple[float, ...] = (900, 900, 900, 3600, 7200)
    partial_event: str = "none"

    def __post_init__(self) -> None:
        if self.url and (urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname):
            raise bad_value("url is an http or https address", "url")
        if not self.topics or not set(self.topics) <= set(TOPICS):
            raise bad_value(f"topics are one or more of {', '.join(TOPICS)}", "topics")
        if not is_span(self.delay_ms):
            raise bad_value("delay_ms is [shortest, longest]", "delay_ms")
        if self.duplicates < 0 or not 0 <= self.drop <= 1:
            raise bad_value("duplicates is 0 or more, drop lies between 0 and 1", "duplicates", "drop")
        choices = {
            "reorder": ORDERINGS,
            "sign": signature.STYLES,
            "ts_unit": ("ms", "s"),
            "partial_event": PARTIAL_EVENTS,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise bad_value(f"{name} is one of {', '.join(allowed)}", name)


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it was written down; it never changes afterwards."""

    topic: str
    data_id: str
    version: int
    action: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One copy of a message on its way."""

    message: Message
    request_id: str
    sign: str | None = None
    retry: int = 0
    generation: int = 0


class Courier:
    """Sends events without ever making the API wait."""

    def __init__(self, clock: Clock, agenda: Agenda, journal: Journal, *, secret: str, policy: Policy) -> None:
        self._clock = clock
        self._agenda = agenda
        self._journal = journal
        self._secret = secret
        self.policy = policy
        self._lock = threading.Lock()
        self._messages: dict[str, list[Message]] = {}
        self._gathered: list[Delivery] = []
        self._generation = 0
        self._batches: queue.SimpleQueue[list[Delivery]] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the worker threads."""
        for number in range(WORKERS):
            threading.Thread(target=self._work, name=f"mpsim-webhook-{number}", daemon=True).start()

    def stop(self) -> None:
        """End the worker threads once they are idle."""
        for _ in range(WORKERS):
            self._batches.put([])  # an empty batch ends one worker

    def reset(self, policy: Policy) -> None:
        """Forget every event; what is still on its way is not sent again."""
        with self._lock:
            self.policy = policy
            self._messages.clear()
            self._gathered.clear()
            self._generation += 1

    def publish(self, order: Order, action: Action) -> None:
        """Write an event down and plan its copies."""
        name: str = action
        if action == "order.partially_refunded":
            if self.policy.partial_event == "none":
                return
            name = self.policy.partial_event
        messages = [self._message(topic, order, name) for topic in self.policy.topics if concerns(topic, order, name)]
        with self._lock:
            self._messages.setdefault(order.id, []).extend(messages)
        for message in messages:
            self._plan(message)

    def resend(self, order_id: str, version: int | None) -> None:
        """Send one event again at once, the latest when no version is given; drop and delay do not apply."""
        with self._lock:
            known = self._messages.get(order_id, [])
            wanted = [message for message in known if version in (None, message.version)]
        if not wanted:
            raise ApiError(404, "event_not_found", "The order has no such event.")
        latest = wanted[-1].version
        self._batches.put([self._delivery(message) for message in wanted if message.version == latest])

    def forge(self, data_id: str, action: str, sign: str, user_id: str) -> None:
        """Send an event about something that never happened."""
        if sign not in signature.STYLES:
            raise bad_value(f"sign is one of {', '.join(signature.STYLES)}", "sign")
        body = dumps(forged_json(data_id, action, user_id, self._clock.now()))
        self._batches.put([replace(self._delivery(Message("order", data_id, 99, action, body)), sign=sign)])

    def _message(self, topic: str, order: Order, action: str) -> Message:
        now = self._clock.now()
        if topic == "order":
            return Message(topic, order.id, order.version, action, dumps(webhook_json(order, action, now)))
        if topic == "payment":
            return Message(
                topic, order.payment_reference, order.version, "payment.updated", dumps(payment_event(order, now))
            )
        if topic == "topic_chargebacks_wh":
            return Message(topic, order.chargeback_id, order.version, "new_case", dumps(chargeback_event(order, now)))
        body = dumps(merchant_order_event(order, now))
        return Message(topic, order.merchant_order_id, order.version, action, body)

    def _delivery(self, message: Message) -> Delivery:
        return Delivery(message, str(uuid.uuid4()), generation=self._generation)

    def _plan(self, message: Message) -> None:
        policy = self.policy
        if not policy.url:
            return
        if CHANCE.random() < policy.drop:
            self._journal.add("webhook", data_id=message.data_id, action=message.action, outcome="dropped")
            return
        copies = 1 + int(policy.duplicates) + (CHANCE.random() < policy.duplicates % 1)
        deliveries = [self._delivery(message) for _ in range(copies)]
        if policy.reorder == "fifo":
            due = self._clock.now() + timedelta(milliseconds=CHANCE.uniform(*policy.delay_ms))
            for delivery in deliveries:
                self._send_at(due, delivery)
            return
        with self._lock:
            first = not self._gathered
            self._gathered.extend(deliveries)
        if first:
            self._agenda.at(self._clock.now() + timedelta(milliseconds=policy.delay_ms[1]), self._release)

    def _send_at(self, due: datetime, delivery: Delivery) -> None:
        self._agenda.at(due, lambda: self._batches.put([delivery]))

    def _release(self) -> None:
        with self._lock:
            batch, self._gathered = self._gathered, []
        if self.policy.reorder == "lifo":
            batch.reverse()
        else:
            CHANCE.shuffle(batch)
        if batch:
            self._batches.put(batch)

    def _work(self) -> None:
        while batch := self._batches.get():
            for delivery in batch:
                if delivery.generation == self._generation:
                    self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        policy = self.policy
        message = delivery.message
        entry = self._journal.add(
            "webhook",
            topic=message.topic,
            data_id=message.data_id,
            action=message.action,
            version=message.version,
            request_id=delivery.request_id,
            retry=delivery.retry,
            outcome="sending",
        )
        begun = time.monotonic()
        try:
            status = post(policy, message, self._headers(delivery, policy))
            facts: dict[str, object] = {"outcome": "answered", "status": status}
        except (OSError, http.client.HTTPException) as error:
            status = 0
            facts = {"outcome": "failed", "error": type(error).__name__}
        self._journal.amend(entry, latency_ms=round((time.monotonic() - begun) * 1000, 1), **facts)
        if status not in (200, 201) and delivery.retry < len(policy.retry_s):
            wait = timedelta(seconds=policy.retry_s[delivery.retry])
            self._send_at(self._clock.now() + wait, replace(delivery, retry=delivery.retry + 1))

    def _headers(self, delivery: Delivery, policy: Policy) -> dict[str, str]:
        seconds = self._clock.now().timestamp()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "restclient-node/4.15.3",
            "X-Request-Id": delivery.request_id,
            "X-Retry": str(delivery.retry),
            "X-Socket-Timeout": str(int(policy.timeout_s * 1000)),
        }
        signed = signature.header(
            delivery.sign or policy.sign,
            secret=self._secret,
            data_id=delivery.message.data_id,
            request_id=delivery.request_id,
            ts=str(int(seconds * 1000 if policy.ts_unit == "ms" else seconds)),
        )
        if signed is not None:
            headers["X-Signature"] = signed
        return headers


def concerns(topic: str, order: Order, action: str) -> bool:
    """Tell whether a change is an event of this topic: a QR order has a payment once it is paid, a Pix payment no order."""
    match topic:
        case "topic_chargebacks_wh":
            return action == "order.charged_back"
        case "payment":
            return order.payment_reference != ""
        case "order":
            return order.kind == "qr" and action != "order.charged_back"
        case _:
            return True


def post(policy: Policy, message: Message, headers: dict[str, str]) -> int:
    """Send one event and return the status of its answer."""
    url = urlsplit(policy.url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=policy.timeout_s)
    try:
        path = f"{url.path or '/'}?data.id={quote(message.data_id, safe='')}&type={message.topic}"
        connection.request("POST", path, body=message.body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
