/** The store takes no orders: outside its hours, or everything is paused for a moment. */

import { cart } from "../cart.js";
import { menu } from "../menu.js";
import { button, notice } from "../parts.js";
import { show } from "../screen.js";
import { clock, dayName, daysAhead, t } from "../strings.js";

/** Says why and until when. @param {string} [more] one more sentence @param {HTMLElement[]} [actions] */
export function closedNotice(more = "", actions = []) {
  const { paused } = menu.store;
  const text = [sayWhen(menu.store), more].filter(Boolean).join(" ");
  return notice({ art: paused ? "waiting" : "closed", title: t(paused ? "closed.paused" : "closed.title"), text, actions });
}

function sayWhen({ opens_at: opensAt, paused, timezone, name }) {
  if (!opensAt) return name;
  const time = clock(opensAt, timezone);
  if (paused) return t("closed.back", { time });
  const days = daysAhead(opensAt, timezone);
  if (days > 1) return t("closed.opensOn", { time, day: dayName(opensAt, timezone) });
  return t(days === 1 ? "closed.opensTomorrow" : "closed.opens", { time });
}

/** For a guest who was choosing: what was chosen stays, and comes back by itself when orders are taken again. */
export function closedView() {
  const kept = cart.isEmpty ? "" : t("closed.kept");
  const leave = button(t("closed.leave"), () => show("attract"), { kind: "primary" });
  const goOn = () => {
    if (!menu.store.open) show("closed");
    else show(cart.isEmpty ? "attract" : "cart");
  };
  menu.addEventListener("change", goOn);
  return { element: closedNotice(kept, [leave]), waitsForGuest: true, onLeave: () => menu.removeEventListener("change", goOn) };
}
