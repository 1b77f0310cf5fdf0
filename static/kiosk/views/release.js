/** Waits for a member of staff to check the guest's age. The screen only shows what the server says; it never lets an order go. */

import { api, ApiError, OfflineError } from "../api.js";
import { h } from "../dom.js";
import { countDown } from "../idle.js";
import { ask, button, dock, noticeArt } from "../parts.js";
import { closePurchase, isPaid, keepPurchase } from "../purchase.js";
import { show } from "../screen.js";
import { t } from "../strings.js";
import { watchOrder } from "../watch.js";

const URGENT_SECONDS = 60;

export function releaseView({ order }) {
  keepPurchase({ order });
  let gone = false;
  let afterCancel = "cancelled";
  const clock = h("strong.pay-clock");
  const tip = h("p.pay-tip", { role: "status" });
  const stage = h(
    "div.pay-stage",
    {},
    noticeArt("adults"),
    h("p.pay-hint", { text: t("release.text") }),
    h("p.pay-time", {}, t("release.timeLeft"), " ", clock),
  );

  function onOrderState(state) {
    if (gone || (state.status === "awaiting_payment" && state.release === "waiting")) return;
    if (state.status === "awaiting_payment") {
      show("payment", { order: { ...order, release: state.release } });
      return;
    }
    closePurchase();
    if (isPaid(state)) show("done", { order: { ...order, promised_at: state.promised_at ?? order.promised_at } });
    else if (state.release === "refused") show("refused");
    else if (state.status === "expired") show("expired");
    else show(state.status === "cancelled" ? afterCancel : "attract");
  }

  async function cancel(next) {
    afterCancel = next;
    try {
      await api.cancelOrder(order.id);
    } catch (error) {
      // Let go meanwhile, or no connection: the order's own state, which is being watched, decides what comes next.
      if (!(error instanceof ApiError || error instanceof OfflineError)) throw error;
      tip.textContent = t("offline.banner");
      return;
    }
    if (gone) return;
    closePurchase();
    show(next);
  }

  function askToCancel() {
    ask({
      title: t("pay.cancelTitle"),
      text: t("release.cancelText"),
      choices: [
        { label: t("pay.cancelLeave"), kind: "danger", run: () => cancel("cancelled") },
        { label: t("pay.cancelEdit"), run: () => cancel("cart") },
        { label: t("release.keep"), kind: "primary" },
      ],
    });
  }

  const stopWatching = watchOrder(order, onOrderState);
  const stopClock = countDown(
    Date.parse(order.expires_at),
    (seconds) => {
      clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      stage.classList.toggle("is-urgent", seconds <= URGENT_SECONDS);
    },
    () => {}, // the server ends it, and its answer moves the screen
  );
  const element = h(
    "section.page.pay.release",
    {},
    h("header.pay-head", {}, h("p.pay-number", { text: t("done.number") }), h("p.release-number", { text: order.number }), h("h1.pay-title", { text: t("release.title") })),
    stage,
    tip,
    dock(button(t("pay.cancel"), askToCancel, { kind: "quiet danger" }), h("span")),
  );
  return {
    element,
    onLeave() {
      gone = true;
      stopWatching();
      stopClock();
    },
  };
}
