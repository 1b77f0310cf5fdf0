/** The order waits to be paid at the counter; this totem is free again. */

import { cart } from "../cart.js";
import { h } from "../dom.js";
import { countDown } from "../idle.js";
import { formatMoney } from "../money.js";
import { button, dock } from "../parts.js";
import { isPaid } from "../purchase.js";
import { show } from "../screen.js";
import { t } from "../strings.js";
import { watchOrder } from "../watch.js";

const SHOWN_MS = 30_000;

export function counterView({ order }) {
  cart.clear();
  const left = h("p.dock-hint");
  const stop = countDown(Date.now() + SHOWN_MS, (n) => (left.textContent = t("done.back", { n })), () => show("attract"));
  const stopWatching = watchOrder(order, (state) => {
    if (isPaid(state)) show("done", { order: { ...order, promised_at: state.promised_at ?? order.promised_at } });
    else if (state.status !== "awaiting_payment") show("attract");
  });
  const element = h(
    "section.page.done.done-counter",
    {},
    h(
      "div.done-body",
      {},
      h("h1.done-title", { text: t("counter.title") }),
      h("p.done-label", { text: t("done.number") }),
      h("p.done-number", { text: order.number }),
      h("p.done-text", { text: t("counter.text", { amount: formatMoney(order.total) }) }),
    ),
    dock(left, button(t("done.close"), () => show("attract"), { kind: "primary" })),
  );

  function onLeave() {
    stop();
    stopWatching();
  }

  return { element, onLeave };
}
