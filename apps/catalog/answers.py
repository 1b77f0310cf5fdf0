"""What the menu API answers, told to its schema; see ``core.answers``. ``document`` and ``api`` build it."""

from rest_framework import serializers

from apps.catalog.models import STATIONS
from apps.catalog.snapshot import MarkKind, ProductKind
from apps.core.facade import AnyOf, Money, Page, Shape


class ModifierOption(Shape):
    """One answer to a modifier group; ``price`` is added per unit."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    price = Money()
    max_quantity = serializers.IntegerField(min_value=1)
    available = serializers.BooleanField()


class ModifierGroup(Shape):
    """A question asked about a product; ``min`` and ``max`` count chosen quantities."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    min = serializers.IntegerField(min_value=0)
    max = serializers.IntegerField(min_value=1)
    options = ModifierOption(many=True)


class SlotChoice(Shape):
    """A product that may fill a slot; ``price_delta`` is added to the combo's price and may be negative."""

    product = serializers.UUIDField()
    name = serializers.CharField()
    price_delta = Money()
    available = serializers.BooleanField()
    needs_release = serializers.BooleanField()
    modifier_groups = ModifierGroup(many=True)


class ComboSlot(Shape):
    """A place in a combo, to be filled with exactly one of its choices."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    choices = SlotChoice(many=True)


class ProductImage(Shape):
    """A product's picture."""

    src = serializers.CharField()
    srcset = serializers.CharField(help_text="Empty when there is only one size.")
    alt = serializers.CharField()


class ProductMark(Shape):
    """What is to be said of a product now; it stands until ``until``, without it until it is cleared."""

    kind = serializers.ChoiceField(choices=MarkKind.choices)
    until = serializers.DateTimeField(allow_null=True)
    value = serializers.CharField(allow_null=True)


class MenuProduct(Shape):
    """A product as a store sells it."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    kind = serializers.ChoiceField(choices=ProductKind.choices)
    name = serializers.CharField()
    description = serializers.CharField()
    price = Money()
    image = ProductImage(allow_null=True)
    available = serializers.BooleanField()
    unavailable_until = serializers.DateTimeField(
        allow_null=True, help_text="Null when it is available, or when nobody knows."
    )
    marks = ProductMark(many=True)
    station = serializers.ChoiceField(choices=STATIONS)
    prep_minutes = serializers.IntegerField(min_value=0)
    allergens = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())
    needs_release = serializers.BooleanField(help_text="Only sold after staff have checked the guest's age.")
    nutrition = serializers.DictField(allow_null=True, help_text="Null until it is kept.")
    modifier_groups = ModifierGroup(many=True)
    slots = ComboSlot(many=True, help_text="Empty unless it is a combo.")


class MenuCategory(Shape):
    """A shelf of the menu."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    products = MenuProduct(many=True)


class MenuStore(Shape):
    """Whose menu it is, and whether it takes orders."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    timezone = serializers.CharField(help_text="As in the IANA database.")
    training = serializers.BooleanField(help_text="A store to practise in: nothing in it is real.")
    open = serializers.BooleanField(help_text="Whether it takes orders now.")
    paused = serializers.BooleanField(help_text="Whether staff have paused all orders.")
    opens_at = serializers.DateTimeField(allow_null=True, help_text="Null while it is open, or when nobody knows.")
    packaging_fee = Money(help_text="Added once to an order that is taken out.")


class Menu(Shape):
    """A store's whole active menu."""

    store = MenuStore()
    version = serializers.IntegerField()
    valid_until = serializers.DateTimeField(
        allow_null=True, help_text="When the clock alone changes it; null when nothing is due."
    )
    currency = serializers.ChoiceField(choices=["BRL"])
    language = serializers.CharField()
    categories = MenuCategory(many=True)


class Product(MenuProduct):
    """A product as one store sells it, or with the chain's own values."""

    category = serializers.UUIDField()


class StoreProduct(Product):
    """A product whose price or assortment at one store was changed."""

    sold_here = serializers.BooleanField()


class ChangedProduct(AnyOf):
    """With ``store`` what that store sells, else the chain's."""

    shapes = (StoreProduct, Product)


class Products(Page):
    """Products by name."""

    results = Product(many=True)


class Category(Shape):
    """A category of the chain."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    position = serializers.IntegerField(min_value=0)


class Categories(Page):
    """Categories in the order of the menu."""

    results = Category(many=True)


class Availability(Shape):
    """Whether a store has a product or an option now."""

    id = serializers.UUIDField(help_text="Of the product or option.")
    store = serializers.UUIDField()
    available = serializers.BooleanField()
    unavailable_until = serializers.DateTimeField(allow_null=True)
