/** The order is placed: take its money right here. */

import { cart } from "../../kiosk/cart.js";
import { h } from "../../kiosk/dom.js";
import { button, dock, noticeArt } from "../../kiosk/parts.js";
import { closePurchase, openPayment } from "../../kiosk/purchase.js";
import { show } from "../../kiosk/screen.js";
import { PaymentSheet } from "../sheet.js";
import { explainPayment, isOver } from "../trouble.js";

/** @param {{order: object, payment?: object|null}} purchase */
export function takeMoneyView({ order, payment = null }) {
  const text = h("p.notice-text", { role: "status" });
  const actions = h("div.notice-actions");
  const element = h("section.page.notice", {}, noticeArt("waiting"), h("h1.notice-title", { text: `Pedido ${order.number}` }), text, actions);
  let gone = false;

  async function open() {
    text.textContent = "Preparando a cobrança…";
    actions.replaceChildren();
    try {
      const opened = payment?.method === "counter" ? payment : await openPayment(order, "counter");
      if (!gone) take(opened);
    } catch (error) {
      if (gone) return;
      text.textContent = explainPayment(error);
      actions.replaceChildren(
        isOver(error) ? button("Novo pedido", () => show("attract"), { kind: "primary" }) : button("Tentar de novo", open, { kind: "primary" }),
      );
    }
  }

  function take(opened) {
    text.textContent = "Recebendo…";
    const items = order.items.map((item) => ({
      quantity: item.quantity,
      name: item.name,
      details: [...item.slots.flatMap((slot) => [slot.name, ...slot.options.map(({ name }) => name)]), ...item.options.map(({ name }) => name)],
    }));
    const due = { id: order.id, number: order.number, guest: order.guest_name, total: order.total, charge: opened.id, hasCode: false, items };
    new PaymentSheet(due, { closeLabel: "Próximo pedido", onClosed: (outcome) => (outcome === "left" ? waits() : show("attract")) });
  }

  /** Put off: the order waits in the list, its things are held. */
  function waits() {
    text.textContent = "O pedido está guardado e espera na lista “Receber”. Nada foi cobrado.";
    actions.replaceChildren(button("Novo pedido", () => show("attract")), button("Receber agora", open, { kind: "primary" }));
    cart.clear();
    closePurchase();
  }

  open();
  return { element, onLeave: () => (gone = true) };
}

/** A total of zero is paid by nobody. */
export function takenFreeView({ order }) {
  const next = button("Próximo pedido", () => show("attract"), { kind: "primary" });
  const element = h(
    "section.page.done",
    {},
    h("div.done-body", {}, h("h1.done-title", { text: "Pedido confirmado, sem nada a pagar" }), h("p.done-label", { text: "Número" }), h("p.done-number", { text: order.number })),
    dock(h("span"), next),
  );
  return { element };
}
