"""Pages of the counter."""

from django.urls import path

from apps.counter import views

urlpatterns = [
    path("caixa/", views.desk, name="counter"),
    path("caixa/fila/", views.desk_fragment, name="counter-queue"),
    path("caixa/retirada/", views.handover_fragment, name="counter-handover"),
    path("caixa/pedido/", views.order, name="counter-order"),
    path("caixa/loja/", views.store, name="counter-store"),
    path("caixa/turno/", views.shift, name="counter-shift"),
    path("caixa/turno/abrir/", views.shift_open, name="counter-shift-open"),
    path("caixa/turno/<uuid:shift_id>/", views.shift_slip, name="counter-slip"),
    path("caixa/turno/<uuid:shift_id>/movimento/", views.cash_move, name="counter-cash-move"),
    path("caixa/turno/<uuid:shift_id>/encerrar/", views.shift_close, name="counter-shift-close"),
]
