"""What makes an order cheaper: promotions that hold by themselves and coupons that a guest types."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from apps.core.facade import new_id, row_history
from apps.promotions.rules import Kind

KINDS = [(Kind.PERCENT, "por cento"), (Kind.AMOUNT, "valor em R$")]


class Terms(models.Model):
    """How much is taken off, where and when. Dates are moments; hours are the store's local time and may pass midnight."""

    name = models.CharField("nome", max_length=60, help_text="Aparece no pedido e no recibo.")
    kind = models.CharField("tipo", max_length=8, choices=KINDS)
    value = models.DecimalField("valor", max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="+", null=True, blank=True, verbose_name="só na loja"
    )
    starts_at = models.DateTimeField("começa em", null=True, blank=True)
    ends_at = models.DateTimeField("termina em", null=True, blank=True)
    active = models.BooleanField("ativa", default=True)

    class Meta:
        abstract = True


class Promotion(Terms):
    """Taken off by itself: from a product, from all of a category, or from the whole order when neither is named."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(
        "catalog.Product", models.CASCADE, related_name="+", null=True, blank=True, verbose_name="produto"
    )
    category = models.ForeignKey(
        "catalog.Category", models.CASCADE, related_name="+", null=True, blank=True, verbose_name="categoria"
    )
    from_time = models.TimeField("das", null=True, blank=True)
    to_time = models.TimeField("até as", null=True, blank=True)

    history = row_history.kept()

    class Meta:
        verbose_name = "promoção"
        verbose_name_plural = "promoções"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["percent", "amount"]), name="promotion_kind_is_known"),
            models.CheckConstraint(condition=Q(value__gt=0), name="promotion_value_positive"),
            models.CheckConstraint(
                condition=~Q(kind="percent") | Q(value__lte=100), name="promotion_percent_within_100"
            ),
            models.CheckConstraint(condition=Q(product=None) | Q(category=None), name="promotion_names_one_target"),
            models.CheckConstraint(
                condition=Q(from_time=None, to_time=None) | Q(from_time__isnull=False, to_time__isnull=False),
                name="promotion_hours_come_in_pairs",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="promotion_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Coupon(Terms):
    """Taken off the order for a code. ``used`` is counted in the checkout's own transaction, never above ``use_limit``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(
        "código",
        max_length=20,
        validators=[RegexValidator(r"^[A-Z0-9]{3,20}$", "De 3 a 20 letras maiúsculas e números.")],
    )
    use_limit = models.PositiveIntegerField("limite de usos", null=True, blank=True)
    used = models.PositiveIntegerField("usos", default=0, editable=False)

    history = row_history.kept()

    class Meta:
        verbose_name = "cupom"
        verbose_name_plural = "cupons"
        constraints = [
            models.UniqueConstraint(Upper("code"), name="coupon_code_once"),
            models.CheckConstraint(condition=Q(kind__in=["percent", "amount"]), name="coupon_kind_is_known"),
            models.CheckConstraint(condition=Q(value__gt=0), name="coupon_value_positive"),
            models.CheckConstraint(condition=~Q(kind="percent") | Q(value__lte=100), name="coupon_percent_within_100"),
            models.CheckConstraint(
                condition=Q(use_limit=None) | Q(used__lte=F("use_limit")), name="coupon_used_within_limit"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CouponUse(models.Model):
    """One order used one coupon; ``returned_at`` when the order ended unpaid or was cancelled."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    coupon = models.ForeignKey(Coupon, models.PROTECT, related_name="+", verbose_name="cupom")
    order_id = models.UUIDField(unique=True)
    used_at = models.DateTimeField("usado em")
    returned_at = models.DateTimeField("devolvido em", null=True)

    class Meta:
        verbose_name = "uso de cupom"
        verbose_name_plural = "usos de cupons"

    def __str__(self) -> str:
        return f"{self.coupon} {self.order_id}"
