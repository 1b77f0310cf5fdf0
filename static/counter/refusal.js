/** Asks before an order is refused that waits to be let go: a slip of a finger would cancel it. */

import { h } from "../kiosk/dom.js";
import { button } from "../kiosk/parts.js";

/**
 * @param {string} number of the order
 * @param {{onRefuse: () => Promise<void>, onClosed: () => void}} options
 */
export function openRefusal(number, { onRefuse, onClosed }) {
  const close = () => {
    element.close();
    element.remove();
    onClosed();
  };
  const refuse = button(`Recusar ${number}`, async () => {
    refuse.disabled = true;
    await onRefuse();
    close();
  }, { kind: "danger" });
  const element = h(
    "dialog.sheet.sheet-hand",
    { "aria-labelledby": "refusal-title" },
    h("h2.sheet-title", { id: "refusal-title", text: `Recusar o pedido ${number}?` }),
    h("p.sheet-text", { text: "O pedido inteiro é cancelado e nada é cobrado. O totem avisa o cliente, que pode pedir de novo sem a bebida." }),
    h("div.sheet-actions", {}, button("Voltar", close, { kind: "quiet" }), refuse),
  );
  element.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  document.body.append(element);
  element.showModal();
  return element;
}
