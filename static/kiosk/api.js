/** The kiosk's only door to the server. Every failure is one of two errors: ApiError or OfflineError. */

import { csrfToken } from "../live/csrf.js";
import { config } from "./config.js";

const TIMEOUT_MS = 15_000;
const DEFAULT_RETRY_AFTER_SECONDS = 3;

/** The server answered and refused. `code` is the machine-readable reason of the problem document. */
export class ApiError extends Error {
  constructor(status, problem, retryAfterSeconds) {
    super(problem.detail ?? `HTTP ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer: whether the request had an effect is unknown, so it may only be repeated with the same key. */
export class OfflineError extends Error {
  constructor(cause) {
    super("No answer from the server", { cause });
    this.name = "OfflineError";
  }
}

function retryAfter(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  return seconds > 0 ? seconds : DEFAULT_RETRY_AFTER_SECONDS;
}

export async function request(method, path, { body, key } = {}) {
  const headers = { Accept: "application/json", "X-Device-Kind": config.deviceKind };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let response;
  let answer;
  try {
    response = await fetch(config.apiBase + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: method === "GET" ? "no-cache" : "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    answer = await response.json().catch((error) => {
      if (error instanceof SyntaxError) return {};
      throw error;
    });
  } catch (error) {
    window.dispatchEvent(new CustomEvent("connection", { detail: { online: false } }));
    throw new OfflineError(error);
  }
  window.dispatchEvent(new CustomEvent("connection", { detail: { online: true } }));
  if (response.status === 401) window.dispatchEvent(new CustomEvent("device-refused"));
  if (!response.ok) throw new ApiError(response.status, answer, retryAfter(response));
  return { answer, status: response.status, retryAfterSeconds: retryAfter(response) };
}

const get = (path) => request("GET", path);
const post = (path, body, key) => request("POST", path, { body, key });

/** A device and whoever works at one store have theirs; others name it. */
const placed = (cart) => (config.orderStore ? { ...cart, store: config.orderStore } : cart);

export const api = {
  menu: async () => (await get(config.store ? `/menu?store=${config.store}` : "/menu")).answer,
  quote: async (cart) => (await post("/orders/quote", placed(cart))).answer,
  lookUp: async (cpf) => (await post("/users/lookup", { cpf })).answer,
  checkout: async (cart, key) => (await post("/orders/checkout", placed(cart), key)).answer,
  orderStatus: (id) => get(`/orders/${id}/status`),
  cancelOrder: async (id) => (await post(`/orders/${id}/cancel`, { reason: "guest" })).answer,
  openPayment: async (order, method, key) => (await post("/payments", { order, method }, key)).answer,
  payment: async (id) => (await get(`/payments/${id}`)).answer,
  checkPayment: async (id) => (await post(`/payments/${id}/check`)).answer,
};

/** A new idempotency key. Not crypto.randomUUID: that one needs HTTPS, and a shop's LAN may have none. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
