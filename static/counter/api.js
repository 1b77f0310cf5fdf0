/** What only the counter asks of the server. Failures are the kiosk's ApiError and OfflineError. */

import { request } from "../kiosk/api.js";

export const counterApi = {
  openAtCounter: async (order, key) => (await request("POST", "/payments", { body: { order, method: "counter" }, key })).answer,
  confirm: async (payment, body) => (await request("POST", `/payments/${payment}/confirm`, { body })).answer,
  cancel: async (order, reason) => (await request("POST", `/orders/${order}/cancel`, { body: { reason } })).answer,
  release: async (order, release) => (await request("POST", `/orders/${order}/release`, { body: { release } })).answer,
  handOver: async (order) => (await request("PATCH", `/orders/${order}/status`, { body: { status: "finished" } })).answer,
  undo: async (order) => (await request("POST", `/orders/${order}/undo`, { body: {} })).answer,
};

/** The session is over, or somebody else signed in: the page itself leads to the sign-in. */
window.addEventListener("device-refused", () => window.location.reload());
