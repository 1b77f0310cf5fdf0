/** How long each order has waited and how long it still may, by the server's clock. */

const MINUTE_MS = 60_000;
const URGENT_MS = 2 * MINUTE_MS;

function age(ms) {
  const minutes = Math.max(0, Math.floor(ms / MINUTE_MS));
  return minutes === 0 ? "agora" : `há ${minutes} min`;
}

function left(ms) {
  if (ms <= 0) return "expirando…";
  const seconds = Math.ceil(ms / 1000);
  return seconds < 600 ? `expira em ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : `expira em ${Math.ceil(seconds / 60)} min`;
}

/** @param {HTMLElement} root @param {number} now ms */
export function drawTimes(root, now) {
  for (const card of root.querySelectorAll(".desk-card")) {
    card.querySelector("[data-age]").textContent = age(now - Date.parse(card.dataset.since));
    const place = card.querySelector("[data-left]");
    if (!place) continue;
    const ms = Date.parse(card.dataset.expires) - now;
    place.textContent = left(ms);
    place.classList.toggle("is-urgent", ms < URGENT_MS);
  }
}
