"""The buyer's side: pages in Portuguese that stand in for the bank's app."""

import re
from datetime import datetime
from decimal import Decimal
from html import escape
from urllib.parse import parse_qsl

from ops.mpsim.errors import ApiError
from ops.mpsim.messages import Answer, Request
from ops.mpsim.simulator import Simulator
from ops.mpsim.state import Order

PAY_PATH = re.compile(r"/sim/pay/([^/]+)")
RECENT = 8
OPEN_SHOWN = 50

STYLE = """
:root{--cream:#FFF8EC;--espresso:#2B1B12;--crust:#B4581A;--leaf:#2F6B46;--tomato:#B93A2B;--oat:#E9DCC7}
*{box-sizing:border-box}
body{margin:0;background:var(--cream);color:var(--espresso);font:1.0625rem/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"Noto Sans",sans-serif;min-height:100vh;display:flex;flex-direction:column}
.note{margin:0;background:var(--espresso);color:var(--cream);text-align:center;font-size:.875rem;padding:.5rem 1rem}
main{width:100%;max-width:27rem;margin:0 auto;padding:1.5rem 1.25rem 2.5rem;flex:1}
h1{font-size:1.375rem;line-height:1.25;margin:0 0 1rem}
h2{font-size:1rem;margin:2rem 0 .5rem}
p{margin:.25rem 0}
.card{background:#fff;border:1px solid var(--oat);border-radius:1rem;padding:1.25rem;margin-bottom:1.25rem}
.amount{font-size:2.75rem;font-weight:700;line-height:1.1;letter-spacing:-.02em;font-variant-numeric:tabular-nums;
margin:.125rem 0 .5rem}
.what{font-weight:600;margin-bottom:1rem}
.label{font-size:.875rem}
.label+.orders{margin-top:.75rem}
dl{margin:0;border-top:1px solid var(--oat);padding-top:.75rem}
dl div{display:flex;justify-content:space-between;gap:1rem;padding:.25rem 0}
dt{font-size:.875rem;flex:none;padding-top:.1rem}
dd{margin:0;text-align:right;font-weight:600;overflow-wrap:anywhere}
div.long{display:block}
.long dd{text-align:left;font:500 .8125rem/1.5 ui-monospace,"DejaVu Sans Mono",monospace}
.state{border-radius:1rem;padding:1rem 1.25rem;margin-bottom:1.25rem;color:#fff;background:var(--espresso)}
.state strong{display:block;font-size:1.1875rem}
.state.good{background:var(--leaf)}.state.bad{background:var(--tomato)}
button,.button{display:block;width:100%;min-height:3.5rem;border-radius:.875rem;border:2px solid transparent;
font:inherit;font-weight:700;cursor:pointer;margin-bottom:.75rem;padding:.75rem 1rem;text-align:center;
text-decoration:none}
.pay{background:var(--leaf);color:#fff;font-size:1.1875rem;min-height:4rem}
.decline{background:#fff;color:var(--tomato);border-color:var(--tomato)}
.quiet{background:transparent;color:var(--espresso);border-color:var(--espresso)}
.pair{display:grid;grid-template-columns:2fr 3fr;gap:.75rem}
button:hover,.button:hover,.orders a:hover{filter:brightness(.94)}
:focus-visible{outline:3px solid var(--crust);outline-offset:3px}
.orders{list-style:none;margin:0;padding:0}
.orders a,.orders .done{display:flex;justify-content:space-between;align-items:center;gap:1rem;background:#fff;
color:inherit;border:1px solid var(--oat);border-radius:.875rem;padding:.875rem 1rem;margin-bottom:.625rem;
text-decoration:none;min-height:3.5rem}
.orders .sum{font-weight:700;white-space:nowrap;font-variant-numeric:tabular-nums}
.orders a .sum{color:var(--crust)}
.orders .done{background:transparent;padding:.5rem 1rem;min-height:0}
.orders small{display:block;font-size:.875rem}
.back{color:var(--crust);font-weight:600}
"""

