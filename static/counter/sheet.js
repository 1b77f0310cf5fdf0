/**
 * Takes the money for one order: cash with its change, or the card machine; or takes the order back.
 *
 * Nothing here decides that an order is paid. Sending twice is safe: the payment is opened under one key and its
 * confirmation is one for the server, however often it is sent.
 */

import { newKey } from "../kiosk/api.js";
import { h } from "../kiosk/dom.js";
import { formatCents, formatMoney, toCents } from "../kiosk/money.js";
import { button } from "../kiosk/parts.js";
import { counterApi } from "./api.js";
import { Cash } from "./cash.js";
import { explainPayment, isOver, isUnknown } from "./trouble.js";

const NOTES = [10, 20, 50, 100];
const REASONS = ["Cliente desistiu", "Pedido repetido", "Acabou um item", "Pedido errado"];
/** A second tap or Enter meant for the payment must not put the change away. */
const CHANGE_SHOWN_MS = 700;
const PAD = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "0"];

/**
 * @typedef {Object} Due an order that waits for money
 * @property {string} id
 * @property {string} number
 * @property {string} guest name, or an empty string
 * @property {string} total as the API says it
 * @property {string} charge the payment that waits at the counter, or an empty string
 * @property {boolean} hasCode a QR of this order is open on another screen
 * @property {{quantity: string|number, name: string, details: string[]}[]} items
 */

export class PaymentSheet {
  #due;
  #cash;
  #tender = "cash";
  #key = newKey();
  #sending = false;
  #unsure = false;
  #doneAt = 0;
  #stage = "tender";
  #body = h("div.sheet-body");
  #trouble = h("p.sheet-trouble", { role: "alert" });
  #onClosed;
  #onKey = (event) => this.#pressed(event);

  /** @param {Due} due @param {{closeLabel?: string, onClosed?: (outcome: "paid"|"cancelled"|"left") => void}} [options] */
  constructor(due, { closeLabel = "Concluir", onClosed = () => {} } = {}) {
    this.#due = due;
    this.#cash = new Cash(toCents(due.total));
    this.#onClosed = onClosed;
    this.closeLabel = closeLabel;
    this.element = h(
      "dialog.sheet",
      { "aria-labelledby": "sheet-number" },
      h(
        "div.sheet-order",
        {},
        h("p.sheet-label", { text: "Pedido" }),
        h("h2.sheet-number", { id: "sheet-number", text: due.number }),
        due.guest && h("p.sheet-guest", { text: due.guest }),
        h("ul.sheet-items", {}, due.items.map(itemRow)),
        h("p.sheet-label", { text: "Total" }),
        h("p.sheet-total", { text: formatMoney(due.total) }),
      ),
      h("div.sheet-work", {}, this.#trouble, this.#body),
    );
    this.element.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#leave();
    });
    this.element.addEventListener("keydown", this.#onKey);
    document.body.append(this.element);
    this.element.showModal();
    if (due.charge) this.#toTender();
    else this.#toBring();
  }

  get orderId() {
    return this.#due.id;
  }

  /** The order has left the list: somebody else took it, it ran out of time, or it was paid by code. */
  gone() {
    if (this.#sending || this.#unsure || this.#stage === "done" || this.#stage === "over") return;
    this.#toOver("Este pedido saiu da espera: foi pago, cancelado ou o tempo acabou. Não receba; se o dinheiro está na mão, devolva.");
  }

  #draw(stage, content, focus) {
    this.#stage = stage;
    this.#trouble.textContent = "";
    this.element.dataset.stage = stage;
    this.#body.replaceChildren(...content.filter(Boolean));
    this.#body.querySelector(focus)?.focus();
  }

  /** The order is not at the counter yet. */
  #toBring() {
    const text = this.#due.hasCode
      ? "O cliente ainda pode pagar o QR no totem. Pergunte antes. Receber aqui fecha o QR; o que for pago nele depois é devolvido."
      : "Este pedido ainda não está no caixa. Receber aqui segura os itens por mais tempo.";
    const bring = button("Receber no caixa", () => this.#bring(), { kind: "primary", "data-main": true });
    this.#draw(
      "bring",
      [h("h3.sheet-title", { text: "Trazer para o caixa?" }), h("p.sheet-text", { text }), h("div.sheet-actions", {}, this.#back(), this.#cancelButton(), bring)],
      "[data-main]",
    );
  }

  async #bring() {
    const payment = await this.#send(() => counterApi.openAtCounter(this.#due.id, this.#key));
    if (!payment) return;
    this.#due.charge = payment.id;
    this.#toTender();
  }

