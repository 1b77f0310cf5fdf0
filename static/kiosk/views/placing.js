/** The order was sent and its answer never came, then the page or the kiosk went away: ask until there is an answer. */

import { cart } from "../cart.js";
import { button, notice } from "../parts.js";
import { closePurchase, isRefusal, nextView, placeAgain } from "../purchase.js";
import { show } from "../screen.js";
import { t } from "../strings.js";

const ASK_AGAIN_MS = 3_000;

export function placingView() {
  let gone = false;
  let timer = 0;
  const leave = button(t("closed.leave"), () => show("attract"));
  const element = notice({ art: "waiting", title: t("cart.placing"), text: "", actions: [leave] });

  async function ask() {
    try {
      const order = await placeAgain();
      if (gone) closePurchase(); // nobody waits for it any more; unpaid, it expires by itself
      else show(nextView(order), { order });
    } catch (error) {
      if (gone) return;
      if (isRefusal(error)) {
        show(cart.isEmpty ? "attract" : "cart"); // nothing was placed, and the cart's own price says why
        return;
      }
      element.querySelector(".notice-text").textContent = t("offline.again");
      timer = setTimeout(ask, ASK_AGAIN_MS);
    }
  }

  ask();
  const onLeave = () => {
    gone = true;
    clearTimeout(timer);
  };
  return { element, waitsForGuest: true, onLeave };
}
