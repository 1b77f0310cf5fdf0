/** Full-screen messages with one way on. */

import { cart } from "../cart.js";
import { config } from "../config.js";
import { menu } from "../menu.js";
import { button, notice } from "../parts.js";
import { show } from "../screen.js";
import { t } from "../strings.js";

const toAttract = (kind = "primary") => button(t("expired.leave"), () => show("attract"), { kind });

export function loadingView() {
  return { element: notice({ art: "waiting", title: t("attract.loading"), text: config.storeName, actions: [] }) };
}

/** The unpaid order ran out of time; its items are still in the cart, unless the power went away meanwhile. */
export function expiredView() {
  const retry = button(t("expired.retry"), () => show("cart"), { kind: "primary" });
  const actions = cart.isEmpty ? [toAttract()] : [toAttract(""), retry];
  return { element: notice({ art: "bag", title: t("expired.title"), text: t(cart.isEmpty ? "expired.empty" : "expired.text"), actions }), waitsForGuest: true };
}

/** Staff did not let the order go: what they refused leaves the cart, the rest may be ordered. */
export function refusedView() {
  for (const line of cart.lines.filter((each) => menu.needsRelease(each))) cart.remove(line.id);
  const retry = button(t("refused.retry"), () => show("cart"), { kind: "primary" });
  const actions = cart.isEmpty ? [toAttract()] : [toAttract(""), retry];
  return { element: notice({ art: "bag", title: t("refused.title"), text: t(cart.isEmpty ? "refused.empty" : "refused.text"), actions }), waitsForGuest: true };
}

export function cancelledView() {
  cart.clear();
  return { element: notice({ art: "bag", title: t("cancelled.title"), text: t("cancelled.text"), actions: [toAttract()] }), waitsForGuest: true };
}

/** Nothing could be loaded yet. The app goes on by itself when the connection is back. */
export function offlineView() {
  return { element: notice({ art: "trouble", title: t("offline.title"), text: t("offline.text"), actions: [] }) };
}

/** The server no longer knows this device, and loading the page again did not lead to the pairing page. */
export function unpairedView() {
  const reload = button(t("trouble.reload"), () => window.location.reload(), { kind: "primary" });
  return { element: notice({ art: "trouble", title: t("trouble.unpaired"), text: t("trouble.unpairedHint"), actions: [reload] }) };
}
