"""Paths of devices."""

from django.urls import path

from apps.stores import api

urlpatterns = [path("devices/pair", api.PairView.as_view())]
