"""What clients may send about orders."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.core.facade import LineField, StrictCharField, StrictIntegerField, StrictSerializer
from apps.orders import reading
from apps.orders.checkout import Cart
from apps.orders.rules import AskedItem, AskedOption, AskedSlot, Status


class AskedOptionSerializer(StrictSerializer):
    """One chosen option; ``quantity`` is per unit of the item."""

    option = serializers.UUIDField()
    quantity = StrictIntegerField(min_value=1, max_value=reading.MOST_OF_ONE, default=1)


class AskedSlotSerializer(StrictSerializer):
    """What fills one slot of a combo."""

    slot = serializers.UUIDField()
    product = serializers.UUIDField()
    options = serializers.ListField(child=AskedOptionSerializer(), default=list, max_length=reading.MOST_OPTIONS)


class AskedItemSerializer(StrictSerializer):
    """One item of a cart."""

    product = serializers.UUIDField()
    quantity = StrictIntegerField(min_value=1, max_value=reading.MOST_OF_ONE)
    options = serializers.ListField(child=AskedOptionSerializer(), default=list, max_length=reading.MOST_OPTIONS)
    note = LineField(max_length=reading.LONGEST_NOTE, allow_blank=True, default="")
    slots = serializers.ListField(child=AskedSlotSerializer(), default=list, max_length=reading.MOST_SLOTS)


class QuoteSerializer(StrictSerializer):
    """A cart to be priced. ``reading.quote`` says the same of a good one, sooner."""

    items = serializers.ListField(child=AskedItemSerializer(), min_length=1, max_length=reading.MOST_ITEMS)
    dining_option = serializers.ChoiceField(choices=reading.DINING_OPTIONS, default="eat_in")
    coupon = StrictCharField(max_length=reading.LONGEST_COUPON, allow_blank=True, default="")
    store = serializers.UUIDField(
        required=False, help_text="Only from customers and from staff of several stores; all others have their own."
    )

    def asked(self) -> tuple[AskedItem, ...]:
        """Return the checked items."""
        return tuple(_item(item) for item in self.validated_data["items"])


class CheckoutSerializer(QuoteSerializer):
    """A cart to be ordered. ``reading.checkout`` says the same of a good one, sooner."""

    dining_option = serializers.ChoiceField(choices=reading.DINING_OPTIONS)
    guest_name = LineField(max_length=reading.LONGEST_NAME, allow_blank=True, default="")
    table_tracker = LineField(max_length=reading.LONGEST_TRACKER, allow_blank=True, default="")
    customer = StrictCharField(max_length=reading.LONGEST_TICKET, allow_blank=True, default="")
    expected_total = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=0, required=False)

    def cart(self) -> Cart:
        """Return the checked cart."""
        told = self.validated_data
        return Cart(
            items=self.asked(),
            dining_option=told["dining_option"],
            guest_name=told["guest_name"],
            table_tracker=told["table_tracker"],
            coupon=told["coupon"],
            expected_total=told.get("expected_total"),
            customer=told["customer"],
        )


class NarrowingSerializer(serializers.Serializer[Any]):
    """How a list of orders is narrowed; ``cursor`` and ``page_size`` belong to paging."""

    status = serializers.MultipleChoiceField(choices=[status.code for status in Status], required=False)
    since = serializers.DateTimeField(required=False)


class ListedStoreSerializer(serializers.Serializer[Any]):
    """Whose orders are listed to somebody of several stores."""

    store = serializers.UUIDField(required=False)


class MoveSerializer(StrictSerializer):
    """Where an order is to go."""

    status = serializers.ChoiceField(
        choices=[status.code for status in Status], error_messages={"invalid_choice": "Situação desconhecida."}
    )


class RestockSerializer(StrictSerializer):
    """Whether the goods of one item go back to stock, whatever the kitchen has started."""

    item = serializers.UUIDField()
    restock = serializers.BooleanField()


class CancelSerializer(StrictSerializer):
    """Why an order is taken back, and what staff know better about its goods."""

    reason = LineField(max_length=140, allow_blank=True, default="")
    items = serializers.ListField(child=RestockSerializer(), default=list, max_length=60)

    def restock(self) -> dict[UUID, bool]:
        """Return what was said of each item."""
        return {each["item"]: each["restock"] for each in self.validated_data["items"]}


class ReleaseSerializer(StrictSerializer):
    """Whether an order may be paid that holds what is not sold to everybody."""

    release = serializers.BooleanField()


class VoidSerializer(StrictSerializer):
    """Why an item will not be made."""

    reason = LineField(max_length=140)
    restock = serializers.BooleanField(default=True)


def _item(item: dict[str, Any]) -> AskedItem:
    return AskedItem(
        product=item["product"],
        quantity=item["quantity"],
        options=_options(item),
        note=item["note"],
        slots=tuple(AskedSlot(slot["slot"], slot["product"], _options(slot)) for slot in item["slots"]),
    )


def _options(told: dict[str, Any]) -> tuple[AskedOption, ...]:
    return tuple(AskedOption(option["option"], option["quantity"]) for option in told["options"])
