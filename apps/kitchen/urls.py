"""Pages of the kitchen."""

from django.urls import path

from apps.kitchen import views

urlpatterns = [
    path("kitchen/", views.board, name="board"),
    path("kitchen/orders/", views.board_fragment),
    path("panel/", views.panel, name="panel"),
    path("panel/orders/", views.panel_fragment),
]
