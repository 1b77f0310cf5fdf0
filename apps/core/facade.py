"""What the other apps may use of core."""

from apps.core import limits, prepared, row_history, trail
from apps.core.actors import PROVIDER, SYSTEM, Actor, Grant, Role
from apps.core.answers import IDEMPOTENCY_KEY, REPLAYED, AnyOf, Money, Page, Shape, refuses
from apps.core.audit import sql_invariant
from apps.core.buckets import Buckets
from apps.core.edge import read_body
from apps.core.errors import DatabaseUnavailableError, DomainError, InvalidError, NotFoundError
from apps.core.events import publish, published, row_of
from apps.core.findings import Finding, Level
from apps.core.formats import brl, iso
from apps.core.idempotency import (
    Answer,
    Claim,
    KeyReusedError,
    RivalRunningError,
    RivalWonError,
    answered_or_counted,
    claim_from,
    correct_answer,
    forget_answers,
    keep_answer,
    stored_answer,
    waited_for_key,
)
from apps.core.ids import new_id
from apps.core.limits import Limit, LimitedError
from apps.core.memory import Memory
from apps.core.metrics import count_refused_lookup
from apps.core.models import User
from apps.core.paging import page
from apps.core.partitions import first_id
from apps.core.problems import from_domain, problem
from apps.core.qr import svg as qr_svg
from apps.core.sealing import KeyRing, UnreadableError, decoded_key, derived_key
from apps.core.streams import Drawing, hub, in_thread, stream_response
from apps.core.strict import LineField, StrictCharField, StrictIntegerField, StrictSerializer
from apps.core.turns import take_turn, wait_for_turn
from apps.core.wake import News, tell

__all__ = [
    "IDEMPOTENCY_KEY",
    "PROVIDER",
    "REPLAYED",
    "SYSTEM",
    "Actor",
    "Answer",
    "AnyOf",
    "Buckets",
    "Claim",
    "DatabaseUnavailableError",
    "DomainError",
    "Drawing",
    "Finding",
    "Grant",
    "InvalidError",
    "KeyReusedError",
    "KeyRing",
    "Level",
    "Limit",
    "LimitedError",
    "LineField",
    "Memory",
    "Money",
    "News",
    "NotFoundError",
    "Page",
    "RivalRunningError",
    "RivalWonError",
    "Role",
    "Shape",
    "StrictCharField",
    "StrictIntegerField",
    "StrictSerializer",
    "UnreadableError",
    "User",
    "answered_or_counted",
    "brl",
    "claim_from",
    "correct_answer",
    "count_refused_lookup",
    "decoded_key",
    "derived_key",
    "first_id",
    "forget_answers",
    "from_domain",
    "hub",
    "in_thread",
    "iso",
    "keep_answer",
    "limits",
    "new_id",
    "page",
    "prepared",
    "problem",
    "publish",
    "published",
    "qr_svg",
    "read_body",
    "refuses",
    "row_history",
    "row_of",
    "sql_invariant",
    "stored_answer",
    "stream_response",
    "take_turn",
    "tell",
    "trail",
    "wait_for_turn",
    "waited_for_key",
]
