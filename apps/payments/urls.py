"""Paths below ``/api/v1/payments``."""

from django.urls import path

from apps.payments import api

urlpatterns = [
    path("payments", api.PaymentsView.as_view()),
    path("payments/<uuid:payment_id>", api.PaymentView.as_view()),
    path("payments/<uuid:payment_id>/check", api.PaymentCheckView.as_view()),
    path("payments/<uuid:payment_id>/confirm", api.PaymentConfirmView.as_view()),
    path("payments/<uuid:payment_id>/refunds", api.PaymentRefundsView.as_view()),
]
