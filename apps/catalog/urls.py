"""Paths of the menu."""

from django.urls import path

from apps.catalog import api

urlpatterns = [
    path("menu", api.MenuView.as_view()),
    path("products", api.ProductsView.as_view()),
    path("products/<uuid:product_id>", api.ProductView.as_view()),
    path("products/<uuid:product_id>/pause", api.ProductPauseView.as_view()),
    path("products/<slug:slug>", api.ProductsOfCategoryView.as_view()),
    path("options/<uuid:option_id>/pause", api.OptionPauseView.as_view()),
    path("categories", api.CategoriesView.as_view()),
    path("categories/<uuid:category_id>", api.CategoryView.as_view()),
]
