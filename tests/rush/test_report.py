"""What a rush says at its end."""

from datetime import UTC, datetime
from decimal import Decimal

from breadmate.rush import report
from breadmate.rush.book import Books
from breadmate.rush.plan import Word
from breadmate.rush.run import Wanted
from breadmate.rush.tally import Placed, Tally

WANTED = Wanted(url="", stream_url="", simulator_url="", seed=7, kiosks=50, minutes=1, rate=20)


def outcome_of(tally: Tally, books: Books, *, lasted_s: float) -> report.Outcome:
    return report.Outcome(
        wanted=WANTED,
        tally=tally,
        books=books,
        begun=datetime(2026, 12, 1, 12, tzinfo=UTC),
        lasted_s=lasted_s,
        took_s=1,
        own_cpu_s=1,
        used_before={},
        used_after={},
        load=(0, 0),
        machine="",
        command="",
    )


def orders(number: int) -> Tally:
    tally = Tally()
    for each in range(number):
        tally.place(Placed(order=str(each), number="", store="", total=Decimal(1), word=Word.ON_TIME, placed_s=0))
    return tally


def test_figures_of_the_first_sentence_are_written_as_in_brazil() -> None:
    books = Books(orders=1234, paid=1234, here=Decimal("1234.50"), there=Decimal("1234.50"), complaints=())
    outcome = outcome_of(orders(1234), books, lasted_s=63)

    sentence = "1.234 pedidos em 1,1 min por 50 totens, 19,6 por segundo, R$ 1.234,50 no provedor e aqui, 0 erros."
    assert f"TUDO CERTO: {sentence}" in report.text(outcome)
    assert sentence in report.html(outcome)


def test_money_that_differs_is_not_called_right() -> None:
    books = Books(orders=2, paid=2, here=Decimal(2), there=Decimal(3), complaints=("one real is missing",))
    outcome = outcome_of(orders(2), books, lasted_s=60)

    assert report.text(outcome).startswith("HÁ ALGO ERRADO: 2 pedidos em 1 min por 50 totens, 0 por segundo, 0 erros.")
    assert "one real is missing" in report.text(outcome)
