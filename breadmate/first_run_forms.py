"""What a new shop is asked for, one form a step."""

import re
import unicodedata
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.catalog import photos
from apps.catalog.models import Category
from apps.core.facade import User
from apps.payments.providers.mercado_pago.places import Location
from apps.stores.models import WEEKDAYS
from breadmate import first_run

TIME_ZONES = [
    ("America/Sao_Paulo", "Brasília (São Paulo, Rio, Sul, Minas)"),
    ("America/Bahia", "Bahia"),
    ("America/Fortaleza", "Nordeste (Fortaleza)"),
    ("America/Recife", "Pernambuco"),
    ("America/Belem", "Pará (Belém)"),
    ("America/Campo_Grande", "Mato Grosso do Sul"),
    ("America/Cuiaba", "Mato Grosso"),
    ("America/Manaus", "Amazonas (Manaus)"),
    ("America/Porto_Velho", "Rondônia"),
    ("America/Boa_Vista", "Roraima"),
    ("America/Rio_Branco", "Acre"),
    ("America/Noronha", "Fernando de Noronha"),
]
LONGEST_CODE = 20
CLOCK = {
    "placeholder": "00:00",
    "maxlength": 5,
    "autocomplete": "off",
}  # type=time shows a.m. and p.m. in some browsers


class OwnerForm(forms.Form):
    """Who answers for the shop."""

    code = forms.CharField(
        label="Código de instalação",
        max_length=40,
        help_text="Aparece no terminal em que o BreadMate foi iniciado.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    name = forms.CharField(label="Seu nome", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="Seu e-mail",
        help_text="É com ele que você entra.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label="Senha",
        strip=False,
        help_text="Pelo menos 10 letras ou números; três palavras soltas já servem.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Senha, outra vez",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_code(self) -> str:
        """Let in only who sees the terminal."""
        typed: str = self.cleaned_data["code"]
        if not first_run.is_code(typed):
            raise ValidationError("Este código não confere. Copie o que está no terminal, da linha “Set up”.")
        return typed

    def clean(self) -> dict[str, Any]:
        """Refuse a weak password, and one typed in two ways."""
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if told.get("password") and told.get("again") and told["password"] != told["again"]:
            self.add_error("again", "As duas senhas são diferentes.")
        if told.get("password"):
            try:
                validate_password(told["password"], User(email=told.get("email", ""), name=told.get("name", "")))
            except ValidationError as refusal:
                self.add_error("password", refusal)
        return told


class StoreForm(forms.Form):
    """The shop and when it is open."""

    name = forms.CharField(label="Nome da loja", max_length=120, help_text="Como os clientes conhecem a padaria.")
    code = forms.CharField(
        label="Código curto",
        max_length=LONGEST_CODE,
        required=False,
        help_text="Letras e números, como CENTRO. Vazio: feito do nome.",
    )
    timezone = forms.ChoiceField(label="Fuso horário", choices=TIME_ZONES)
    days = forms.TypedMultipleChoiceField(
        label="Abre em",
        coerce=int,
        choices=WEEKDAYS,
        initial=[day for day, _ in WEEKDAYS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    opens_at = forms.TimeField(
        label="Das", required=False, initial="06:00", widget=forms.TimeInput(attrs=CLOCK, format="%H:%M")
    )
    closes_at = forms.TimeField(
        label="Até as",
        required=False,
        initial="20:00",
        help_text="Fora do horário, o totem avisa quando abre. As duas horas vazias: sempre aberta.",
        widget=forms.TimeInput(attrs=CLOCK, format="%H:%M"),
    )

    def clean_code(self) -> str:
        """Make a code of the name where none was given."""
        typed = _letters(self.cleaned_data["code"] or self.cleaned_data.get("name", ""))
        if self.cleaned_data["code"] and typed != self.cleaned_data["code"].strip().upper():
            raise ValidationError("Só letras sem acento e números, sem espaços.")
        if not typed:
            raise ValidationError("Escreva um código com letras ou números.")
        return typed

    def clean(self) -> dict[str, Any]:
        """Take both hours or none, and a day with them."""
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(told.get("opens_at")) != bool(told.get("closes_at")):
            missing = "closes_at" if told.get("opens_at") else "opens_at"
            self.add_error(missing, "Preencha as duas horas, ou nenhuma.")
        if told.get("opens_at") and told.get("closes_at") and not told.get("days"):
            self.add_error("days", "Marque pelo menos um dia.")
        return told


class PaymentsForm(forms.Form):
    """The account that guests pay into."""

    token = forms.CharField(
        label="Access token de produção",
        max_length=300,
        help_text="No Mercado Pago: Suas integrações → sua aplicação → Credenciais de produção.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        label="Assinatura secreta dos webhooks",
        max_length=200,
        required=False,
        help_text="Opcional agora: na mesma aplicação, em Webhooks. Com ela, os avisos de pagamento são conferidos.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, kept: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kept:
            self.fields["token"].required = False
            self.fields["token"].help_text = "Já guardado. Preencha só para trocar."


class PlaceForm(forms.Form):
    """Where the store is, as Mercado Pago asks of a store it does not know."""

    street_name = forms.CharField(label="Rua", max_length=120)
    street_number = forms.CharField(label="Número", max_length=20)
    city_name = forms.CharField(label="Cidade", max_length=80)
    state_name = forms.CharField(label="Estado, por extenso", max_length=40)
    latitude = forms.FloatField(label="Latitude", min_value=-34, max_value=6, localize=False)
    longitude = forms.FloatField(
        label="Longitude",
        min_value=-74,
        max_value=-28,
        help_text="No Google Maps, toque e segure sobre a loja: os dois números aparecem na busca.",
    )

    def location(self) -> Location:
        """Return it as the provider wants it."""
        return Location(**self.cleaned_data)


class ProductForm(forms.Form):
    """The first thing on the menu."""

    category = forms.ModelChoiceField(Category.objects.none(), label="Categoria", empty_label=None)
    name = forms.CharField(label="Nome do produto", max_length=80, help_text="Como aparece no totem: Pão na chapa.")
    price = forms.DecimalField(label="Preço (R$)", min_value=0, max_digits=8, decimal_places=2, localize=True)
    photo = forms.FileField(
        label="Foto",
        required=False,
        help_text="Opcional: JPEG, PNG ou WebP de até 10 MB.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        category: Any = self.fields["category"]
        category.queryset = Category.objects.filter(archived_at=None).order_by("position", "name")

    def clean_photo(self) -> photos.Photo | None:
        """Make a photo of the file, or say why not."""
        upload = self.cleaned_data.get("photo")
        if not upload:
            return None
        try:
            return photos.read(upload.file, size=upload.size)
        except photos.PhotoRefusedError as refusal:
            raise ValidationError(str(refusal)) from None


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.upper())
    return re.sub(r"[^A-Z0-9]", "", plain)[:LONGEST_CODE]
