"""The life of an order, pure: which moves are legal, what a cart means, what an item's state is."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from uuid import UUID

from django.db.models import IntegerChoices, TextChoices

from apps.catalog.facade import (
    ChoiceSnapshot,
    GroupSnapshot,
    MenuSnapshot,
    OptionSnapshot,
    ProductSnapshot,
    SlotSnapshot,
)
from apps.orders.errors import IllegalMoveError, ItemUnavailableError, ReleaseRequiredError, UnknownItemError
from apps.promotions.facade import CartLine, PricedOption

CUSTOMER = "customer"  # who placed an order, when it was somebody signed in


class Status(IntegerChoices):
    """Numbered so that the board's order is ``status DESC`` over one small index."""

    AWAITING_PAYMENT = 0, "Aguardando pagamento"
    RECEIVED = 1, "Recebido"
    IN_PREPARATION = 2, "Em preparação"
    READY = 3, "Pronto"
    FINISHED = 4, "Finalizado"
    EXPIRED = 5, "Expirado"
    CANCELLED = 6, "Cancelado"

    @property
    def code(self) -> str:
        """Return the name used in the API."""
        return self.name.lower()


CENT = Decimal("0.01")
ZERO = Decimal("0.00")
UNPAID = (Status.AWAITING_PAYMENT, Status.EXPIRED, Status.CANCELLED)
ON_BOARD = (Status.RECEIVED, Status.IN_PREPARATION, Status.READY)


class MoveKind(StrEnum):
    """How a step of the history came about."""

    MOVE = "move"
    UNDO = "undo"
    RECALL = "recall"
    RELEASE = "release"


MOVES: dict[MoveKind, dict[Status, tuple[Status, ...]]] = {
    MoveKind.MOVE: {
        Status.AWAITING_PAYMENT: (Status.RECEIVED, Status.EXPIRED, Status.CANCELLED),
        Status.EXPIRED: (Status.RECEIVED,),
        Status.RECEIVED: (Status.IN_PREPARATION, Status.CANCELLED),
        Status.IN_PREPARATION: (Status.READY, Status.CANCELLED),
        Status.READY: (Status.FINISHED, Status.CANCELLED),
    },
    MoveKind.UNDO: {
        Status.IN_PREPARATION: (Status.RECEIVED,),
        Status.READY: (Status.IN_PREPARATION,),
        Status.FINISHED: (Status.READY,),
    },
    MoveKind.RECALL: {
        Status.READY: (Status.IN_PREPARATION,),
    },
    MoveKind.RELEASE: {
        Status.AWAITING_PAYMENT: (Status.AWAITING_PAYMENT,),
    },
}
BY_HAND = {
    Status.RECEIVED: (Status.IN_PREPARATION,),
    Status.IN_PREPARATION: (Status.READY,),
    Status.READY: (Status.FINISHED,),
}
UNDO_WITHIN = timedelta(seconds=10)


def check_hand_move(now: Status, to: Status) -> None:
    """Allow only the steps that kitchen and counter make by hand.

    Raises:
        IllegalMoveError: names the legal ones.
    """
    legal = BY_HAND.get(now, ())
    if to not in legal:
        raise IllegalMoveError(now.label, to.label, [status.code for status in legal])


def undo_target(now: Status, moved_at: datetime, at: datetime) -> Status:
    """Return where an undo leads.

    Raises:
        IllegalMoveError: there is nothing to undo, or it is longer ago than ``UNDO_WITHIN``.
    """
    targets = MOVES[MoveKind.UNDO].get(now, ())
    if not targets or at - moved_at > UNDO_WITHIN:
        raise IllegalMoveError(now.label, "desfazer", [])
    return targets[0]


class Release(TextChoices):
    """Whether an order with an item that only staff may let go, alcohol, may be paid; other orders have none."""

    WAITING = "waiting", "esperando liberação"
    RELEASED = "released", "liberado"
    REFUSED = "refused", "recusado"


PAYABLE = ("", Release.RELEASED)


def check_released(release: str) -> None:
    """Let an order be paid only when nothing in it waits for staff.

    Raises:
        ReleaseRequiredError: something does, or was refused.
    """
    if release not in PAYABLE:
        raise ReleaseRequiredError


class PreparationState(StrEnum):
    """How far one thing to make has come, least advanced first."""

    QUEUED = "queued"
    STARTED = "started"
    DONE = "done"
    VOIDED = "voided"