STATES = {
    "processed": ("good", "Pagamento aprovado", "O totem recebe a confirmação em instantes."),
    "refunded": ("", "Pagamento devolvido", "O valor voltou para a sua conta."),
    "charged_back": ("bad", "Pagamento contestado", "O banco devolveu o valor a pedido do cliente."),
    "canceled": ("bad", "Pedido cancelado", "A loja cancelou esta cobrança. Nada foi pago."),
    "expired": ("bad", "Cobrança expirada", "O tempo acabou. Nada foi pago."),
}
WORDS = {
    "processed": "pago",
    "charged_back": "contestado",
    "refunded": "devolvido",
    "canceled": "cancelado",
    "expired": "expirado",
}


class BuyerPages:
    """The list of open orders and one payment page for each."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        match = PAY_PATH.fullmatch(request.path)
        if request.path == "/" and request.method == "GET":
            return self._list()
        if match and request.method in ("GET", "POST"):
            try:
                return self._act(match.group(1), request) if request.method == "POST" else self._show(match.group(1))
            except ApiError as error:
                return page(error.status, "Cobrança não encontrada", missing())
        return page(404, "Página não encontrada", missing())

    def _list(self) -> Answer:
        with self._sim.orders() as book:
            newest = list(reversed(book.orders.values()))
            waiting = [order for order in newest if order.status == "created"]
            done = [order for order in newest if order.status != "created"][:RECENT]
            body = listing(waiting, done, self._sim.clock.now())
        return page(200, "Pagamentos em aberto", body, refresh_seconds=3)

    def _show(self, order_id: str) -> Answer:
        with self._sim.orders() as book:
            order = book.find(order_id)
            return page(200, f"Pagamento de {reais(order.total)}", details(order, self._sim.clock.now()))

    def _act(self, order_id: str, request: Request) -> Answer:
        """Do what a button says; a button pressed too late changes nothing and the page shows why."""
        action = dict(parse_qsl(request.body.decode("ascii", "replace"))).get("action")
        with self._sim.orders() as book:
            order = book.find(order_id)
            if order.status == "created" and order.pending is None:
                if action == "pay":
                    book.pay(order)
                elif action == "decline":
                    book.decline(order)
                elif action == "expire":
                    book.expire(order)
        return Answer(303, headers={"Location": f"/sim/pay/{order_id}", "Cache-Control": "no-store"})


def page(status: int, title: str, body: str, refresh_seconds: int = 0) -> Answer:
    """Put a body into the frame that all pages share."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    text = (
        '<!doctype html><html lang="pt-BR"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'{refresh}<link rel="icon" href="data:,"><title>{escape(title)} · simulador</title>'
        f"<style>{STYLE}</style></head><body>"
        '<p class="note">Simulador: nenhum dinheiro de verdade</p>'
        f"<main>{body}</main></body></html>"
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'",
    }
    return Answer(status, text.encode(), content_type="text/html; charset=utf-8", headers=headers)


def details(order: Order, now: datetime) -> str:
    """Write an order's page below the frame."""
    return (
        "<h1>Pagamento</h1>"
        f"{state_of(order)}"
        '<div class="card"><p class="label">Valor</p>'
        f'<p class="amount">{reais(order.total)}</p>'
        f'<p class="what">{escape(order.description) or "Sem descrição"}</p><dl>'
        f"{pos_row(order)}"
        f"{paid_rows(order)}"
        f"{time_left_row(order, now)}"
        f"{reference_row(order)}"
        f"</dl></div>{buttons(order)}"
        '<p><a class="back" href="/">Ver pagamentos em aberto</a></p>'
    )


def state_of(order: Order) -> str:
    """Write the band that says how it went; none while the buyer has not pressed anything."""
    if order.status in STATES:
        kind, head, text = STATES[order.status]
    elif order.pending is not None:
        kind, head, text = "", "Pagamento em andamento", "Atualize a página em alguns segundos."
    elif order.declines:
        kind, head, text = "bad", "Pagamento recusado", "Nada foi pago. Você pode tentar de novo."
    else:
        return ""
    return f'<div class="state {kind}" role="status"><strong>{head}</strong>{text}</div>'


