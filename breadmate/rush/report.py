"""What a rush has shown, in words for the terminal and as one HTML file that explains itself and prints well."""

import html as escaping
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from apps.core.facade import brl
from breadmate.rush.book import Books
from breadmate.rush.machine import Use
from breadmate.rush.plan import Word
from breadmate.rush.run import Wanted
from breadmate.rush.tally import KINDS, Tally, percentile, rounded

NAMES = {
    "menu": "Cardápio",
    "quote": "Preço do carrinho",
    "checkout": "Fechar pedido",
    "payment": "Abrir pagamento (QR)",
    "check": "“Já paguei”",
    "status": "Situação do pedido",
    "cancel": "Cancelar",
    "cook": "Passos da cozinha",
}
WORDS = {
    Word.ON_TIME: "aviso na hora",
    Word.LATE: "aviso atrasado (1 a 8 s)",
    Word.DOUBLED: "aviso triplicado",
    Word.LOST: "aviso perdido",
}
LEFT = {
    "leaves_at_menu": "olharam e saíram",
    "leaves_with_cart": "deixaram o carrinho",
    "cancels": "cancelaram no QR",
    "walks_off": "largaram o QR",
    "sold_out": "não sobrou o que queriam",
    "gave_up": "desistiram por falha",
}
PROCESSES = {
    "web": "web",
    "stream": "telas ao vivo",
    "engine": "motor",
    "worker": "worker",
    "postgres": "Postgres",
    "valkey": "Valkey",
    "simulator": "simulador do provedor",
}
NOTHING = "sem dado"
STYLE_FILE = Path(__file__).with_name("report.css")
WIDTH, HEIGHT, LEFT_EDGE, FLOOR = 720, 180, 44, 150
MOST_BARS = 120
TICKS = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that is known of a rush after it."""

    wanted: Wanted
    tally: Tally
    books: Books | None  # None: the database is not ours to read
    begun: datetime
    lasted_s: float
    took_s: float
    own_cpu_s: float
    used_before: Mapping[str, Use]
    used_after: Mapping[str, Use]
    load: tuple[float, float]
    machine: str
    command: str

    @property
    def is_right(self) -> bool:
        """Tell whether nothing went wrong."""
        tally = self.tally
        fine = not tally.problem_count and not tally.without_order(self.lasted_s + self.took_s)
        return fine and (self.books is None or self.books.is_right)

    @property
    def rate(self) -> float:
        """Return the orders that were placed in a second, on average."""
        return len(self.tally.orders) / max(self.lasted_s, 1.0)


def summary(outcome: Outcome) -> dict[str, Any]:
    """Return the few figures that say how it went."""
    tally, books = outcome.tally, outcome.books
    return {
        "right": outcome.is_right,
        "orders": len(tally.orders),
        "rate": rounded(outcome.rate),
        "left": dict(tally.left),
        "sold_out": tally.sold_out,
        "problems": tally.problems[:5],
        "complaints": list(books.complaints[:5]) if books else [],
        "broken_rules": [verdict.id for verdict in books.verdicts if verdict.violations] if books else [],
        "rules": len(books.verdicts) if books else 0,
        "here": str(books.here) if books else None,
        "there": str(books.there) if books else None,
    }


def latencies(tally: Tally) -> list[tuple[str, int, float, float, float, float]]:
    """Return kind, number, mean, P50, P95 and P99 in ms of everything that was answered, and of all together last."""
    rows = [(NAMES[kind], tally.latencies[kind]) for kind in KINDS if tally.latencies[kind]]
    everything = [took for _, values in rows for took in values]
    return [
        (
            name,
            len(values),
            1000 * sum(values) / len(values),
            _ms_at(values, 50),
            _ms_at(values, 95),
            _ms_at(values, 99),
        )
        for name, values in [*rows, ("Tudo", everything)]
        if values
    ]


def delays(tally: Tally) -> list[tuple[str, int, float, float, float]]:
    """Return what became of the notification, how many, and P50, P95 and the most of the seconds from money to board."""
    rows = []
    for word, name in WORDS.items():
        values = [
            placed.board_delay_s
            for placed in tally.orders.values()
            if placed.word == word and placed.board_delay_s is not None
        ]
        if values:
            rows.append((name, len(values), _at(values, 50), _at(values, 95), max(values)))
    return rows


def one_line(now: Mapping[str, Any]) -> str:
    """Tell the figures of one moment."""
    phases = {"running": "", "settling": "fechando · ", "checking": "conferindo os livros · "}
    return (
        f"{phases.get(now['phase'], '')}{now.get('elapsed_s', 0):.0f} s  {now.get('placed', 0)} pedidos  "
        f"{now.get('paid', 0)} pagos  {now.get('served', 0)} entregues  na fila {now.get('queue', 0)}  "
        f"quadro P95 {_seconds(now.get('board_p95_s'))}  resposta P95 {_ms(now.get('answer_p95_ms'))}  "
        f"{now.get('requests_per_second', 0)} req/s  erros {now.get('problems', 0)}"
    )


def text(outcome: Outcome) -> str:
    """Tell the end in the terminal."""
    lines = [f"{'TUDO CERTO' if outcome.is_right else 'HÁ ALGO ERRADO'}: {_sentence(outcome)}", ""]
    lines.append(f"{'':<24}{'vezes':>8}{'média':>9}{'P50':>9}{'P95':>9}{'P99':>9}  ms")
    for name, count, *figures in latencies(outcome.tally):
        lines.append(f"{name:<24}{count:>8}{''.join(f'{figure:>9.1f}' for figure in figures)}")
    lines += ["", f"{'do dinheiro ao quadro':<28}{'vezes':>6}{'P50':>8}{'P95':>8}{'pior':>8}  s"]
    for name, count, *figures in delays(outcome.tally):
        lines.append(f"{name:<28}{count:>6}{''.join(f'{figure:>8.2f}' for figure in figures)}")
    lines += ["", *(f"{name}: {told}" for name, told in _facts(outcome))]
    if outcome.books:
        lines += [f"LIVROS: {complaint}" for complaint in outcome.books.complaints[:20]]
        lines += [f"REGRA {v.id} QUEBRADA: {v.violations[:3]}" for v in outcome.books.verdicts if v.violations]
    lines += [f"PROBLEMA: {problem}" for problem in outcome.tally.problems[:20]]
    return "\n".join(lines) + "\n"


def html(outcome: Outcome) -> str:
    """Return the report, whole in one file."""
    tally, books = outcome.tally, outcome.books
    wrong = [*(books.complaints if books else ()), *tally.problems]
    parts = [
        _head(outcome),
        _tiles(outcome),
        _section(
            "Pedidos por segundo", _chart(_bins(tally.placed_at, outcome.lasted_s), "pedidos/s", outcome.lasted_s)
        ),
        _section(
            "Na cozinha: pedidos no quadro",
            _chart(_levels(tally.queue_at), "pedidos", len(tally.queue_at), colour="butter"),
        ),
        _section(
            "Pagos que ainda não estão no quadro",
            _chart(_levels(tally.waiting_at), "pedidos", len(tally.waiting_at), colour="leaf"),
        ),
        _section(
            "Quanto o totem espera",
            _table(
                ["", "vezes", "média", "P50", "P95", "P99"],
                [[name, _count(count), *map(_ms, figures)] for name, count, *figures in latencies(tally)],
            ),
            "Do momento em que o cliente tocou, mesmo que a resposta anterior tenha atrasado, até a resposta inteira.",
        ),
        _section(
            "Do dinheiro ao quadro",
            _table(
                ["", "vezes", "P50", "P95", "pior"],
                [[name, _count(count), *map(_seconds, figures)] for name, count, *figures in delays(tally)],
            ),
            "De quando o provedor tem o dinheiro até a tela da cozinha mostrar o pedido. "
            "Perdido o aviso, o pagamento é achado por pergunta.",
        ),
        _section("Os livros", _books(outcome)),
        _section("Os processos", _processes(outcome)) if outcome.used_after else "",
        _section("O que deu errado", _list(wrong)) if wrong else "",
        _section("Em que condições", _table([], [[name, told] for name, told in _facts(outcome)])),
    ]
    return (
        '<!DOCTYPE html><html lang="pt-BR"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>BreadMate · movimento de {outcome.begun:%d/%m/%Y %H:%M}</title>"
        f"<style>{STYLE_FILE.read_text()}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def _sentence(outcome: Outcome) -> str:
    wanted, tally = outcome.wanted, outcome.tally
    money = f", {brl(outcome.books.there)} no provedor e aqui" if outcome.books and outcome.is_right else ""
    return (
        f"{_count(len(tally.orders))} pedidos em {_decimal(outcome.lasted_s / 60)} min por {wanted.kiosks} totens, "
        f"{_decimal(outcome.rate)} por segundo{money}, {tally.problem_count} erros."
    )


def _head(outcome: Outcome) -> str:
    verdict = "Tudo certo" if outcome.is_right else "Há algo errado"
    over = '<p class="over">BreadMate · simulação de movimento</p>'
    colour = "good" if outcome.is_right else "bad"
    return f'<header class="{colour}">{over}<h1>{verdict}</h1><p>{_esc(_sentence(outcome))}</p></header>'


def _tiles(outcome: Outcome) -> str:
    tally, books = outcome.tally, outcome.books
    *_, everything = latencies(tally) or [("", 0, 0.0, 0.0, 0.0, 0.0)]
    paid = sum(1 for placed in tally.orders.values() if placed.paid_s is not None)
    broken = sum(1 for verdict in books.verdicts if verdict.violations) if books else 0
    tiles = [
        (_count(len(tally.orders)), "pedidos"),
        (_count(paid), "pagos"),
        (_count(len(tally.without_order(outcome.lasted_s + outcome.took_s))), "pagaram sem pedido"),
        (_ms(everything[2]), "resposta média"),
        (_ms(everything[4]), "resposta P95"),
        (_seconds(percentile(tally.delays, 95)), "do dinheiro ao quadro, P95"),
        (_count(tally.problem_count), "erros"),
        (f"{broken} de {len(books.verdicts)}" if books else NOTHING, "regras quebradas"),
    ]
    return '<ul class="tiles">' + "".join(f"<li><b>{a}</b><span>{b}</span></li>" for a, b in tiles) + "</ul>"


def _books(outcome: Outcome) -> str:
    books = outcome.books
    if books is None:
        return "<p>O banco desta loja não é lido daqui: vale o que os totens e a cozinha viram.</p>"
    same = "iguais ao centavo" if books.here == books.there else "DIFERENTES"
    rows = [
        ["Pedidos confirmados a clientes", _count(books.orders)],
        ["Dinheiro no provedor", brl(books.there)],
        ["Dinheiro aqui", f"{brl(books.here)} ({same})"],
        ["Pedidos, pagamentos e preparos perdidos ou em dobro", _count(len(books.complaints))],
    ]
    rules = sum(1 for verdict in books.verdicts if not verdict.violations)
    return _table([], rows) + f"<p>Regras do banco inteiro: {rules} de {len(books.verdicts)} valem.</p>"


def _processes(outcome: Outcome) -> str:
    rows = []
    for name, after in outcome.used_after.items():
        before = outcome.used_before.get(name)
        cpu = after.cpu_s - (before.cpu_s if before else 0.0)
        # Another process, restarted meanwhile, may have used less than the one before it.
        rows.append(
            [
                PROCESSES.get(name, name),
                f"{_decimal(100 * max(cpu, 0.0) / outcome.took_s)} %",
                f"{before.memory_mb:.0f} MB" if before else NOTHING,
                f"{after.memory_mb:.0f} MB",
            ]
        )
    rows.append(["esta simulação", f"{_decimal(100 * outcome.own_cpu_s / outcome.took_s)} %", "", ""])
    return _table(["", "processador (100 % = um núcleo)", "memória antes", "memória depois"], rows)


def _facts(outcome: Outcome) -> list[tuple[str, str]]:
    tally, wanted = outcome.tally, outcome.wanted
    words = ", ".join(
        f"{name} {sum(1 for p in tally.orders.values() if p.paid_s is not None and p.word == word)}"
        for word, name in WORDS.items()
    )
    left = ", ".join(f"{LEFT.get(why, why)} {count}" for why, count in sorted(tally.left.items())) or "ninguém"
    waits = ", ".join(f"{what} {count}" for what, count in sorted(tally.asked_to_wait.items())) or "nenhuma"
    return [
        ("Quando", f"{outcome.begun:%d/%m/%Y %H:%M}"),
        ("Comando", outcome.command),
        ("Semente", f"{wanted.seed}: o mesmo dia, pessoa por pessoa"),
        ("Pedido ao servidor", f"{_decimal(wanted.rate)} por segundo em média, por {_decimal(wanted.minutes)} min"),
        ("Avisos do provedor", words),
        ("Sem comprar", left),
        ("Esgotou no carrinho", f"{tally.sold_out} vezes; a linha saiu e o pedido seguiu"),
        ("“Espere um pouco” (429, 503, 409)", waits),
        ("Chamadas sem rede, cortada de propósito", str(tally.cut)),
        ("Atraso da própria simulação", f"{_ms(1000 * tally.behind_s)} no pior momento"),
        ("Processador desta simulação", f"{_decimal(100 * outcome.own_cpu_s / max(outcome.took_s, 1))} % de um núcleo"),
        ("Carga da máquina antes e depois", f"{_decimal(outcome.load[0])} e {_decimal(outcome.load[1])}"),
        ("Máquina", outcome.machine),
    ]


def _bins(at: Mapping[int, int], lasted_s: float) -> list[float]:
    """Return an average a second for as many bars as fit."""
    seconds = max(int(lasted_s), 1)
    width = -(-seconds // MOST_BARS)
    return [
        sum(at.get(second, 0) for second in range(begin, min(begin + width, seconds))) / min(width, seconds - begin)
        for begin in range(0, seconds, width)
    ]


def _levels(at: Mapping[int, int]) -> list[float]:
    """Return the highest level for as many bars as fit; the kitchen goes on for a while after the last guest has come."""
    width = -(-len(at) // MOST_BARS) or 1
    return [max(at.get(second, 0) for second in range(begin, begin + width)) for begin in range(0, len(at), width)]


def _chart(values: Sequence[float], unit: str, lasted_s: float, colour: str = "crust") -> str:
    top = _round_up(max([*values, 1.0]))
    step = (WIDTH - LEFT_EDGE) / max(len(values), 1)
    bars = "".join(
        f'<rect x="{LEFT_EDGE + place * step:.1f}" y="{FLOOR - (FLOOR - 10) * value / top:.1f}" '
        f'width="{max(step - 0.8, 0.6):.1f}" height="{(FLOOR - 10) * value / top:.1f}"/>'
        for place, value in enumerate(values)
    )
    grid = "".join(
        f'<line x1="{LEFT_EDGE}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT_EDGE - 6}" y="{y + 4:.1f}" text-anchor="end">{_decimal(top * tick / TICKS)}</text>'
        for tick in range(TICKS + 1)
        for y in [FLOOR - (FLOOR - 10) * tick / TICKS]
    )
    moments = "".join(
        f'<text x="{LEFT_EDGE + (WIDTH - LEFT_EDGE) * tick / TICKS:.1f}" y="{FLOOR + 20}" '
        f'text-anchor="{("start", "middle", "middle", "middle", "end")[tick]}">{_clock(lasted_s * tick / TICKS)}</text>'
        for tick in range(TICKS + 1)
    )
    most = max(values, default=0.0)
    label = f"{unit}: de 0 a {_decimal(most)}, no máximo, em {_clock(lasted_s)} minutos"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_esc(label)}">'
        f'<g class="grid">{grid}{moments}</g><g class="{colour}">{bars}</g></svg>'
    )


def _round_up(value: float) -> float:
    """Return the next number an axis may end with."""
    scale: float = 1.0
    while scale * 10 < value:
        scale *= 10
    return next(scale * factor for factor in (1, 2, 4, 5, 8, 10) if scale * factor >= value)


def _section(title: str, content: str, note: str = "") -> str:
    told = f'<p class="note">{_esc(note)}</p>' if note else ""
    return f"<section><h2>{_esc(title)}</h2>{content}{told}</section>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = f"<thead><tr>{''.join(f'<th scope=col>{_esc(name)}</th>' for name in heads)}</tr></thead>" if heads else ""
    body = "".join(
        f"<tr><th scope=row>{_esc(row[0])}</th>{''.join(f'<td>{_esc(cell)}</td>' for cell in row[1:])}</tr>"
        for row in rows
    )
    return f'<table class="{"figures" if heads else "facts"}">{head}<tbody>{body}</tbody></table>'


def _list(told: Sequence[str]) -> str:
    return f"<ul class=wrong>{''.join(f'<li>{_esc(each)}</li>' for each in told[:50])}</ul>"


def _at(values: Sequence[float], rank: float) -> float:
    return percentile(values, rank) or 0.0


def _ms_at(values: Sequence[float], rank: float) -> float:
    return 1000 * _at(values, rank)


def _esc(told: str) -> str:
    return escaping.escape(str(told))


def _count(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def _decimal(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0").replace(".", ",")


def _ms(value: float | None) -> str:
    return NOTHING if value is None else f"{_decimal(value) if value < 10 else _count(round(value))} ms"  # noqa: PLR2004


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f} s".replace(".", ",")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
