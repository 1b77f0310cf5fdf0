"""App configuration."""

from django.apps import AppConfig


class PromotionsConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.promotions"
    label = "promotions"
    verbose_name = "promoções"

    def ready(self) -> None:
        """Forget the promotions this process remembers when it changes them."""
        from apps.promotions import queries  # noqa: PLC0415 - models are loaded only now
        from apps.promotions.models import Promotion  # noqa: PLC0415

        queries.promotions.forget_changes_of(Promotion)
