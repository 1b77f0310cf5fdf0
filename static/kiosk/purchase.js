/**
 * Turning the cart into a paid order without ever charging or cooking twice.
 *
 * A request whose answer was lost is repeated with the same key and the same body; both are stored before it goes out,
 * so this holds across a reload and a power cut too. A changed cart is another purchase and gets another key.
 */

import { api, ApiError, newKey } from "./api.js";
import { cart } from "./cart.js";
import { guest } from "./guest.js";
import { orderMemory } from "./memory.js";

const RETRIES_WHEN_BUSY = 3;
const SERVER_ERRORS = 500;
const BUSY = new Set(["idempotency_conflict", "database_unavailable"]);
/** How long after it went away the kiosk still comes back to something; later another guest stands there. */
const COMES_BACK_MS = { placing: 5 * 60_000, unpaid: 60 * 60_000, paid: 60_000 };
const PAID = new Set(["received", "in_preparation", "ready", "finished"]);

/** An order that costs nothing is received at once. */
export const isPaid = (order) => PAID.has(order.status);

/** Where an order goes on that was placed just now or comes back: to the kitchen, to whoever lets it go, or to its payment. */
export function nextView(order) {
  if (isPaid(order)) return "done";
  return order.release === "waiting" ? "release" : "payment";
}

/** A refusal left nothing behind; after a server error, as after no answer or while it is at work, nobody knows. */
export const isRefusal = (error) => error instanceof ApiError && error.status < SERVER_ERRORS && !BUSY.has(error.code);

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function patiently(send) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const busy = error instanceof ApiError && BUSY.has(error.code);
      if (!busy || attempt > RETRIES_WHEN_BUSY) throw error;
      await pause(error.retryAfterSeconds);
    }
  }
}

const isRecent = ({ at }, withinMs) => Date.now() - at < withinMs;

/**
 * The order to come back to: one that waits for its payment, with the payment being tried, or one paid a moment ago.
 *
 * @returns {{order: object, payment: object|null, paid: boolean}|null}
 */
export function openPurchase() {
  const purchase = orderMemory.recall("purchase");
  return purchase && isRecent(purchase, purchase.paid ? COMES_BACK_MS.paid : COMES_BACK_MS.unpaid) ? purchase : null;
}

export function keepPurchase({ order, payment = null, paid = false }) {
  orderMemory.remember("purchase", { order, payment, paid, at: Date.now() });
}

export function closePurchase() {
  orderMemory.forget("purchase");
  orderMemory.forget("payment-key");
}

/** Forgets a checkout whose answer never came: the next guest's order is another one, even of the same things. */
export function abandonAttempt() {
  orderMemory.forget("checkout");
}

/** Whether a checkout went out a moment ago, its answer never came, and the guest has not changed the cart since. */
export function hasLostAnswer() {
  const attempt = orderMemory.recall("checkout");
  if (!attempt || !isRecent(attempt, COMES_BACK_MS.placing)) return false;
  return cart.isEmpty || JSON.stringify(cart.toRequest().items) === JSON.stringify(attempt.body.items);
}

/**
 * Places the order for the cart, in the name of the guest who said who they are.
 *
 * @param {string} expectedTotal the total the guest has seen; the server refuses when it is another
 * @returns the order
 */
export async function placeOrder(expectedTotal) {
  const request = { ...cart.toRequest(), ...(guest.ticket && { customer: guest.ticket }) };
  const signature = JSON.stringify(request);
  let attempt = orderMemory.recall("checkout");
  if (attempt?.signature !== signature) {
    attempt = { signature, key: newKey(), body: { ...request, expected_total: expectedTotal }, at: Date.now() };
    orderMemory.remember("checkout", attempt);
  }
  return send(attempt);
}

/** Asks again for the answer that never came. @returns the order */
export const placeAgain = () => send(orderMemory.recall("checkout"));

async function send({ body, key }) {
  try {
    const order = await patiently(() => api.checkout(body, key));
    keepPurchase({ order });
    abandonAttempt();
    return order;
  } catch (error) {
    if (isRefusal(error)) abandonAttempt();
    throw error;
  }
}

/**
 * Opens a payment for the order, replacing the one that is open.
 *
 * @param {"mercado_pago_qr"|"counter"} method
 */
export async function openPayment(order, method) {
  let attempt = orderMemory.recall("payment-key");
  if (attempt?.order !== order.id || attempt.method !== method) {
    attempt = { order: order.id, method, key: newKey() };
    orderMemory.remember("payment-key", attempt);
  }
  try {
    const payment = await patiently(() => api.openPayment(order.id, method, attempt.key));
    orderMemory.forget("payment-key");
    keepPurchase({ order, payment });
    return payment;
  } catch (error) {
    if (isRefusal(error)) orderMemory.forget("payment-key");
    throw error;
  }
}
