/** Follows one order live: by its stream, and by asking whenever the stream is silent. */

import { api, ApiError } from "./api.js";

const STALE_AFTER_MS = 12_000;
const ASK_EVERY_SECONDS = 3;
const NOT_FOUND = 404;

/**
 * @param {{id: string, stream_url: string}} order
 * @param {(state: {status: string, promised_at: string|null, release: string|null}) => void} onState called with every state heard; "gone": not
 *   an order of this caller, as after a device was paired anew
 * @returns {() => void} stops following
 */
export function watchOrder(order, onState) {
  let stopped = false;
  let heardAt = 0;
  let timer = 0;

  const stream = new EventSource(order.stream_url, { withCredentials: true });
  const heard = () => {
    heardAt = Date.now();
  };
  stream.addEventListener("beat", heard);
  stream.addEventListener("order", (event) => {
    heard();
    onState(JSON.parse(event.data));
  });

  async function ask() {
    let seconds = ASK_EVERY_SECONDS;
    if (Date.now() - heardAt > STALE_AFTER_MS) {
      try {
        const { answer, retryAfterSeconds } = await api.orderStatus(order.id);
        seconds = retryAfterSeconds;
        if (!stopped) onState(answer);
      } catch (error) {
        if (error instanceof ApiError) seconds = error.retryAfterSeconds;
        if (error.status === NOT_FOUND && !stopped) onState({ status: "gone", promised_at: null });
      }
    }
    if (!stopped) timer = setTimeout(ask, seconds * 1000);
  }
  timer = setTimeout(ask, ASK_EVERY_SECONDS * 1000);

  return () => {
    stopped = true;
    clearTimeout(timer);
    stream.close();
  };
}
