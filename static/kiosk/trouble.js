/** Tells the guest why the order could not be placed: what happened, what is safe, what to press. */

import { OfflineError } from "./api.js";
import { cart } from "./cart.js";
import { menu } from "./menu.js";
import { formatMoney } from "./money.js";
import { ask } from "./parts.js";
import { quote } from "./quote.js";
import { show } from "./screen.js";
import { t } from "./strings.js";

const LINE_OF_FIELD = /items\D+(\d+)/;
const UNAUTHORIZED = 401;

/** Paused and sold out, and also a product that left the menu while it lay in the cart. */
function isSoldOut(error) {
  return error.code === "out_of_stock" || error.code === "item_unavailable" || (error.code === "invalid" && linesOf(error).length > 0);
}

/**
 * @param {Error} error what quote or checkout threw
 * @param {() => void} retry places the order again
 */
export function explain(error, retry) {
  if (error instanceof OfflineError) {
    say(t("offline.title"), t("offline.place"), retry);
  } else if (error.status === UNAUTHORIZED) {
    return; // the app is already on its way to the pairing page
  } else if (error.code === "store_closed") {
    sayClosed(retry);
  } else if (error.code === "price_changed") {
    askAboutPrice(error.problem.quote, retry);
  } else if (isSoldOut(error)) {
    askAboutSoldOut(error);
  } else if (error.status === 429 || error.status === 503) {
    say(t("trouble.title"), t("trouble.busy"), retry);
  } else if (error.code === "invalid") {
    say(t("trouble.invalid"), error.message, retry); // the server's sentence names the limit that was passed
  } else {
    say(t("trouble.title"), t("trouble.text"), retry);
  }
}

/** The menu says until when; a menu that does not know of it yet, or cannot be had, leaves the guest with a sentence. */
async function sayClosed(retry) {
  await menu.refresh().catch(() => {});
  if (menu.store.open) say(t("closed.title"), t("closed.kept"), retry);
  else show("closed");
}

function say(title, text, retry) {
  ask({
    title,
    text,
    choices: [{ label: t("back") }, { label: t("cart.retry"), kind: "primary", run: retry }],
  });
}

function askAboutPrice(newQuote, retry) {
  const before = formatMoney(quote.value.total);
  const after = formatMoney(newQuote.total);
  quote.accept(newQuote);
  ask({
    title: t("price.title"),
    text: t("price.text", { before, after }),
    choices: [{ label: t("price.review") }, { label: t("price.accept", { after }), kind: "primary", run: retry }],
  });
}

/** The cart lines an error speaks about: by product, or by their place in the request. */
function linesOf(error) {
  const products = new Set(error.errors.map(({ product }) => product));
  const places = new Set(error.errors.map(({ field }) => Number(LINE_OF_FIELD.exec(field ?? "")?.[1] ?? -1)));
  return cart.lines.filter((line, place) => products.has(line.product) || places.has(place));
}

function askAboutSoldOut(error) {
  menu.refresh().catch(() => {}); // the cards turn grey a little later when this fails
  const lines = linesOf(error);
  const names = lines.map(({ product }) => menu.product(product)?.name).filter(Boolean).join(", ");
  const available = error.errors.find((each) => each.available > 0)?.available;
  const removeAll = () => {
    for (const { id } of lines) cart.remove(id);
    show(cart.isEmpty ? "menu" : "cart");
  };
  ask({
    title: t("gone.title"),
    text: available ? t("gone.someText", { available, names }) : t("gone.text", { names }),
    choices: [
      { label: t("gone.review"), run: () => show("cart") },
      ...(lines.length ? [{ label: t("gone.remove"), kind: "primary", run: removeAll }] : []),
    ],
  });
}
