/** Tells the server every minute that this screen is alive, and loads a newer page when there is one. */

import { csrfToken } from "./csrf.js";

const EVERY_MS = 60_000;
const RELOAD_AT_MOST_EVERY_MS = 10 * 60_000;
const RELOADED_AT = "breadmate.newer-page-at";

/**
 * @param {"kiosk"|"board"|"panel"} kind what this page speaks for
 * @param {() => boolean} [mayReload] whether nobody is in the middle of something
 */
export function beat(kind, mayReload = () => true) {
  const { apiBase, pageVersion } = document.body.dataset;

  async function tell() {
    const response = await fetch(`${apiBase}/devices/heartbeat`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), "X-Device-Kind": kind },
      credentials: "same-origin",
      body: JSON.stringify({ version: pageVersion, clock: new Date().toISOString() }),
    });
    if (response.ok && (await response.json()).reload && mayReload()) reload();
  }

  // Without a connection the page says so in its own place, and the next beat comes anyway.
  const safely = () => tell().catch(() => {});
  safely();
  setInterval(safely, EVERY_MS);
}

/** A page that stays old after it was loaded anew, as behind a proxy that keeps it, must not load again and again. */
function reload() {
  const before = Number(sessionStorage.getItem(RELOADED_AT));
  if (Date.now() - before < RELOAD_AT_MOST_EVERY_MS) return;
  sessionStorage.setItem(RELOADED_AT, String(Date.now()));
  window.location.reload();
}
