"""Paths of the menu."""

from django.urls import path

from apps.catalog import api

urlpatterns = [path("menu", api.MenuView.as_view())]
