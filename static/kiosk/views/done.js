/** Paid: the number to listen for, when it will be ready, and a way to follow it. */

import { cart } from "../cart.js";
import { h, icon } from "../dom.js";
import { countDown } from "../idle.js";
import { button, dock } from "../parts.js";
import { keepPurchase } from "../purchase.js";
import { show } from "../screen.js";
import { t } from "../strings.js";

const SHOWN_MS = 30_000;
const MINUTE_MS = 60_000;

function promise({ promised_at: promisedAt }) {
  const minutes = Math.round((Date.parse(promisedAt) - Date.now()) / MINUTE_MS);
  return minutes > 0 ? h("p.done-promise", { text: t("done.promise", { n: minutes }) }) : null;
}

/** The tracking page draws its own QR; without one the screen does well with the number alone. */
function tracking({ tracking_url: trackingUrl }) {
  if (!trackingUrl) return null;
  const path = new URL(trackingUrl, window.location.href).pathname.replace(/\/?$/, "/");
  const box = h("div.done-track", {}, h("div", {}, h("h2.done-track-title", { text: t("done.track") }), h("p", { text: t("done.trackHint") })));
  const image = h("img.done-qr", { src: `${path}qr.svg`, alt: t("done.track") });
  image.addEventListener("error", () => box.remove(), { once: true });
  box.prepend(image);
  return box;
}

export function doneView({ order }) {
  cart.clear();
  keepPurchase({ order, paid: true });
  const left = h("p.dock-hint");
  const stop = countDown(Date.now() + SHOWN_MS, (n) => (left.textContent = t("done.back", { n })), () => show("attract"));
  const element = h(
    "section.page.done",
    {},
    h(
      "div.done-body",
      {},
      h("span.done-mark", {}, icon("check")),
      h("h1.done-title", { text: t("done.title") }),
      h("p.done-label", { text: t("done.number") }),
      h("p.done-number", { text: order.number }),
      promise(order),
      h("p.done-text", { text: t("done.pickUp") }),
      tracking(order),
    ),
    dock(left, button(t("done.close"), () => show("attract"), { kind: "primary" })),
  );
  return { element, onLeave: stop };
}
