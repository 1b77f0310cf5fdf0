/** The tray and the guest: shows what a number or a code stands for, hands it over. */

import { h } from "../kiosk/dom.js";
import { button } from "../kiosk/parts.js";

/**
 * @param {string} html rendered by our own templates
 * @param {{onServe: (order: string, number: string) => Promise<boolean>, onClosed: () => void}} options
 */
export function openHandover(html, { onServe, onClosed }) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const close = () => {
    element.close();
    element.remove();
    onClosed();
  };
  const element = h(
    "dialog.sheet.sheet-hand",
    { "aria-label": "Retirada" },
    h("div.hands", {}, ...parsed.body.childNodes),
    h("div.sheet-actions", {}, button("Voltar", close, { kind: "quiet" })),
  );
  element.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  element.addEventListener("click", async ({ target }) => {
    const press = target.closest("[data-serve-now]");
    if (!press || press.disabled) return;
    press.disabled = true;
    const { order, number } = press.closest("[data-order]").dataset;
    if (await onServe(order, number)) close();
    else press.disabled = false;
  });
  document.body.append(element);
  element.showModal();
  (element.querySelector("[data-serve-now]") ?? element.querySelector(".button")).focus();
  return element;
}
