"""Paths below ``/api/v1/inventory``."""

from django.urls import path

from apps.inventory import api

urlpatterns = [
    path("inventory/items", api.ItemsView.as_view()),
    path("inventory/items/<uuid:item_id>/movements", api.ItemMovementsView.as_view()),
    path("inventory/movements", api.MovementsView.as_view()),
]
