"""Paths of devices."""

from django.urls import path

from apps.stores import api

urlpatterns = [
    path("devices/pair", api.PairView.as_view()),
    path("devices/heartbeat", api.HeartbeatView.as_view()),
    path("auth/token", api.SignInView.as_view()),
    path("auth/token/refresh", api.RenewView.as_view()),
]
