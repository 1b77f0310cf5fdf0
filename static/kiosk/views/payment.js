/** Waits for the money. The screen only shows what the server says; it never decides that an order is paid. */

import { api, ApiError, OfflineError } from "../api.js";
import { h, svgImage } from "../dom.js";
import { countDown } from "../idle.js";
import { formatMoney } from "../money.js";
import { ask, button, dock, noticeArt } from "../parts.js";
import { closePurchase, keepPurchase, openPayment } from "../purchase.js";
import { show } from "../screen.js";
import { t } from "../strings.js";
import { watchOrder } from "../watch.js";

const ASK_AGAIN_MS = 3_000;
const URGENT_SECONDS = 30;
const QR = "mercado_pago_qr";
const PAID = new Set(["approved", "late"]);
const OVER = new Set(["closing", "expired", "cancelled", "failed", "mismatch"]);

/** @param {{order: object, payment?: object}} params the payment to go on with, when one is open, as it was last known */
export function paymentView({ order, payment = null }) {
  const screen = new PaymentScreen(order);
  if (payment) screen.goOn(payment);
  else screen.open(QR);
  return { element: screen.element, onLeave: () => screen.leave() };
}

class PaymentScreen {
  #order;
  #payment = null;
  #gone = false;
  #afterCancel = "cancelled";
  #timer = 0;
  #stopClock = () => {};
  #stopWatching;
  #stage = h("div.pay-stage");
  #tip = h("p.pay-tip", { role: "status" });
  #dock;
  #counter = button(t("pay.counter"), () => this.open("counter"));

  constructor(order) {
    this.#order = order;
    this.#stopWatching = watchOrder(order, (state) => this.#onOrderState(state));
    this.#dock = dock(
      [
        this.#counter,
        button(t("pay.cancel"), () => this.#askToCancel(), { kind: "quiet danger" }),
      ],
      h("span"),
    );
    this.element = h(
      "section.page.pay",
      {},
      h(
        "header.pay-head",
        {},
        h("p.pay-number", { text: t("pay.order", { number: order.number }) }),
        h("h1.pay-title", { text: t("pay.title") }),
        h("p.pay-amount", { text: formatMoney(order.total) }),
      ),
      this.#stage,
      this.#tip,
      this.#dock,
    );
  }

