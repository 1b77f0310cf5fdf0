/** Moving orders over the API. */

import { csrfToken } from "../live/csrf.js";

/** A refusal or a lost connection, with a sentence for the cook. */
export class MoveError extends Error {
  constructor(message) {
    super(message);
    this.name = "MoveError";
  }
}

const REFUSALS = {
  invalid_transition: "Outra pessoa já mexeu neste pedido.",
  not_found: "Este pedido não está mais aqui.",
};

async function send(method, path, body) {
  let response;
  try {
    response = await fetch(document.body.dataset.apiBase + path, {
      method,
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": csrfToken(),
        "X-Device-Kind": "board",
        Prefer: "return=minimal", // what changed comes with the board's stream
      },
      credentials: "same-origin",
      body: JSON.stringify(body),
    });
  } catch {
    throw new MoveError("Sem conexão: nada mudou. Tente de novo.");
  }
  if (response.ok) return;
  if (response.status === 401) window.location.reload();
  const { code } = await response.json().catch(() => ({}));
  throw new MoveError(REFUSALS[code] ?? "Não deu certo: nada mudou. Tente de novo.");
}

export const moveOrder = (id, status) => send("PATCH", `/orders/${id}/status`, { status });
export const recallOrder = (id) => send("POST", `/orders/${id}/recall`, {});
export const bumpItem = (id, item) => send("POST", `/orders/${id}/items/${item}/bump`, {});
export const recallItem = (id, item) => send("POST", `/orders/${id}/items/${item}/recall`, {});
/** The kitchen has seen that an item, or without one the whole order, will not be made. */
export const acknowledge = (id, item) => send("POST", item ? `/orders/${id}/items/${item}/acknowledge` : `/orders/${id}/acknowledge`, {});
export const undoMove = (id) => send("POST", `/orders/${id}/undo`, {});