def pos_row(order: Order) -> str:
    """Write which kiosk the order comes from; a Pix payment comes from none."""
    return f"<div><dt>Totem</dt><dd>{escape(order.pos)}</dd></div>" if order.pos else ""


def reference_row(order: Order) -> str:
    """Write the merchant's own name of the order, which a Pix payment may lack."""
    if not order.external_reference:
        return ""
    return f'<div class="long"><dt>Referência</dt><dd>{escape(order.external_reference)}</dd></div>'


def paid_rows(order: Order) -> str:
    """Write the sums that differ from the total."""
    rows = ""
    if order.paid and order.paid != order.total:
        rows += f"<div><dt>Pago</dt><dd>{reais(order.paid)}</dd></div>"
    if order.refunded:
        rows += f"<div><dt>Devolvido</dt><dd>{reais(order.refunded)}</dd></div>"
    return rows


def time_left_row(order: Order, now: datetime) -> str:
    """Write how long the order can still be paid."""
    if order.status != "created":
        return ""
    return f"<div><dt>Expira em</dt><dd>{duration(order, now)}</dd></div>"


def buttons(order: Order) -> str:
    """Write what the buyer may do; nothing once the order is closed."""
    if order.status != "created" or order.pending is not None:
        return ""
    return (
        f'<form method="post" action="/sim/pay/{order.id}">'
        f'<button class="pay" name="action" value="pay">Pagar {reais(order.total)}</button>'
        '<div class="pair"><button class="decline" name="action" value="decline">Recusar</button>'
        '<button class="quiet" name="action" value="expire">Deixar expirar</button></div></form>'
    )


def listing(waiting: list[Order], done: list[Order], now: datetime) -> str:
    """Write the list of open orders and of those closed last."""
    text = "<h1>Pagamentos em aberto</h1>"
    if waiting:
        items = "".join(open_item(order, now) for order in waiting[:OPEN_SHOWN])
        text += f'<p class="label">Escolha um pedido para fazer o papel do cliente.</p><ul class="orders">{items}</ul>'
        if len(waiting) > OPEN_SHOWN:
            text += f'<p class="label">E mais {len(waiting) - OPEN_SHOWN}.</p>'
    else:
        text += (
            '<div class="card"><p><strong>Nada para pagar agora.</strong></p>'
            "<p>Faça um pedido no totem: ele aparece aqui em segundos.</p></div>"
        )
    if done:
        items = "".join(done_item(order) for order in done)
        text += f'<h2>Encerrados há pouco</h2><ul class="orders">{items}</ul>'
    return text


def open_item(order: Order, now: datetime) -> str:
    """Write one line of an order that waits for its buyer."""
    under_way = "pagamento em andamento" if order.pending else f"expira em {duration(order, now)}"
    return (
        f'<li><a href="/sim/pay/{order.id}"><span>{escape(order.description) or escape(order.external_reference)}'
        f'<small>{under_way}</small></span><span class="sum">{reais(order.total)}</span></a></li>'
    )


def done_item(order: Order) -> str:
    """Write one line of a closed order."""
    return (
        f'<li><div class="done"><span>{escape(order.description) or escape(order.external_reference)}'
        f'<small>{WORDS[order.status]}</small></span><span class="sum">{reais(order.total)}</span></div></li>'
    )


def missing() -> str:
    """Write the page for an address that leads nowhere."""
    return (
        "<h1>Não encontramos esta página</h1><p>A cobrança não existe ou o simulador foi reiniciado.</p>"
        '<p><a class="back" href="/">Ver pagamentos em aberto</a></p>'
    )


def reais(value: Decimal) -> str:
    """Write an amount the Brazilian way, e.g. ``R$ 1.234,50``."""
    return "R$\u00a0" + f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def duration(order: Order, now: datetime) -> str:
    """Write the time left in the two largest units that matter."""
    minutes, seconds = divmod(max(0, int((order.expires_at - now).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
