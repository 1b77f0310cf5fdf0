"""No CPF in a log line."""

import io
import logging
import logging.config

import pytest
from django.conf import settings

from apps.core.actors import Role
from apps.customers.logs import ScrubCpf, scrub
from tests.customers.people import CPF, CPF_DIGITS, known, person
from tests.fixtures import Store


@pytest.mark.parametrize(
    "text",
    [
        *("52998224725", "529.982.247-25", "529 982 247 25", "529.982.24725", "11222333000181", "11.222.333/0001-81"),
        *("529%2E982%2E247%2D25", "11.222.333%2F0001-81", "12.ABC.345/01DE-35", "12.ABC.345%2f01DE-35"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "cpf={}&x=1", "/api/v1/users/cpf/{}/", "cpf{}cpf", '{{"cpf": "{}"}}', "{}."])
def test_documents_are_scrubbed(text: str, around: str) -> None:
    if around == "cpf{}cpf" and "ABC" in text:
        return  # a CNPJ with letters is told from a word only by what stands around it
    assert scrub(around.format(text)) == around.format("[cpf]")


@pytest.mark.parametrize(
    "text",
    [
        *("1234567890", "123456789012", "2026-11-22 14:46:54,123", "R$ 1.234,56", "T1043", "total 5000.00"),
        *("019ab8a0-52ef-7d3c-a299-822472512345", "0" * 5 + "a" + "12345678901" + "b" + "0" * 14),
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert scrub(text) == text


class Sink:
    """A logger with our filter, and what it wrote."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        handler = logging.StreamHandler(self.out)
        handler.addFilter(ScrubCpf())
        handler.setFormatter(logging.Formatter("%(message)s"))
        self.logger = logging.Logger("sink")  # noqa: LOG001 - it must not outlive the test
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        return self.out.getvalue()


def test_message_arguments_traceback_and_extras_are_scrubbed() -> None:
    sink = Sink()
    records: list[logging.LogRecord] = []
    sink.logger.handlers[0].addFilter(lambda record: records.append(record) or True)
    try:
        int(f"bad {CPF}")
    except ValueError:
        sink.logger.exception(
            "found %s and %d", CPF, int(CPF_DIGITS), extra={"body": {"cpf": [CPF_DIGITS, 52998224725]}, "n": 7}
        )
    assert "found [cpf] and [cpf]" in sink.text
    assert "'bad [cpf]'" in sink.text
    assert CPF not in sink.text
    assert CPF_DIGITS not in repr(records[0].__dict__)
    assert records[0].n == 7


def test_wrong_format_prints_no_argument(capsys: pytest.CaptureFixture[str]) -> None:
    sink = Sink()
    sink.logger.warning("two %s %s", CPF)  # noqa: PLE1206 - that is the fault
    assert CPF not in sink.text + capsys.readouterr().err
    assert "[cpf]" in sink.text


def test_every_handler_of_the_settings_scrubs() -> None:
    handlers = settings.LOGGING["handlers"].values()
    assert handlers
    assert all("cpf" in handler["filters"] for handler in handlers)
    assert settings.LOGGING["filters"]["cpf"] == {"()": "apps.customers.logs.ScrubCpf"}


@pytest.mark.django_db
def test_failing_lookup_leaves_no_cpf_in_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known()
    out = io.StringIO()
    stderr = next(handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler)
    monkeypatch.setattr(stderr, "stream", out)
    cashier = person(Role.CASHIER, store)
    cashier.client.raise_request_exception = False

    def broken(**told: object) -> None:
        raise RuntimeError(f"cannot look up {CPF}")

    monkeypatch.setattr("apps.customers.services.look_up_customer", broken)
    assert cashier.get(f"/users/cpf/{CPF}").status == 500
    assert "cannot look up [cpf]" in out.getvalue()
    assert CPF not in out.getvalue()
