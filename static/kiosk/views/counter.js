/** The order waits to be paid at the counter; this totem is free again. */

import { h } from "../dom.js";
import { countDown } from "../idle.js";
import { formatMoney } from "../money.js";
import { button, dock } from "../parts.js";
import { show } from "../screen.js";
import { t } from "../strings.js";

const SHOWN_MS = 30_000;

export function counterView({ order }) {
  const left = h("p.dock-hint");
  const stop = countDown(Date.now() + SHOWN_MS, (n) => (left.textContent = t("done.back", { n })), () => show("attract"));
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
  return { element, onLeave: stop };
}
