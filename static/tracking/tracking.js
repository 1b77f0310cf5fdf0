/** The guest's phone: the order as the server renders it, a buzz when it is ready. */

import { followStream } from "../live/stream.js";
import { fetchFragment, swap } from "../live/swap.js";

const BUZZ_MS = [300, 150, 300, 150, 500];

const { stream, fragmentUrl } = document.body.dataset;
const order = document.getElementById("order");
const stale = document.getElementById("stale");
const announcer = document.getElementById("announcer");
const quietTitle = document.title;

let status = order.querySelector("[data-status]").dataset.status;

function render(html) {
  swap(order, html);
  const { status: next, statusLabel, number } = order.querySelector("[data-status]").dataset;
  document.title = next === "ready" ? `🔔 ${number} está pronto!` : quietTitle;
  if (next === status) return;
  status = next;
  announcer.textContent = `Pedido ${number}: ${statusLabel}`;
  if (next === "ready") navigator.vibrate?.(BUZZ_MS);
}

followStream({
  url: stream,
  event: "order",
  onState: ({ html }) => render(html),
  onStale: (isStale) => (stale.hidden = !isStale),
  poll: async () => render(await fetchFragment(fragmentUrl)),
});
