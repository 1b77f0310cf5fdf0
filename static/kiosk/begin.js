/** What the app needs from its first second on, whoever uses it: a menu that stays fresh, and word of a lost connection. */

import { followStream } from "../live/stream.js";
import { ApiError, OfflineError } from "./api.js";
import { config } from "./config.js";
import { menu } from "./menu.js";
import { quote } from "./quote.js";
import { show } from "./screen.js";
import { t } from "./strings.js";

const MENU_REFRESH_MS = 60_000;
const EXPIRY_SLACK_MS = 500;
const RECONNECT_MS = 5_000;
const CATCH_UP_MS = 1_000;
const CATCH_UP_TRIES = 5;
const UNAUTHORIZED = 401;

const offlineBanner = document.getElementById("offline");
offlineBanner.textContent = t("offline.banner");
let reconnecting = 0;

window.addEventListener("connection", ({ detail: { online } }) => {
  offlineBanner.hidden = online;
  clearTimeout(reconnecting);
  if (!online) reconnecting = setTimeout(reconnect, RECONNECT_MS);
});

async function reconnect() {
  await refreshMenu();
  if (!offlineBanner.hidden) return;
  if (quote.error instanceof OfflineError) quote.refresh();
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Shows that the menu is being loaded until it is there, and keeps it fresh from then on.
 *
 * @param {(name: string) => void} [say] shows how it goes; left out where the screen has something better to show
 * @returns {Promise<boolean>} false: not let in
 */
export async function loadMenu(say = show) {
  say("loading");
  while (!menu.isLoaded) {
    try {
      await menu.refresh();
    } catch (error) {
      if (error instanceof ApiError && error.status === UNAUTHORIZED) return false;
      say("offline");
      await pause(RECONNECT_MS);
    }
  }
  setInterval(refreshMenu, MENU_REFRESH_MS);
  if (config.menuStream) {
    followStream({
      url: config.menuStream,
      event: "menu",
      onState: ({ version }) => catchUp(version),
      onStale: () => {},
      poll: refreshMenu,
    });
  }
  return true;
}

/** Fetches the menu again; a moment without it costs nothing, the next news or minute brings it. */
const refreshMenu = () => menu.refresh().catch(() => {});

/** News may be faster than the process that is asked for the menu, which may tell the one before for up to two seconds. */
async function catchUp(version) {
  for (let tries = 0; tries < CATCH_UP_TRIES && menu.version < version; tries += 1) {
    if (tries) await pause(CATCH_UP_MS);
    await refreshMenu();
  }
}

let expiry = 0;

menu.addEventListener("change", () => {
  clearTimeout(expiry);
  const left = menu.validUntil === null ? Infinity : menu.validUntil - Date.now() + EXPIRY_SLACK_MS;
  if (left < MENU_REFRESH_MS) expiry = setTimeout(refreshMenu, Math.max(left, EXPIRY_SLACK_MS));
  quote.refresh(); // a price, an offer or a pause may have changed what the cart costs
});
