/** How long each ticket has waited, by the server's clock, in colour and in words. */

const MINUTE_MS = 60_000;
const WARN_MINUTES = 5;
const LATE_MINUTES = 8;

function describe(minutes) {
  if (minutes < 0) return { level: "future", text: `em ${-minutes} min` };
  if (minutes < WARN_MINUTES) return { level: "fresh", text: minutes === 0 ? "agora" : `${minutes} min` };
  if (minutes < LATE_MINUTES) return { level: "warn", text: `atenção ${minutes} min` };
  return { level: "late", text: `atrasado ${minutes} min` };
}

/** @param {HTMLElement} board @param {number} now ms */
export function drawAges(board, now) {
  for (const ticket of board.querySelectorAll("[data-since]")) {
    const minutes = Math.floor((now - Date.parse(ticket.dataset.since)) / MINUTE_MS);
    const { level, text } = describe(minutes);
    ticket.dataset.age = ticket.dataset.status === "ready" && level !== "future" ? "fresh" : level;
    ticket.querySelector(".ticket-age").textContent = ticket.dataset.status === "ready" ? `${minutes} min` : text;
  }
}
