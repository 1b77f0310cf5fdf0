"""What is a CPF, a CNPJ, a phone, a name."""

import pytest

from apps.customers.rules import Document, Kind, clean_text, masked_email, masked_phone, parse_document, parse_phone


@pytest.mark.parametrize(
    ("typed", "kind", "number"),
    [
        ("529.982.247-25", Kind.CPF, "52998224725"),
        ("52998224725", Kind.CPF, "52998224725"),
        ("529 982 247 25", Kind.CPF, "52998224725"),
        ("11.222.333/0001-81", Kind.CNPJ, "11222333000181"),
        ("12.ABC.345/01DE-35", Kind.CNPJ, "12ABC34501DE35"),
        ("12abc34501de35", Kind.CNPJ, "12ABC34501DE35"),
    ],
)
def test_document_is_read_as_people_type_it(typed: str, kind: Kind, number: str) -> None:
    assert parse_document(typed) == Document(kind=kind, number=number)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "529.982.247-26", "111.111.111-11", "00000000000000", "5299822472", "529982247255", "5299822472a"),
        *("٥٢٩٩٨٢٢٤٧٢٥", "52998224725\n", "5" * 400, "11.222.333/0001-82", "' OR 1=1 --", "529_982_247_25"),
    ],
)
def test_what_is_no_document_is_refused(typed: str) -> None:
    assert parse_document(typed) is None


def test_documents_are_masked_and_never_printed() -> None:
    cpf, cnpj = parse_document("123.456.789-09"), parse_document("11.222.333/0001-81")
    assert cpf is not None
    assert cnpj is not None
    assert cpf.masked == "***.456.789-**"
    assert cnpj.masked == "**.222.333/****-**"
    assert "456" not in repr(cpf)


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("(11) 98765-1234", "+5511987651234"),
        ("11987651234", "+5511987651234"),
        ("+55 11 98765-1234", "+5511987651234"),
        ("55 11 98765-1234", "+5511987651234"),
        ("0 11 98765-1234", "+5511987651234"),
        ("(55) 3221-1234", "+555532211234"),
        ("1132211234", "+551132211234"),
    ],
)
def test_phone_is_read_as_people_type_it(typed: str, phone: str) -> None:
    assert parse_phone(typed) == phone


@pytest.mark.parametrize(
    "typed",
    ["", "98765-1234", "+1 212 555 0100", "(01) 98765-1234", "(11) 18765-1234", "11 98765 12345", "١١٩٨٧٦٥١٢٣٤"],
)
def test_what_is_no_brazilian_phone_is_refused(typed: str) -> None:
    assert parse_phone(typed) is None


def test_phone_and_email_are_masked() -> None:
    assert masked_phone("+5511987651234") == "(11) 9****-1234"
    assert masked_phone("+551132211234") == "(11) 3***-1234"
    assert masked_email("maria@example.org") == "m***@example.org"
    assert (masked_phone(""), masked_email("")) == ("", "")


def test_text_is_one_visible_line_in_one_spelling() -> None:
    assert clean_text("  Jose\u0301  da Silva ") == "José da Silva"
    assert clean_text("Ana 🥐") == "Ana 🥐"
    for hidden in ("Ana\r\nBcc: x", "Ana\x00", "Ana\u202eanA", "Ana\u2028x", "Ana\tB"):
        assert clean_text(hidden) is None
