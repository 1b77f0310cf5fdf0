/** The kiosk app as the cashier uses it: straight into the menu, no idle wipe, money taken at the end. */

import "./api.js";
import { loadMenu } from "../kiosk/begin.js";
import { cart } from "../kiosk/cart.js";
import { closePurchase, openPurchase } from "../kiosk/purchase.js";
import { quote } from "../kiosk/quote.js";
import { registerViews, show } from "../kiosk/screen.js";
import { cartView } from "../kiosk/views/cart.js";
import { closedView } from "../kiosk/views/closed.js";
import { loadingView, offlineView } from "../kiosk/views/notices.js";
import { productView } from "../kiosk/views/product.js";
import { goByKey } from "./keys.js";
import { takenFreeView, takeMoneyView } from "./views/money.js";
import { placingView } from "./views/placing.js";
import { forgetSearch, shelfView } from "./views/shelf.js";

registerViews({
  loading: loadingView,
  offline: offlineView,
  attract: nextOrder,
  menu: shelfView,
  product: productView,
  cart: cartView,
  closed: closedView,
  identify: placingView,
  payment: takeMoneyView,
  done: takenFreeView,
});

/** Everything of the last order is forgotten; most guests at the counter eat there. */
function nextOrder() {
  cart.clear();
  closePurchase();
  forgetSearch();
  cart.dineAs("eat_in");
  return shelfView();
}

async function start() {
  if (!(await loadMenu())) return; // the page leads to the sign-in
  const purchase = openPurchase();
  if (purchase) show("payment", purchase);
  else show(cart.isEmpty ? "attract" : "menu");
  quote.refresh();
}

goByKey(() => Boolean(document.querySelector("dialog[open]")));
start();
