"""What the inventory API answers, told to its schema; see ``core.answers``. ``api`` builds it."""

from rest_framework import serializers

from apps.core.facade import Page, Shape
from apps.inventory.models import UNITS, Reason


class StockLevel(Shape):
    """How much of an item a store has, in the item's unit."""

    id = serializers.UUIDField(help_text="Of the item.")
    name = serializers.CharField()
    unit = serializers.ChoiceField(choices=UNITS)
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField(help_text="Promised to unpaid orders, and still on hand.")
    available = serializers.IntegerField()


class StockLevels(Page):
    """Every item of a store, on one page."""

    results = StockLevel(many=True)


class StockMovement(Shape):
    """One change of what is on hand, in the item's unit."""

    id = serializers.UUIDField()
    item = serializers.UUIDField()
    delta = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=Reason.choices)
    note = serializers.CharField()
    order = serializers.UUIDField(allow_null=True, help_text="Whose sale it was.")
    at = serializers.DateTimeField()


class StockMovements(Page):
    """An item's movements, newest first."""

    results = StockMovement(many=True)
