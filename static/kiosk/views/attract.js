/** The first screen: what the shop has, and one thing to do. */

import { isAccessible, setAccessMode } from "../access.js";
import { config } from "../config.js";
import { h } from "../dom.js";
import { menu } from "../menu.js";
import { button, notice, productImage } from "../parts.js";
import { show } from "../screen.js";
import { t } from "../strings.js";
import { closedNotice } from "./closed.js";

const TILES = 12;

export function attractView() {
  const stop = redrawOnMenuChange();
  if (!menu.store.open) return { element: closedNotice(), onLeave: stop };
  if (menu.categories.length === 0) {
    return { element: notice({ art: "waiting", title: t("attract.noMenu"), text: t("attract.noMenuHint"), actions: [] }), onLeave: stop };
  }
  return { element: welcome(), onLeave: stop };
}

function redrawOnMenuChange() {
  const redraw = () => show("attract", { sameGuest: true });
  menu.addEventListener("change", redraw);
  return () => menu.removeEventListener("change", redraw);
}

/** One picture per category in turn, so that the wall shows the width of the menu. */
function wallProducts() {
  const shelves = menu.categories.map(({ products }) => products.filter(({ image, available }) => image && available));
  const longest = Math.max(...shelves.map((shelf) => shelf.length));
  const mixed = Array.from({ length: longest }, (_, row) => shelves.map((shelf) => shelf[row])).flat().filter(Boolean);
  return mixed.length ? Array.from({ length: TILES }, (_, i) => mixed[i % mixed.length]) : [];
}

function welcome() {
  const start = (event) => {
    if (!event.target.closest(".button-attract-access")) show("dining");
  };
  const toggleAccess = () => {
    setAccessMode(!isAccessible());
    show("attract", { sameGuest: true });
  };
  return h(
    "section.attract",
    { on: { click: start } },
    h("div.attract-wall", {}, wallProducts().map((product) => h("div.attract-tile", {}, productImage(product, "attract-image")))),
    h(
      "div.attract-panel",
      {},
      h("img.attract-logo", { src: config.logo, alt: "BreadMate" }),
      h("p.attract-store", { text: menu.store.name }),
      h("h1.attract-headline", { text: t("attract.headline") }),
      h("p.attract-sub", { text: t("attract.sub") }),
      button(t("attract.start"), () => {}, { kind: "primary attract-start" }),
      button(t(isAccessible() ? "access.off" : "access.on"), toggleAccess, { kind: "quiet attract-access" }),
    ),
  );
}
