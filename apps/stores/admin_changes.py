"""What a form of the back office changed, from what to what, for the audit trail."""

from typing import Any

from django.db.models import Model
from django.forms import ModelChoiceField

from apps.core.facade import trail


def of_form(form: Any) -> list[trail.Change]:
    """Say which fields of a form were given another value."""
    return [_change(form, name) for name in form.changed_data if not name.endswith("DELETE")]


def of_formset(formset: Any) -> list[trail.Change]:
    """Say which rows below the form's own were added, changed or taken away; each field is named after its row."""
    changes = []
    kind = str(formset.model._meta.verbose_name)  # noqa: SLF001 - Django's public API
    personal = bool(getattr(formset.model, "PERSONAL", frozenset()))
    for form in formset.forms:
        if form in formset.deleted_forms:
            if form in formset.initial_forms:
                row = kind if personal else f"{kind} “{form.instance}”"
                changes.append({"field": row, "from": "" if personal else str(form.instance), "to": None})
            continue
        for name in form.changed_data:
            row = kind if personal else f"{kind} “{form.instance}”"
            told = _change(form, name)
            label = form.fields[name].label or name
            changes.append({**told, "field": f"{row}: {str(label).lower()}"})
    return changes


def _change(form: Any, name: str) -> trail.Change:
    field, now, was = form.fields[name], form.cleaned_data.get(name), form.initial.get(name)
    if name not in {column.name for column in form._meta.model._meta.get_fields()}:  # noqa: SLF001 - Django's public API
        return {"field": str(field.label or name).lower(), "changed": True}
    if isinstance(field, ModelChoiceField) and was is not None and not isinstance(was, Model):
        was = field.queryset.model.objects.filter(pk=was).first() if field.queryset is not None else was
    return trail.change(form._meta.model, name, was, now)  # noqa: SLF001 - Django's public API