ADVANCEMENT = list(PreparationState)


def item_state(rows: Iterable[str]) -> str:
    """Return the least advanced state of an item's rows; an unpaid item has none and is queued."""
    return min(rows, key=lambda state: ADVANCEMENT.index(PreparationState(state)), default=PreparationState.QUEUED)


CANCELLABLE_PAID = (Status.RECEIVED, Status.IN_PREPARATION, Status.READY)
VOIDABLE = (Status.RECEIVED, Status.IN_PREPARATION)


class CancelKind(TextChoices):
    """What has to follow when a paid order is cancelled, each done once by its owner."""

    STOCK = "stock", "estoque de volta"
    COUPON = "coupon", "uso do cupom de volta"
    REFUND = "refund", "dinheiro de volta"


class CancelState(TextChoices):
    """How far one step of a cancellation has come."""

    WAITING = "waiting", "em andamento"
    DONE = "done", "feito"
    FAILED = "failed", "precisa de alguém"


def shares_of(line_totals: Sequence[Decimal], total: Decimal) -> list[Decimal]:
    """Return what each line cost after its share of all discounts, BRL; the shares add up to exactly ``total``.

    A discount is shared over all lines in proportion to what they cost, whatever it was given for: an order keeps what was
    taken off, not where. Running sums are rounded half up, so no share is ever negative or more than its line cost.

    Args:
        line_totals: before discounts, in the order of the lines.
        total: what the order costs, at most their sum.
    """
    subtotal = sum(line_totals, ZERO)
    shares, reached, before = [], ZERO, ZERO
    for line_total in line_totals:
        reached += line_total
        upto = (total * reached / subtotal).quantize(CENT, ROUND_HALF_UP) if subtotal else ZERO
        shares.append(upto - before)
        before = upto
    return shares


@dataclass(frozen=True, slots=True)
class AskedOption:
    """An option as a client names it; ``quantity`` is per unit of the item."""

    option: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class AskedSlot:
    """How a client fills one slot of a combo."""

    slot: UUID
    product: UUID
    options: tuple[AskedOption, ...] = ()


