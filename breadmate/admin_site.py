"""The back office: one admin site, and the pages of rows that belong to no store."""

from django.contrib import admin

from apps.core.models import FailedDelivery, StoredEvent, User
from apps.stores.facade import OWNERS, StoreAdmin

site = admin.site


@admin.register(User)
class UserPage(StoreAdmin):
    """People who may sign in; what they may do is said by their roles."""

    store_lookup = ""
    viewers = OWNERS
    editors = OWNERS
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    search_fields = ["email", "name"]
    fields = ["email", "name", "is_active", "is_staff"]


@admin.register(StoredEvent)
class StoredEventPage(StoreAdmin):
    """Everything that happened, newest first."""

    store_lookup = "store_id"
    viewers = OWNERS
    list_display = ["occurred_at", "type", "subject_id", "seq", "dispatched_at"]
    list_filter = ["type"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(FailedDelivery)
class FailedDeliveryPage(StoreAdmin):
    """Events that a subscriber could not handle."""

    store_lookup = ""
    viewers = OWNERS
    list_display = ["handler", "event_id", "tries", "next_try_at", "dead_at"]
    ordering = ["-id"]
