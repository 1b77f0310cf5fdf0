"""What people type about a drawer."""

import re
from decimal import Decimal
from typing import Any

from django import forms

from apps.counter.rules import LARGEST, MovementKind

_AMOUNT = re.compile(r"-?\d+([.,]\d+)?|-?\d{1,3}(\.\d{3})+(,\d+)?")
_THOUSANDS = re.compile(r"-?\d{1,3}(\.\d{3})+")


class MoneyField(forms.DecimalField):
    """BRL as people write it: ``150``, ``150,00``, ``R$ 1.234,56``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=10, decimal_places=2, max_value=LARGEST, **options)
        self.error_messages |= {
            "required": "Digite um valor.",
            "invalid": "Digite um valor em reais, por exemplo 150,00.",
            "max_decimal_places": "Use no máximo dois algarismos depois da vírgula.",
            "max_value": "O valor vai até R$ 99.999,99.",
            "min_value": "O valor deve ser maior que zero."
            if options.get("min_value")
            else "O valor não pode ser negativo.",
        }

    def to_python(self, value: Any) -> Any:
        """Read the comma as the decimal sign, and a point between thousands as nothing."""
        text = str(value or "").replace("R$", "").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
        if text and not _AMOUNT.fullmatch(text):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        if "," in text or _THOUSANDS.fullmatch(text):
            text = text.replace(".", "").replace(",", ".")
        return super().to_python(text)


class OpenForm(forms.Form):
    """The drawer as it is opened."""

    opening_float = MoneyField(min_value=Decimal(0), label="Fundo de troco")


class MovementForm(forms.Form):
    """Cash without a sale."""

    kind = forms.ChoiceField(choices=MovementKind.choices, label="Tipo")
    amount = MoneyField(min_value=Decimal("0.01"), label="Valor")
    reason = forms.CharField(max_length=140, label="Motivo", error_messages={"required": "Diga o motivo."})
    form_key = forms.UUIDField(widget=forms.HiddenInput)


class CloseForm(forms.Form):
    """The drawer as it was counted."""

    counted_cash = MoneyField(min_value=Decimal(0), label="Dinheiro contado")
    note = forms.CharField(max_length=200, required=False, label="Observação")