@dataclass(frozen=True, slots=True)
class AskedItem:
    """An item as a client names it."""

    product: UUID
    quantity: int
    options: tuple[AskedOption, ...] = ()
    note: str = ""
    slots: tuple[AskedSlot, ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenOption:
    """An option found on the menu."""

    option: OptionSnapshot
    quantity: int


@dataclass(frozen=True, slots=True)
class ChosenSlot:
    """A slot of a combo, filled with one of its choices."""

    slot: SlotSnapshot
    choice: ChoiceSnapshot
    options: tuple[ChosenOption, ...]


@dataclass(frozen=True, slots=True)
class ChosenItem:
    """An item found on the menu, every choice checked. ``slots`` are in the combo's order, all of them."""

    product: ProductSnapshot
    category: UUID
    quantity: int
    options: tuple[ChosenOption, ...]
    note: str
    slots: tuple[ChosenSlot, ...] = ()

    def cart_line(self) -> CartLine:
        """Return what pricing needs to know: offers on a combo are on the whole of it, never on what fills its slots."""
        chosen = (*self.options, *(option for slot in self.slots for option in slot.options))
        return CartLine(
            product=self.product.id,
            category=self.category,
            unit_price=sum((slot.choice.price_delta for slot in self.slots), self.product.price),
            quantity=self.quantity,
            options=tuple(PricedOption(each.option.price, each.quantity) for each in chosen),
        )

    def products(self) -> Counter[UUID]:
        """Return the units it takes of each product: its own, and those in its slots."""
        units: Counter[UUID] = Counter({self.product.id: self.quantity})
        for slot in self.slots:
            units[slot.choice.product.id] += self.quantity
        return units

    def needs_release(self) -> bool:
        """Tell whether staff have to let it go: itself, or what fills one of its slots."""
        return self.product.needs_release or any(slot.choice.product.needs_release for slot in self.slots)

    def things(self) -> list[tuple[str, int]]:
        """Return station and minutes of each thing to make: itself, or what fills its slots."""
        made = [slot.choice.product for slot in self.slots] or [self.product]
        return [(product.station, product.prep_minutes) for product in made]


MOST_UNITS = 300
MOST_MONEY = Decimal("5000.00")


def choose(menu: MenuSnapshot, items: Sequence[AskedItem], at: datetime) -> list[ChosenItem]:
    """Find every asked item on the store's menu.

    Raises:
        UnknownItemError: not on this store's menu, an option of another product, too few or too many of a group, a slot left
            open, filled twice, of another combo or with something else than its choices.
        ItemUnavailableError: paused right now, itself or what fills a slot.
    """
    if sum(item.quantity for item in items) > MOST_UNITS:
        raise UnknownItemError("items", f"Até {MOST_UNITS} unidades por pedido.", code="max_units")
    category_of = {product.id: shelf.id for shelf in menu.categories for product in shelf.products}
    return [_choose_item(menu, category_of, item, f"items[{position}]", at) for position, item in enumerate(items)]


def _choose_item(
    menu: MenuSnapshot, category_of: Mapping[UUID, UUID], item: AskedItem, field: str, at: datetime
) -> ChosenItem:
    product = menu.products.get(item.product)
    if product is None:
        raise UnknownItemError(f"{field}.product", "Este produto não está no cardápio desta loja.")
    if not product.available(at):
        raise ItemUnavailableError(product.id, product.name)
    return ChosenItem(
        product=product,
        category=category_of[product.id],
        quantity=item.quantity,
        options=_choose_options(product, item.options, field, at),
        note=item.note,
        slots=_fill_slots(product, item.slots, field, at),
    )


def _fill_slots(combo: ProductSnapshot, asked: Sequence[AskedSlot], field: str, at: datetime) -> tuple[ChosenSlot, ...]:
    """Fill every slot of a combo exactly once; a single has none."""
    slots = {slot.id: slot for slot in combo.slots}
    filled: dict[UUID, ChosenSlot] = {}
    for position, each in enumerate(asked):
        here = f"{field}.slots[{position}]"
        slot = slots.get(each.slot)
        if slot is None:
            raise UnknownItemError(f"{here}.slot", "Esta parte não é deste produto.")
        if slot.id in filled:
            raise UnknownItemError(f"{here}.slot", f"{slot.name} aparece duas vezes.", code="duplicate")
        filled[slot.id] = _fill_slot(slot, each, here, at)
    for slot in combo.slots:
        if slot.id not in filled:
            raise UnknownItemError(f"{field}.slots", f"Escolha {slot.name}.", code="slot_missing")
    return tuple(filled[slot.id] for slot in combo.slots)


def _fill_slot(slot: SlotSnapshot, asked: AskedSlot, field: str, at: datetime) -> ChosenSlot:
    choice = next((choice for choice in slot.choices if choice.product.id == asked.product), None)
    if choice is None:
        raise UnknownItemError(f"{field}.product", f"Este produto não é uma escolha de {slot.name}.")
    if not choice.product.available(at):
        raise ItemUnavailableError(choice.product.id, choice.product.name)
    return ChosenSlot(slot=slot, choice=choice, options=_choose_options(choice.product, asked.options, field, at))


def _choose_options(
    product: ProductSnapshot, options: Sequence[AskedOption], field: str, at: datetime
) -> tuple[ChosenOption, ...]:
    asked = {option.option: option.quantity for option in options}
    if len(asked) < len(options):
        raise UnknownItemError(f"{field}.options", "Uma opção aparece duas vezes; use a quantidade.", code="duplicate")
    chosen = [chosen for group in product.groups for chosen in _choose_from(group, asked, product, field, at)]
    if len(chosen) < len(asked):
        raise UnknownItemError(f"{field}.options", "Uma das opções não é deste produto.")
    return tuple(chosen)


def _choose_from(
    group: GroupSnapshot, asked: dict[UUID, int], product: ProductSnapshot, field: str, at: datetime
) -> list[ChosenOption]:
    chosen = [ChosenOption(option, asked[option.id]) for option in group.options if option.id in asked]
    count = sum(each.quantity for each in chosen)
    if count < group.min:
        raise UnknownItemError(f"{field}.options", f"Escolha {group.name} (mínimo {group.min}).", code="group_minimum")
    if count > group.max:
        raise UnknownItemError(f"{field}.options", f"{group.name}: no máximo {group.max}.", code="group_maximum")
    for each in chosen:
        if each.quantity > each.option.max_quantity:
            raise UnknownItemError(
                f"{field}.options", f"{each.option.name}: no máximo {each.option.max_quantity}.", code="option_maximum"
            )
        if not each.option.available(at):
            raise ItemUnavailableError(product.id, each.option.name)
    return chosen
