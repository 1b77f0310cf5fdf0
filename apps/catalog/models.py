"""What can be sold: the chain's categories, products and modifiers, and what differs per store."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.catalog.snapshot import MarkKind, ProductKind
from apps.core.facade import new_id, row_history

STATIONS = [("balcao", "balcão"), ("chapa", "chapa"), ("fritura", "fritura"), ("bebidas", "bebidas")]


class Category(models.Model):
    """A shelf of the menu."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField("apelido na URL", unique=True)
    name = models.CharField("nome", max_length=60)
    position = models.PositiveSmallIntegerField("posição", default=0)
    archived_at = models.DateTimeField("arquivada em", null=True, blank=True)

    history = row_history.kept()

    class Meta:
        verbose_name = "categoria"
        verbose_name_plural = "categorias"

    def __str__(self) -> str:
        return self.name


class ModifierGroup(models.Model):
    """A question asked about a product, e.g. which milk. ``min`` and ``max`` count chosen quantities."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField("nome", max_length=60)
    min = models.PositiveSmallIntegerField("mínimo", default=0)
    max = models.PositiveSmallIntegerField("máximo", default=1, validators=[MinValueValidator(1)])

    history = row_history.kept()

    class Meta:
        verbose_name = "grupo de opções"
        verbose_name_plural = "grupos de opções"
        constraints = [
            models.CheckConstraint(
                condition=Q(max__gte=F("min")) & Q(max__gte=1), name="modifier_group_max_at_least_min"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Option(models.Model):
    """One answer in a modifier group. ``price`` is BRL added per unit."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    group = models.ForeignKey(ModifierGroup, models.CASCADE, related_name="+", verbose_name="grupo")
    name = models.CharField("nome", max_length=60)
    price = models.DecimalField("acréscimo", max_digits=8, decimal_places=2, default=0)
    max_quantity = models.PositiveSmallIntegerField("quantidade máxima", default=1, validators=[MinValueValidator(1)])
    position = models.PositiveSmallIntegerField("posição", default=0)
    archived_at = models.DateTimeField("arquivada em", null=True, blank=True)

    history = row_history.kept()

    class Meta:
        verbose_name = "opção"
        verbose_name_plural = "opções"
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="option_price_not_negative"),
            models.CheckConstraint(condition=Q(max_quantity__gte=1), name="option_max_quantity_at_least_one"),
        ]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """One thing on the menu of the chain. ``price`` is BRL; a store may have its own.

    A combo is sold at its own price and made of one product for each of its ``ComboSlot`` rows.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    category = models.ForeignKey(Category, models.PROTECT, related_name="+", verbose_name="categoria")
    slug = models.SlugField("apelido na URL", unique=True)
    kind = models.CharField("tipo", max_length=8, choices=ProductKind.choices, default=ProductKind.SINGLE)
    name = models.CharField("nome", max_length=80)
    description = models.CharField("descrição", max_length=300, blank=True)
    price = models.DecimalField("preço", max_digits=8, decimal_places=2)
    station = models.CharField("praça", max_length=16, choices=STATIONS, default="balcao")
    prep_minutes = models.PositiveSmallIntegerField("preparo (min)", default=0)
    allergens = ArrayField(models.SlugField(), default=list, blank=True, verbose_name="alérgenos")
    tags = ArrayField(models.SlugField(), default=list, blank=True, verbose_name="marcas")
    needs_release = models.BooleanField(
        "precisa de liberação",
        default=False,
        db_default=False,
        help_text="Para bebidas alcoólicas: o pedido só pode ser pago depois que um atendente conferir a idade do cliente.",
    )
    picture = models.CharField(
        "figura", max_length=120, blank=True, help_text="Caminho em static/, ex.: art/coxinha.svg; a foto vai à frente."
    )
    photo = models.CharField("foto", max_length=40, blank=True, editable=False, help_text="Nome dado por photos.keep.")
    position = models.PositiveSmallIntegerField("posição", default=0)
    archived_at = models.DateTimeField("arquivado em", null=True, blank=True)

    history = row_history.kept()

    class Meta:
        verbose_name = "produto"
        verbose_name_plural = "produtos"
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
            models.CheckConstraint(condition=Q(kind__in=ProductKind.values), name="product_kind_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Keep combos out of combos."""
        if self.kind == ProductKind.COMBO and SlotChoice.objects.filter(product_id=self.pk).exists():
            raise ValidationError({"kind": "Este produto é opção de um combo e não pode ser um combo."})


