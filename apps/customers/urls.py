"""Paths of customers."""

from django.urls import path

from apps.customers import api

urlpatterns = [
    path("users", api.UsersView.as_view()),
    path("users/claim", api.ClaimView.as_view()),
    path("users/me", api.MeView.as_view()),
    path("users/me/export", api.MeExportView.as_view()),
    path("users/lookup", api.LookupView.as_view()),
    path("users/cpf/<path:cpf>", api.CustomerByCpfView.as_view()),
]
