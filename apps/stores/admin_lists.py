"""What keeps a page of rows quick that pile up for years: newest first by their ids, counted only so far."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from unfold.contrib.filters.admin import RangeDateFilter

from apps.core.facade import first_id

MOST_COUNTED = 10_000
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9999, 1, 1)  # of ids, whatever somebody types


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # Django has no such argument
    """Counts no further than ``MOST_COUNTED`` rows and has no page beyond them: what is older is found by a filter."""

    template_name = "admin/bounded_pages.html"
    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """Count, in a time that does not grow with the table."""
        return int(self.object_list.order_by()[:MOST_COUNTED].count())

    @property
    def is_cut(self) -> bool:
        """Tell whether there may be more."""
        return self.count == MOST_COUNTED


class MadeFilter(RangeDateFilter):
    """Rows made from one local day to another, found by their ids (UUIDv7), which every table has in order."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.title = "dia"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep them; a day that is none narrows nothing, and its form says so."""
        form = self.form_class(name=self.parameter_name, data=self.used_parameters)
        form.is_valid()
        first = form.cleaned_data.get(f"{self.parameter_name}_from")
        last = form.cleaned_data.get(f"{self.parameter_name}_to")
        if first:
            queryset = queryset.filter(id__gte=first_id(_midnight(first)))
        if last:
            queryset = queryset.filter(id__lt=first_id(_midnight(last) + timedelta(days=1)))
        return queryset


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), time()))
