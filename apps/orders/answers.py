"""What the orders API answers, told to its schema; see ``core.answers``. ``documents`` builds it."""

from typing import Any

from rest_framework import serializers

from apps.core.facade import AnyOf, Money, Page, Shape
from apps.orders.models import CHANNELS, DINING
from apps.orders.rules import MoveKind, PreparationState, Release, Status

STATUSES = [status.code for status in Status]
ITEM_STATES = [state.value for state in PreparationState]
STEP_KINDS = [kind.value for kind in MoveKind]
DINING_OPTIONS = [code for code, _ in DINING]
CHANNEL_HELP = "T: kiosk, C: counter, Q: the guest's phone."


class OrderOption(Shape):
    """A chosen option; ``quantity`` is per unit of its item."""

    option = serializers.UUIDField()
    name = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)
    unit_price = Money()


class OrderSlot(Shape):
    """What fills one slot of a combo."""

    slot = serializers.UUIDField()
    product = serializers.UUIDField()
    name = serializers.CharField()
    price_delta = Money()
    options = OrderOption(many=True)


class QuotedItem(Shape):
    """An item of a cart; ``total`` is quantity × (unit price + slots + options)."""

    product = serializers.UUIDField()
    name = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)
    unit_price = Money()
    options = OrderOption(many=True)
    slots = OrderSlot(many=True, help_text="Empty unless it is a combo.")
    note = serializers.CharField()
    total = Money()


class Discount(Shape):
    """What one offer takes off."""

    name = serializers.CharField()
    amount = Money()


class Quote(Shape):
    """What a cart costs as checkout would charge it."""

    items = QuotedItem(many=True)
    subtotal = Money()
    discount_total = Money()
    discounts = Discount(many=True)
    packaging_fee = Money()
    total = Money(help_text="Subtotal less discounts, with the packaging fee.")
    promised_minutes = serializers.IntegerField(min_value=0)


class IntegratorItem(Shape):
    """An item of an order as other systems see it: without the guest's note."""

    id = serializers.UUIDField()
    product = serializers.UUIDField()
    name = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)
    unit_price = Money()
    options = OrderOption(many=True)
    slots = OrderSlot(many=True, help_text="Empty unless it is a combo.")
    needs_release = serializers.BooleanField(help_text="Only sold after staff have checked the guest's age.")
    total = Money(help_text="Quantity × (unit price + slots + options).")
    state = serializers.ChoiceField(choices=ITEM_STATES)


class OrderItem(IntegratorItem):
    """An item of an order."""

    note = serializers.CharField()


class PanelOrder(Shape):
    """An order as everybody in the room sees it."""

    number = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)


class OrderStatus(Shape):
    """Where an order stands."""

    id = serializers.UUIDField()
    number = serializers.CharField(help_text="Called out at the counter, e.g. T042.")
    status = serializers.ChoiceField(choices=STATUSES)
    status_label = serializers.CharField(help_text="The status in Brazilian Portuguese, for people.")
    promised_at = serializers.DateTimeField(allow_null=True, help_text="Null until it is paid.")
    version = serializers.IntegerField(min_value=1, help_text="Raised by every change.")
    release = serializers.ChoiceField(
        choices=Release.choices, allow_null=True, help_text="Null when nothing in it waits for staff."
    )


class IntegratorOrder(OrderStatus):
    """An order as other systems see it: with its money, without its guest."""

    store = serializers.UUIDField()
    training = serializers.BooleanField(help_text="An order of a store for training: none of it is real.")
    channel = serializers.ChoiceField(choices=CHANNELS, help_text=CHANNEL_HELP)
    dining_option = serializers.ChoiceField(choices=DINING_OPTIONS)
    items = IntegratorItem(many=True)
    subtotal = Money()
    discount_total = Money()
    discounts = Discount(many=True)
    packaging_fee = Money()
    total = Money(help_text="Subtotal less discounts, with the packaging fee.")
    placed_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Until when it waits for money.")
    scheduled_for = serializers.DateTimeField(allow_null=True, help_text="Null until orders can be placed ahead.")
    payment = serializers.UUIDField(allow_null=True, help_text="The payment under way, or the one that paid.")


class Order(IntegratorOrder):
    """An order."""

    guest_name = serializers.CharField(help_text="Empty when none was given.")
    items = OrderItem(many=True)
    tracking_url = serializers.URLField(help_text="Its public page.")
    stream_url = serializers.URLField(help_text="Its live stream (text/event-stream).")
    pickup_code = serializers.CharField()


class BoardOption(Shape):
    """A chosen option as the kitchen sees it."""

    option = serializers.UUIDField()
    name = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)


class BoardSlot(Shape):
    """What fills one slot of a combo, as the kitchen sees it."""

    slot = serializers.UUIDField()
    product = serializers.UUIDField()
    name = serializers.CharField()
    options = BoardOption(many=True)


class BoardItem(Shape):
    """An item as the kitchen sees it."""

    id = serializers.UUIDField()
    product = serializers.UUIDField()
    name = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)
    options = BoardOption(many=True)
    slots = BoardSlot(many=True)
    note = serializers.CharField()
    needs_release = serializers.BooleanField()
    state = serializers.ChoiceField(choices=ITEM_STATES)


class BoardOrder(Shape):
    """An order as the kitchen sees it: without money."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    status_label = serializers.CharField(help_text="The status in Brazilian Portuguese, for people.")
    version = serializers.IntegerField(min_value=1)
    training = serializers.BooleanField(help_text="An order of a store for training: none of it is real.")
    channel = serializers.ChoiceField(choices=CHANNELS, help_text=CHANNEL_HELP)
    dining_option = serializers.ChoiceField(choices=DINING_OPTIONS)
    guest_name = serializers.CharField()
    items = BoardItem(many=True)
    placed_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    queue_at = serializers.DateTimeField(allow_null=True, help_text="Its place: the board is sorted by it.")
    ready_at = serializers.DateTimeField(allow_null=True)
    promised_at = serializers.DateTimeField(allow_null=True)
    scheduled_for = serializers.DateTimeField(allow_null=True)


class OrderForKitchen(AnyOf):
    """To a board without money, to staff whole."""

    shapes = (Order, BoardOrder)


class MovedOrder(AnyOf):
    """To a board without money, to staff whole, to whoever prefers that only where it stands."""

    shapes = (Order, BoardOrder, OrderStatus)


class OrderForReader(AnyOf):
    """To a board without money, to other systems without its guest, to all else who may see it whole."""

    shapes = (Order, IntegratorOrder, BoardOrder)


class ListedOrder(AnyOf):
    """To staff and its customer whole, to other systems without its guest, to screens without money."""

    shapes = (Order, IntegratorOrder, BoardOrder, PanelOrder)


class Orders(Page):
    """The board, which is one page, or orders by time."""

    results = ListedOrder(many=True)


class OrderStep(Shape):
    """One step of an order's life; ``from`` is null for the first."""

    to = serializers.ChoiceField(choices=STATUSES)
    at = serializers.DateTimeField()
    by = serializers.CharField(help_text="Inside the shop who it was, to others only what kind of caller.")
    kind = serializers.ChoiceField(choices=STEP_KINDS)

    def get_fields(self) -> dict[str, Any]:
        """Add the one that Python has another use for."""
        return {"from": serializers.ChoiceField(choices=STATUSES, allow_null=True), **super().get_fields()}


class OrderHistory(Shape):
    """An order's steps, first to last."""

    results = OrderStep(many=True)