class ComboSlot(models.Model):
    """A place in a combo that the guest fills with exactly one product, e.g. the drink."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(
        Product, models.CASCADE, related_name="+", verbose_name="combo", limit_choices_to={"kind": ProductKind.COMBO}
    )
    name = models.CharField("nome", max_length=60)
    position = models.PositiveSmallIntegerField("posição", default=0)

    history = row_history.kept()

    class Meta:
        verbose_name = "parte do combo"
        verbose_name_plural = "partes do combo"

    def __str__(self) -> str:
        return f"{self.product} · {self.name}"


class SlotChoice(models.Model):
    """A single product that may fill a slot. ``price_delta`` is BRL added to the combo's price; it may be negative."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slot = models.ForeignKey(ComboSlot, models.CASCADE, related_name="+", verbose_name="parte do combo")
    product = models.ForeignKey(
        Product, models.CASCADE, related_name="+", verbose_name="produto", limit_choices_to={"kind": ProductKind.SINGLE}
    )
    price_delta = models.DecimalField("diferença de preço", max_digits=8, decimal_places=2, default=0)
    position = models.PositiveSmallIntegerField("posição", default=0)

    history = row_history.kept()

    class Meta:
        verbose_name = "escolha"
        verbose_name_plural = "escolhas"
        constraints = [models.UniqueConstraint("slot", "product", name="slot_choice_once")]

    def __str__(self) -> str:
        return str(self.product)

    def clean(self) -> None:
        """Refuse a combo inside a combo."""
        if self.product_id and self.product.kind != ProductKind.SINGLE:
            raise ValidationError({"product": "Um combo é feito só de produtos avulsos."})


class ProductModifierGroup(models.Model):
    """A modifier group is asked about a product, in this order."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", verbose_name="produto")
    group = models.ForeignKey(ModifierGroup, models.CASCADE, related_name="+", verbose_name="grupo")
    position = models.PositiveSmallIntegerField("posição", default=0)

    history = row_history.kept()

    class Meta:
        verbose_name = "grupo do produto"
        verbose_name_plural = "grupos do produto"
        constraints = [models.UniqueConstraint("product", "group", name="modifier_group_once_a_product")]

    def __str__(self) -> str:
        return f"{self.product} · {self.group}"


class StoreProduct(models.Model):
    """What differs at one store; a product without such a row is sold there at the chain's price."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+", verbose_name="loja")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", verbose_name="produto")
    price = models.DecimalField("preço nesta loja", max_digits=8, decimal_places=2, null=True, blank=True)
    sold_here = models.BooleanField("vendido aqui", default=True)
    paused_until = models.DateTimeField("pausado até", null=True, blank=True)
    pause_reason = models.CharField("motivo da pausa", max_length=80, blank=True)

    history = row_history.kept()

    class Meta:
        verbose_name = "produto na loja"
        verbose_name_plural = "produtos na loja"
        constraints = [
            models.UniqueConstraint("store", "product", name="store_product_once"),
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="store_price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.product} · {self.store}"


class StoreOption(models.Model):
    """What differs for an option at one store."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+", verbose_name="loja")
    option = models.ForeignKey(Option, models.CASCADE, related_name="+", verbose_name="opção")
    price = models.DecimalField("acréscimo nesta loja", max_digits=8, decimal_places=2, null=True, blank=True)
    sold_here = models.BooleanField("vendida aqui", default=True)
    paused_until = models.DateTimeField("pausada até", null=True, blank=True)

    history = row_history.kept()

    class Meta:
        verbose_name = "opção na loja"
        verbose_name_plural = "opções na loja"
        constraints = [
            models.UniqueConstraint("store", "option", name="store_option_once"),
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="store_option_price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.option} · {self.store}"


class Mark(models.Model):
    """A fact about a product at one store that catalog cannot know by itself, pushed down by the app that does.

    Written only by ``catalog.services`` under the store's menu version; it stands until ``until``, or until it is cleared.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+", verbose_name="loja")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", verbose_name="produto")
    kind = models.CharField("tipo", max_length=12, choices=MarkKind.choices)
    until = models.DateTimeField("até", null=True, blank=True)
    value = models.CharField("valor", max_length=80, blank=True)

    class Meta:
        verbose_name = "aviso do produto"
        verbose_name_plural = "avisos dos produtos"
        constraints = [
            models.UniqueConstraint("store", "product", "kind", name="mark_once_a_kind"),
            models.CheckConstraint(condition=Q(kind__in=MarkKind.values), name="mark_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.product} · {self.get_kind_display()}"


class MenuVersion(models.Model):
    """Counts the changes to one store's menu; raised in the transaction of each change."""

    store = models.OneToOneField(
        "stores.Store", models.CASCADE, primary_key=True, related_name="+", verbose_name="loja"
    )
    value = models.PositiveIntegerField("versão", default=1)

    class Meta:
        verbose_name = "versão do cardápio"
        verbose_name_plural = "versões do cardápio"

    def __str__(self) -> str:
        return f"{self.store} · {self.value}"
