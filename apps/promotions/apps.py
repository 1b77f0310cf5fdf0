"""App configuration."""

from django.apps import AppConfig


class PromotionsConfig(AppConfig):
    """Registers the app under its short name."""

    name = "apps.promotions"
    label = "promotions"
    verbose_name = "promoções"