  #toTender() {
    const choice = (tender, text, key) =>
      h("button.sheet-tender", { "aria-pressed": String(this.#tender === tender), on: { click: () => this.#choose(tender) } }, h("span", { text }), h("kbd", { text: key }));
    const confirm = button("", () => this.#confirm(), { kind: "primary", "data-main": true });
    this.#draw(
      "tender",
      [
        h("div.sheet-tenders", { role: "group", "aria-label": "Como o cliente paga" }, choice("cash", "Dinheiro", "D"), choice("card_machine", "Maquininha", "M")),
        this.#tender === "cash" ? this.#cashDesk() : cardDesk(this.#due.total),
        h("div.sheet-actions", {}, this.#back(), this.#cancelButton(), confirm),
      ],
      "[data-main]",
    );
    this.#drawSums();
  }

  #choose(tender) {
    if (this.#sending || this.#unsure) return;
    this.#tender = tender;
    this.#toTender();
  }

  #cashDesk() {
    const act = (run) => () => {
      if (this.#sending || this.#unsure) return;
      run();
      this.#drawSums();
    };
    const pad = PAD.map((digits) => button(digits, act(() => this.#cash.key(digits)), { kind: "pad" }));
    const notes = NOTES.map((note) => button(`+ R$ ${note}`, act(() => this.#cash.add(BigInt(note) * 100n)), { kind: "note" }));
    return h(
      "div.cash",
      {},
      h(
        "div.cash-sums",
        {},
        h("p.sheet-label", { text: "Recebido" }),
        h("p.cash-received", { "data-received": true }),
        h("p.cash-change", { "data-change": true, role: "status" }),
        h("div.cash-notes", {}, notes, button("Exato", act(() => this.#cash.exact()), { kind: "note exact" }), button("Limpar", act(() => this.#cash.clear()), { kind: "note" })),
      ),
      h("div.cash-pad", {}, pad, button("⌫", act(() => this.#cash.back()), { kind: "pad", label: "Apagar um algarismo" })),
    );
  }

  #drawSums() {
    const confirm = this.#body.querySelector("[data-main]");
    const label = confirm.querySelector("span") ?? confirm.appendChild(h("span"));
    if (this.#unsure) label.textContent = "Tentar de novo";
    else if (this.#sending) label.textContent = "Registrando…";
    else if (this.#tender === "cash") label.textContent = `Receber ${formatMoney(this.#due.total)}`;
    else label.textContent = "A maquininha aprovou";
    confirm.setAttribute("aria-disabled", String(this.#sending || !this.#mayConfirm));
    if (this.#tender !== "cash") return;
    const change = this.#body.querySelector("[data-change]");
    this.#body.querySelector("[data-received]").textContent = formatCents(this.#cash.received);
    change.classList.toggle("is-short", !this.#cash.covers);
    change.textContent = this.#sumText();
  }

  #sumText() {
    if (this.#cash.isEmpty) return "Quanto o cliente deu?";
    if (!this.#cash.covers) return `Faltam ${formatCents(-this.#cash.change)}`;
    return this.#cash.change === 0n ? "Sem troco" : `Troco ${formatCents(this.#cash.change)}`;
  }

  get #mayConfirm() {
    return this.#tender === "card_machine" || this.#cash.covers;
  }

  async #confirm() {
    if (this.#sending) return;
    if (!this.#mayConfirm) {
      this.#trouble.textContent = this.#cash.isEmpty ? "Digite quanto o cliente deu, ou toque em “Exato”." : `${this.#sumText()}. Nada foi registrado.`;
      return;
    }
    const body = this.#tender === "cash" ? { tender: "cash", received: this.#cash.toAmount() } : { tender: this.#tender };
    const paid = await this.#send(() => counterApi.confirm(this.#due.charge, body));
    if (paid) this.#toDone(paid.change);
  }

  /** Runs one request with everything else held still. @returns the answer, or null after saying why there is none */
  async #send(run) {
    if (this.#sending) return null;
    this.#sending = true;
    this.#trouble.textContent = "";
    this.element.setAttribute("aria-busy", "true");
    if (this.#stage === "tender") this.#drawSums();
    try {
      const answer = await run();
      this.#unsure = false;
      return answer;
    } catch (error) {
      this.#unsure = isUnknown(error);
      if (isOver(error)) this.#toOver(explainPayment(error));
      else this.#trouble.textContent = explainPayment(error);
      return null;
    } finally {
      this.#sending = false;
      this.element.removeAttribute("aria-busy");
      if (this.#stage === "tender") this.#drawSums();
    }
  }

  /** The change stays until somebody puts it away. */
  #toDone(change) {
    this.#doneAt = performance.now();
    const none = toCents(change) === 0n;
    const close = button(this.closeLabel, () => this.#close("paid"), { kind: "primary", "data-main": true });
    this.#draw(
      "done",
      [
        h("p.done-mark-line", { text: "Pago. O pedido está na cozinha." }),
        h("p.sheet-label", { text: none ? "Sem troco" : "Troco" }),
        h("p.change-due", { role: "status", text: none ? "—" : formatMoney(change) }),
        h("div.sheet-actions", {}, close),
      ],
      "[data-main]",
    );
  }

  #toOver(text) {
    const close = button("Fechar", () => this.#close("left"), { kind: "primary", "data-main": true });
    this.#draw("over", [h("h3.sheet-title", { text: "Não receba este pedido" }), h("p.sheet-text", { role: "alert", text }), h("div.sheet-actions", {}, close)], "[data-main]");
  }

  #cancelButton() {
    return button("Cancelar pedido", () => !this.#sending && !this.#unsure && this.#toCancel(), { kind: "quiet danger" });
  }

  #toCancel() {
    const other = h("input.field-input", { id: "reason", maxlength: 140, autocomplete: "off" });
    const say = (reason) => button(reason, () => this.#cancel(reason), { kind: "reason" });
    const send = button("Cancelar pedido", () => this.#cancel(other.value.trim()), { kind: "danger" });
    this.#draw(
      "cancel",
      [
        h("h3.sheet-title", { text: `Cancelar ${this.#due.number}: por quê?` }),
        h("p.sheet-text", { text: "Nada foi pago ainda. Os itens voltam para o estoque na hora." }),
        h("div.sheet-reasons", {}, REASONS.map(say)),
        h("div.field", {}, h("label.field-label", { for: "reason", text: "Outro motivo" }), other),
        h("div.sheet-actions", {}, button("Voltar", () => (this.#due.charge ? this.#toTender() : this.#toBring())), send),
      ],
      "button",
    );
  }

  async #cancel(reason) {
    if (!reason) {
      this.#trouble.textContent = "Escolha ou escreva o motivo.";
      return;
    }
    if (await this.#send(() => counterApi.cancel(this.#due.id, reason))) this.#close("cancelled");
  }

  #back() {
    return button("Voltar", () => this.#leave(), { kind: "quiet" });
  }

  #leave() {
    if (this.#sending) return;
    if (this.#stage === "cancel") {
      if (this.#due.charge) this.#toTender();
      else this.#toBring();
    } else {
      this.#close(this.#stage === "done" ? "paid" : "left");
    }
  }

  #close(outcome) {
    if (outcome === "paid" && performance.now() - this.#doneAt < CHANGE_SHOWN_MS) return;
    this.element.close();
    this.element.remove();
    this.#onClosed(outcome);
  }

  #pressed(event) {
    const { key, ctrlKey, metaKey, altKey, repeat } = event;
    if (ctrlKey || metaKey || altKey || event.target.matches("input")) return;
    if (key === "Enter" && this.#stage !== "cancel") {
      event.preventDefault();
      if (!repeat) this.#body.querySelector("[data-main]")?.click();
      return;
    }
    if (this.#stage !== "tender" || this.#sending || this.#unsure) return;
    const pressed = key.toLowerCase();
    if (pressed === "d") this.#choose("cash");
    else if (pressed === "m") this.#choose("card_machine");
    else if (this.#tender !== "cash") return;
    else if (/^[0-9]$/.test(key)) this.#cash.key(key);
    else if (key === "Backspace") this.#cash.back();
    else if (pressed === "e") this.#cash.exact();
    else return;
    event.preventDefault();
    this.#trouble.textContent = "";
    this.#drawSums();
  }
}

function itemRow({ quantity, name, details }) {
  return h("li.sheet-item", {}, h("span.desk-quantity", { text: `${quantity}×` }), h("span", {}, name, details.map((detail) => h("span.desk-detail", { text: detail }))));
}

function cardDesk(total) {
  return h("div.card-desk", {}, h("p.sheet-text", { text: "Digite este valor na maquininha:" }), h("p.card-amount", { text: formatMoney(total) }), h("p.sheet-text", { text: "Confirme aqui só depois que ela aprovar." }));
}
