/** Starts the kiosk and minds what no single view can: pairing, and guests who leave. */

import { beat } from "../live/heartbeat.js";
import { patientMs, setAccessMode } from "./access.js";
import { loadMenu } from "./begin.js";
import { cart } from "./cart.js";
import { config } from "./config.js";
import { guest } from "./guest.js";
import { countDown, IdleTimer } from "./idle.js";
import { tabMemory } from "./memory.js";
import { menu } from "./menu.js";
import { ask } from "./parts.js";
import { abandonAttempt, closePurchase, hasLostAnswer, nextView, openPurchase } from "./purchase.js";
import { quote } from "./quote.js";
import { registerViews, show, shown } from "./screen.js";
import { t } from "./strings.js";
import { attractView } from "./views/attract.js";
import { cartView } from "./views/cart.js";
import { closedView } from "./views/closed.js";
import { counterView } from "./views/counter.js";
import { diningView } from "./views/dining.js";
import { doneView } from "./views/done.js";
import { identifyView } from "./views/identify.js";
import { forgetShelfPosition, menuView } from "./views/menu.js";
import { cancelledView, expiredView, loadingView, offlineView, refusedView, unpairedView } from "./views/notices.js";
import { paymentView } from "./views/payment.js";
import { placingView } from "./views/placing.js";
import { productView } from "./views/product.js";
import { releaseView } from "./views/release.js";

const LAST_CALL_MS = 15_000;
const PAIRING_RELOAD_MS = 30_000;
/** Where a guest fills the basket; who is about to place the order hears of it from the server's answer. */
const CHOOSING = new Set(["dining", "menu", "product", "cart"]);

registerViews({
  loading: loadingView,
  attract: welcomeNextGuest,
  dining: diningView,
  menu: onceMenuIsThere("menu", menuView),
  product: productView,
  cart: onceMenuIsThere("cart", cartView),
  closed: closedView,
  identify: identifyView,
  placing: placingView,
  release: releaseView,
  refused: onceMenuIsThere("refused", refusedView),
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
  return onceMenuIsThere("attract", attractView)(params);
}

/** An order is come back to before anything is loaded; what needs the menu may have to wait for it then. */
function onceMenuIsThere(name, view) {
  return (params) => {
    if (menu.isLoaded) return view(params);
    const go = () => show(name, params);
    menu.addEventListener("change", go);
    return { ...loadingView(), onLeave: () => menu.removeEventListener("change", go) };
  };
}

/** A revoked device is paired again on the page the server shows instead of the kiosk; a second refusal is no reason to spin. */
window.addEventListener("device-refused", () => {
  const reloadedAt = tabMemory.recall("reloaded-at", 0);
  if (Date.now() - reloadedAt < PAIRING_RELOAD_MS) {
    show("unpaired");
    return;
  }
  tabMemory.remember("reloaded-at", Date.now());
  window.location.reload();
});

/** Nobody fills a basket that cannot be ordered. */
menu.addEventListener("change", () => {
  if (!menu.store.open && CHOOSING.has(shown())) show("closed");
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

/** Shows the order that a reload or a power cut interrupted, as it was last known; its view asks how it stands now. */
function comeBack() {
  const purchase = openPurchase();
  if (purchase?.paid) show("done", purchase);
  else if (purchase) show(purchase.payment?.method === "counter" ? "counter" : nextView(purchase.order), purchase);
  else if (hasLostAnswer()) show("placing");
  else return false;
  return true;
}

/** Goes on where the guest was interrupted: at the order, in the menu, or at the beginning. */
async function start() {
  if (comeBack()) {
    loadMenu(() => {});
    return;
  }
  if (!(await loadMenu())) return; // pairing takes over
  if (!cart.isEmpty && cart.diningOption) show(menu.store.open ? "menu" : "closed");
  else show("attract");
  quote.refresh();
}

beat("kiosk", () => shown() === "attract");
start();
