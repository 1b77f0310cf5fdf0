"""What is a CPF, a CNPJ, a phone, a name; and how each is shown. Pure."""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from django.core.exceptions import ValidationError
from localflavor.br.validators import BRCNPJValidator, BRCPFValidator

CPF = re.compile(r"[0-9]{11}")
CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
BETWEEN_DIGITS = re.compile(r"[.\-/ ]")
COUNTRY = "55"
PHONE = re.compile(r"(?:[1-9]{2})(?:9[0-9]{8}|[2-5][0-9]{7})")
MOBILE_DIGITS = 11
LONGEST_TYPED = 20
HIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
TURNS_TEXT = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


class Kind(StrEnum):
    """Whose number it is: a person's or a company's."""

    CPF = "cpf"
    CNPJ = "cnpj"


class Purpose(StrEnum):
    """What a customer may allow us."""

    LOYALTY = "loyalty"
    MARKETING = "marketing"
    RECEIPT = "receipt"


class Source(StrEnum):
    """Where a consent was given or taken back."""

    KIOSK = "kiosk"
    WEB = "web"
    COUNTER = "counter"
    ERASURE = "erasure"


@dataclass(frozen=True, slots=True)
class Document:
    """A CPF or CNPJ with right check digits, without its punctuation; never printed whole by accident."""

    kind: Kind
    number: str = field(repr=False)

    @property
    def masked(self) -> str:
        """Show it as ``***.456.789-**``, a company's as ``**.345.678/****-**``."""
        middle = f"{self.number[3:6]}.{self.number[6:9]}"
        if self.kind is Kind.CPF:
            return f"***.{middle}-**"
        return f"**.{self.number[2:5]}.{self.number[5:8]}/****-**"


def parse_document(text: str) -> Document | None:
    """Read a CPF or CNPJ as somebody typed it; None when it is not one or its check digits are wrong."""
    if len(text) > LONGEST_TYPED:
        return None
    number = BETWEEN_DIGITS.sub("", text).upper()
    if CPF.fullmatch(number):
        kind, check = Kind.CPF, BRCPFValidator()
    elif CNPJ.fullmatch(number):
        kind, check = Kind.CNPJ, BRCNPJValidator()
    else:
        return None
    try:
        check(number)
    except ValidationError:
        return None
    return None if len(set(number)) == 1 else Document(kind=kind, number=number)


def parse_phone(text: str) -> str | None:
    """Read a Brazilian phone as somebody typed it; return it as E.164, ``+5511987654321``, or None."""
    digits = re.sub(r"[\s().\-]", "", text)
    if digits.startswith("+"):
        digits = digits[1:] if digits.startswith(f"+{COUNTRY}") else ""
    digits = digits.removeprefix("0")
    if len(digits) > MOBILE_DIGITS:
        digits = digits.removeprefix(COUNTRY)
    return f"+{COUNTRY}{digits}" if PHONE.fullmatch(digits) else None


def clean_text(text: str) -> str | None:
    """Return a name or address in one line and one spelling (NFC), or None when it hides characters."""
    tidy = unicodedata.normalize("NFC", re.sub(r" +", " ", text).strip())
    if any(unicodedata.category(letter) in HIDDEN_CATEGORIES or letter in TURNS_TEXT for letter in tidy):
        return None
    return tidy


def masked_phone(phone: str) -> str:
    """Show a phone as ``(11) 9****-1234``; empty when there is none."""
    if not phone:
        return ""
    area, number = phone[3:5], phone[5:]
    return f"({area}) {number[0]}{'*' * (len(number) - 5)}-{number[-4:]}"


def masked_email(email: str) -> str:
    """Show an address as ``m***@example.com``; empty when there is none."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}***@{domain}" if at else ""


def first_name(name: str) -> str:
    """Return what a guest is called by."""
    return name.split(" ", maxsplit=1)[0]
