/** Starts the kiosk and minds what no single view can: connection, pairing, guests who leave, a fresh menu. */

import { beat } from "../live/heartbeat.js";
import { patientMs, setAccessMode } from "./access.js";
import { ApiError, OfflineError } from "./api.js";
import { cart } from "./cart.js";
import { config } from "./config.js";
import { guest } from "./guest.js";
import { countDown, IdleTimer } from "./idle.js";
import { followStream } from "../live/stream.js";
import { recall, remember } from "./memory.js";
import { menu } from "./menu.js";
import { ask } from "./parts.js";
import { abandonAttempt, closePurchase, openPurchase } from "./purchase.js";
import { quote } from "./quote.js";
import { registerViews, show, shown } from "./screen.js";
import { t } from "./strings.js";
import { attractView } from "./views/attract.js";
import { cartView } from "./views/cart.js";
import { counterView } from "./views/counter.js";
import { diningView } from "./views/dining.js";
import { doneView } from "./views/done.js";
import { identifyView } from "./views/identify.js";
import { forgetShelfPosition, menuView } from "./views/menu.js";
import { cancelledView, expiredView, loadingView, offlineView, unpairedView } from "./views/notices.js";
import { paymentView } from "./views/payment.js";
import { productView } from "./views/product.js";

const LAST_CALL_MS = 15_000;
const MENU_REFRESH_MS = 60_000;
const EXPIRY_SLACK_MS = 500;
const RECONNECT_MS = 5_000;
const PAIRING_RELOAD_MS = 30_000;
const UNAUTHORIZED = 401;

registerViews({
  loading: loadingView,
  attract: welcomeNextGuest,
  dining: diningView,
  menu: menuView,
  product: productView,
  cart: cartView,
  identify: identifyView,
  payment: paymentView,
  counter: counterView,
  done: doneView,
  expired: expiredView,
  cancelled: cancelledView,
  offline: offlineView,
  unpaired: unpairedView,
});

/** The first screen is also where everything of the last guest is forgotten. */
function welcomeNextGuest(params) {
  if (!params.sameGuest) setAccessMode(false);
  cart.clear();
  guest.forget();
  abandonAttempt();
  closePurchase();
  forgetShelfPosition();
  return attractView(params);
}

const offlineBanner = document.getElementById("offline");
offlineBanner.textContent = t("offline.banner");
let reconnecting = 0;

window.addEventListener("connection", ({ detail: { online } }) => {
  offlineBanner.hidden = online;
  clearTimeout(reconnecting);
  if (!online) reconnecting = setTimeout(reconnect, RECONNECT_MS);
});

async function reconnect() {
  await menu.refresh().catch(() => {});
  if (!offlineBanner.hidden) return;
  if (quote.error instanceof OfflineError) quote.refresh();
}

/** A revoked device is paired again on the page the server shows instead of the kiosk; a second refusal is no reason to spin. */
window.addEventListener("device-refused", () => {
  const reloadedAt = recall("reloaded-at", 0);
  if (Date.now() - reloadedAt < PAIRING_RELOAD_MS) {
    show("unpaired");
    return;
  }
  remember("reloaded-at", Date.now());
  window.location.reload();
});

let stopLastCall = () => {};
const idle = new IdleTimer(() => patientMs(config.idleMs), lastCall);

function lastCall() {
  const stay = () => {
    stopLastCall();
    idle.start();
  };
  const leave = () => {
    stopLastCall();
    show("attract");
  };
  const { say } = ask({
    title: t("idle.title"),
    text: "",
    choices: [
      { label: t("idle.leave"), run: leave },
      { label: t("idle.stay"), kind: "primary", run: stay },
    ],
  });
  stopLastCall = countDown(Date.now() + patientMs(LAST_CALL_MS), (n) => say(t("idle.text", { n })), leave);
}

window.addEventListener("screen-change", ({ detail: { waitsForGuest } }) => {
  stopLastCall();
  if (waitsForGuest) idle.start();
  else idle.stop();
});

for (const gesture of ["contextmenu", "gesturestart", "dragstart"]) {
  window.addEventListener(gesture, (event) => event.preventDefault());
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Goes on where a reload interrupted the guest: at the open payment, in the menu, or at the beginning. */
async function start() {
  show("loading");
  while (!menu.isLoaded) {
    try {
      await menu.refresh();
    } catch (error) {
      if (error instanceof ApiError && error.status === UNAUTHORIZED) return; // pairing takes over
      show("offline");
      await pause(RECONNECT_MS);
    }
  }
  const purchase = openPurchase();
  if (purchase) show(purchase.payment?.method === "counter" ? "counter" : "payment", purchase);
  else if (!cart.isEmpty && cart.diningOption) show("menu");
  else show("attract");
  quote.refresh();
}

/** Fetches the menu again; a moment without it costs nothing, the next news or minute brings it. */
const refreshMenu = () => menu.refresh().catch(() => {});

let expiry = 0;

menu.addEventListener("change", () => {
  clearTimeout(expiry);
  const left = menu.validUntil === null ? Infinity : menu.validUntil - Date.now() + EXPIRY_SLACK_MS;
  if (left < MENU_REFRESH_MS) expiry = setTimeout(refreshMenu, Math.max(left, EXPIRY_SLACK_MS));
  quote.refresh(); // a price, an offer or a pause may have changed what the cart costs
});

beat("kiosk", () => shown() === "attract");
start().then(() => {
  followStream({
    url: config.menuStream,
    event: "menu",
    onState: ({ version }) => version !== menu.version && refreshMenu(),
    onStale: () => {},
    poll: refreshMenu,
  });
});
setInterval(refreshMenu, MENU_REFRESH_MS);
