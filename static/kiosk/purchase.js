/**
 * Turning the cart into a paid order without ever charging or cooking twice.
 *
 * A request whose answer was lost is repeated with the same key and the same body; the key is kept in the tab's
 * memory, so this holds across a reload too. A changed cart is another purchase and gets another key.
 */

import { api, ApiError, newKey } from "./api.js";
import { cart } from "./cart.js";
import { guest } from "./guest.js";
import { forget, recall, remember } from "./memory.js";

const RETRIES_WHEN_BUSY = 3;
const SERVER_ERRORS = 500;
const BUSY = new Set(["idempotency_conflict", "database_unavailable"]);
const PAID = new Set(["received", "in_preparation", "ready", "finished"]);

/** An order that costs nothing is received at once. */
export const isPaid = (order) => PAID.has(order.status);

/** A refusal left nothing behind; after a server error, as after no answer, nobody knows. */
const isRefusal = (error) => error instanceof ApiError && error.status < SERVER_ERRORS;

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

/** The order that waits for its payment, with the payment being tried: {order, payment|null}, or null. */
export function openPurchase() {
  return recall("purchase");
}

export function keepPurchase(purchase) {
  remember("purchase", purchase);
}

export function closePurchase() {
  forget("purchase");
  forget("payment-key");
}

/** Forgets a checkout whose answer never came: the next guest's order is another one, even of the same things. */
export function abandonAttempt() {
  forget("checkout");
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
  let attempt = recall("checkout");
  if (attempt?.signature !== signature) {
    attempt = { signature, key: newKey(), body: { ...request, expected_total: expectedTotal } };
    remember("checkout", attempt);
  }
  try {
    const order = await patiently(() => api.checkout(attempt.body, attempt.key));
    forget("checkout");
    keepPurchase({ order, payment: null });
    return order;
  } catch (error) {
    if (isRefusal(error)) forget("checkout");
    throw error;
  }
}

/**
 * Opens a payment for the order, replacing the one that is open.
 *
 * @param {"mercado_pago_qr"|"counter"} method
 */
export async function openPayment(order, method) {
  let attempt = recall("payment-key");
  if (attempt?.order !== order.id || attempt.method !== method) {
    attempt = { order: order.id, method, key: newKey() };
    remember("payment-key", attempt);
  }
  try {
    const payment = await patiently(() => api.openPayment(order.id, method, attempt.key));
    forget("payment-key");
    keepPurchase({ order, payment });
    return payment;
  } catch (error) {
    if (isRefusal(error)) forget("payment-key");
    throw error;
  }
}
