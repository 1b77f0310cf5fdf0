/** The counter asks nobody who they are: an order is placed as soon as its cart is done. */

import { h } from "../../kiosk/dom.js";
import { noticeArt } from "../../kiosk/parts.js";
import { isPaid, placeOrder } from "../../kiosk/purchase.js";
import { quote } from "../../kiosk/quote.js";
import { announce, show } from "../../kiosk/screen.js";
import { t } from "../../kiosk/strings.js";
import { explain } from "../../kiosk/trouble.js";

export function placingView() {
  place();
  return { element: h("section.page.notice", {}, noticeArt("waiting"), h("h1.notice-title", { text: t("cart.placing") })) };
}

async function place() {
  announce(t("cart.placing"));
  try {
    const order = await placeOrder(quote.value.total);
    show(isPaid(order) ? "done" : "payment", { order });
  } catch (error) {
    show("cart");
    explain(error, () => show("identify"));
  }
}
