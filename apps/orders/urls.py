"""Paths below ``/api/v1/orders``."""

from django.urls import path

from apps.orders import api

urlpatterns = [
    path("orders", api.OrdersView.as_view()),
    path("orders/quote", api.QuoteView.as_view()),
    path("orders/checkout", api.CheckoutView.as_view()),
    path("orders/<uuid:order_id>", api.OrderView.as_view()),
    path("orders/<uuid:order_id>/cancel", api.OrderCancelView.as_view()),
    path("orders/<uuid:order_id>/release", api.OrderReleaseView.as_view()),
    path("orders/<uuid:order_id>/items/<uuid:item_id>/void", api.OrderItemVoidView.as_view()),
    path("orders/<uuid:order_id>/status", api.OrderStatusView.as_view()),
    path("orders/<uuid:order_id>/recall", api.OrderRecallView.as_view()),
    path("orders/<uuid:order_id>/items/<uuid:item_id>/bump", api.ItemBumpView.as_view()),
    path("orders/<uuid:order_id>/items/<uuid:item_id>/recall", api.ItemRecallView.as_view()),
    path("orders/<uuid:order_id>/items/<uuid:item_id>/acknowledge", api.ItemAcknowledgeView.as_view()),
    path("orders/<uuid:order_id>/acknowledge", api.OrderAcknowledgeView.as_view()),
    path("orders/<uuid:order_id>/undo", api.OrderUndoView.as_view()),
    path("orders/<uuid:order_id>/history", api.OrderHistoryView.as_view()),
]