  leave() {
    this.#gone = true;
    clearTimeout(this.#timer);
    this.#stopClock();
    this.#stopWatching();
  }

  async open(method) {
    this.#draw([waitingDots(), h("p.pay-message", { text: t("pay.preparing") })]);
    try {
      this.take(await openPayment(this.#order, method));
    } catch (error) {
      if (this.#gone) return;
      if (error instanceof OfflineError) {
        this.#later(() => this.open(method));
      } else if (error.code === "release_required") {
        show("release", { order: { ...this.#order, release: "waiting" } });
      } else if (error.code === "charge_locked" || error.code === "already_paid") {
        this.#draw([...message("pay.locked"), waitingDots()]);
      } else {
        this.#draw(message("pay.failed"), button(t("cart.retry"), () => this.open(method), { kind: "primary" }));
      }
    }
  }

  goOn(payment) {
    this.take(payment);
    this.#askAgain();
  }

  /** Shows the payment as the server last described it. */
  take(payment) {
    if (this.#gone) return;
    this.#payment = payment;
    keepPurchase({ order: this.#order, payment });
    if (payment.method === "counter") {
      show("counter", { order: this.#order });
    } else if (PAID.has(payment.status)) {
      this.#drawChecking(); // the order itself follows in a moment
    } else if (OVER.has(payment.status)) {
      this.#draw(message("pay.qrExpired"), button(t("pay.again"), () => this.open(QR), { kind: "primary" }));
    } else if (!payment.qr_svg) {
      this.#drawQueued();
      this.#later(() => this.#askAgain());
    } else if (Date.parse(payment.expires_at) <= Date.now()) {
      this.#drawChecking();
      this.#later(() => this.#askAgain());
    } else {
      this.#drawQr();
    }
  }

  #onOrderState({ status, promised_at: promisedAt }) {
    if (this.#gone || status === "awaiting_payment") return;
    closePurchase();
    if (status === "gone") show("attract");
    else if (status === "expired") show("expired");
    else if (status === "cancelled") show(this.#afterCancel);
    else show("done", { order: { ...this.#order, promised_at: promisedAt ?? this.#order.promised_at } });
  }

  #draw(content, main = h("span")) {
    this.#stopClock();
    this.#tip.textContent = "";
    this.#stage.classList.remove("is-urgent", "is-queued");
    this.#counter.hidden = false;
    this.#stage.replaceChildren(...content);
    this.#dock.querySelector(".dock-primary").replaceChildren(main);
  }

  /** No code yet: the counter is the way out that works now, and the code appears by itself when it comes. */
  #drawQueued() {
    if (this.#stage.classList.contains("is-queued")) return; // nothing new; a redrawn button could be missed by a finger
    this.#draw([...message("pay.queued"), waitingDots()], button(t("pay.counter"), () => this.open("counter"), { kind: "primary" }));
    this.#stage.classList.add("is-queued");
    this.#counter.hidden = true;
  }

  #drawChecking() {
    this.#draw([waitingDots(), h("p.pay-message", { text: t("pay.checking") })]);
  }

  #later(action) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => !this.#gone && action(), ASK_AGAIN_MS);
  }

  async #askAgain() {
    try {
      this.take(await api.payment(this.#payment.id));
    } catch {
      this.#later(() => this.#askAgain());
    }
  }

  #drawQr() {
    const amount = formatMoney(this.#payment.amount);
    const clock = h("strong.pay-clock");
    const check = button(t("pay.check"), () => this.#checkNow(check), { kind: "primary", iconName: "check" });
    this.#draw(
      [
        h("div.pay-card", {}, svgImage(this.#payment.qr_svg, t("pay.qr", { amount }), "pay-qr")),
        h("p.pay-time", {}, t("pay.timeLeft"), " ", clock),
        this.#payment.training
          ? h("p.pay-training", { text: t("pay.training") })
          : h("ol.pay-steps", {}, ["pay.step1", "pay.step2", "pay.step3"].map((key) => h("li", { text: t(key) }))),
      ],
      check,
    );
    this.#stopClock = countDown(
      Date.parse(this.#payment.expires_at),
      (seconds) => {
        clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
        this.#stage.classList.toggle("is-urgent", seconds <= URGENT_SECONDS);
      },
      () => this.#askAgain(),
    );
  }

  /** The guest says it is paid: the server asks the provider, and its answer alone moves the screen. */
  async #checkNow(check) {
    check.disabled = true;
    this.#tip.textContent = t("pay.checking");
    try {
      const payment = await api.checkPayment(this.#payment.id);
      const { answer } = await api.orderStatus(this.#order.id);
      this.#onOrderState(answer);
      if (payment.status !== this.#payment.status) this.take(payment);
    } catch (error) {
      if (!isExpected(error)) throw error;
    }
    if (this.#gone || PAID.has(this.#payment.status)) return;
    this.#tip.textContent = t("pay.notYet");
    setTimeout(() => (check.disabled = false), ASK_AGAIN_MS);
  }

  #askToCancel() {
    ask({
      title: t("pay.cancelTitle"),
      text: t("pay.cancelText"),
      choices: [
        { label: t("pay.cancelLeave"), kind: "danger", run: () => this.#cancel("cancelled") },
        { label: t("pay.cancelEdit"), run: () => this.#cancel("cart") },
        { label: t("pay.keep"), kind: "primary" },
      ],
    });
  }

  async #cancel(next) {
    this.#afterCancel = next;
    try {
      await api.cancelOrder(this.#order.id);
    } catch (error) {
      // Paid meanwhile or no connection: the order's own state, which is being watched, decides what comes next.
      if (!isExpected(error)) throw error;
      this.#tip.textContent = t(error instanceof OfflineError ? "offline.banner" : "pay.lockedHint");
      return;
    }
    if (this.#gone) return;
    closePurchase();
    show(next);
  }
}

const isExpected = (error) => error instanceof ApiError || error instanceof OfflineError;

const message = (key) => [noticeArt("waiting"), h("h2.pay-message", { text: t(key) }), h("p.pay-hint", { text: t(`${key}Hint`) })];

function waitingDots() {
  return h("div.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"));
}
