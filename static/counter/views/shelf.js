/** The whole menu at the cashier's fingers: search first, one tap adds, the order grows at the side. */

import { cart } from "../../kiosk/cart.js";
import { h } from "../../kiosk/dom.js";
import { menu } from "../../kiosk/menu.js";
import { formatMoney } from "../../kiosk/money.js";
import { adultsMark, button, productImage } from "../../kiosk/parts.js";
import { announce, show } from "../../kiosk/screen.js";
import { needsNoChoice, Selection } from "../../kiosk/selection.js";
import { t, tn } from "../../kiosk/strings.js";
import { cartView } from "../../kiosk/views/cart.js";

const ACCENTS = /\p{Diacritic}/gu;

/** What was searched for, and where the shelf was, kept while a product is open. */
let searched = "";
let shelfPosition = 0;

export function forgetSearch() {
  searched = "";
  shelfPosition = 0;
}

const plain = (text) => text.normalize("NFD").replace(ACCENTS, "").toLocaleLowerCase("pt-BR");
const linesOf = () => JSON.stringify(cart.lines.map(({ id, quantity }) => [id, quantity]));

export function shelfView() {
  const search = h("input.shelf-search", { id: "search", type: "search", autocomplete: "off", placeholder: "Buscar produto", "aria-label": "Buscar produto", "aria-describedby": "search-found", enterkeyhint: "go" });
  const found = h("p.shelf-found", { id: "search-found", role: "status" });
  const shelf = h("div.till-shelf", { tabindex: 0, role: "group", "aria-label": t("menu.title") });
  const side = h("aside.till-cart", { "aria-label": t("cart.title") });
  let pane = null;
  let drawn = "";

  function matches() {
    const words = plain(searched).split(/\s+/).filter(Boolean);
    return menu.categories
      .map((category) => ({ ...category, products: category.products.filter(({ name }) => words.every((word) => plain(name).includes(word))) }))
      .filter(({ products }) => products.length);
  }

  function drawShelf() {
    const shown = matches();
    const first = searched.trim() && likeliest(shown.flatMap(({ products }) => products), plain(searched).trim());
    shelf.replaceChildren(
      ...shown.map((category) => section(category, first)),
      ...(shown.length ? [] : [h("p.desk-empty", { text: `Nada no cardápio com “${searched.trim()}”. Confira a grafia, ou apague a busca.` })]),
    );
    found.textContent = first ? `Enter adiciona ${first.name}.` : "";
    return first;
  }

  function drawCart() {
    if (drawn === linesOf()) return;
    drawn = linesOf();
    // A stepper in use redraws itself; putting a new one under the finger would lose its place.
    if (pane && side.contains(document.activeElement) && document.activeElement.closest(".stepper")) return;
    pane?.onLeave();
    pane = cartView();
    pane.element.querySelector("h1")?.replaceWith(h("h2.top-title", { text: tn("cart.items", cart.count) }));
    side.replaceChildren(pane.element);
  }

  search.value = searched;
  search.addEventListener("input", () => {
    searched = search.value;
    drawShelf();
    shelf.scrollTop = 0;
  });
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = drawShelf();
    if (!first) return;
    forgetSearch();
    take(first);
    search.value = "";
    drawShelf();
  });
  shelf.addEventListener("scroll", () => (shelfPosition = shelf.scrollTop), { passive: true });

  /** Letters go to the search from anywhere on the page; F9 goes on to the money. */
  function onKey(event) {
    if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "F9") {
      event.preventDefault();
      side.querySelector(".dock-primary .button:not([disabled])")?.click();
    } else if (event.key === "Escape") {
      forgetSearch();
      search.value = "";
      drawShelf();
      search.focus();
    } else if (event.key.length === 1 && /[\p{L}\d]/u.test(event.key) && !event.target.matches("input, textarea")) {
      search.focus();
    }
  }

  drawShelf();
  drawCart();
  const position = shelfPosition;
  requestAnimationFrame(() => {
    shelf.scrollTop = position;
    if (window.matchMedia("(min-width: 761px)").matches) search.focus(); // on a phone it would raise the keyboard
  });
  menu.addEventListener("change", drawShelf);
  cart.addEventListener("change", drawCart);
  window.addEventListener("keydown", onKey);

  const way = (diningOption) =>
    h("button.till-way", { "aria-pressed": String(cart.diningOption === diningOption), on: { click: () => choose(diningOption) } }, t(`dining.${diningOption}`));
  const ways = h("div.till-ways", { role: "group", "aria-label": t("dining.title") });
  function choose(diningOption) {
    cart.dineAs(diningOption);
    ways.replaceChildren(way("eat_in"), way("take_out"));
  }
  choose(cart.diningOption ?? "eat_in");

  const element = h(
    "section.till-order",
    {},
    h("h1.visually-hidden", { text: "Novo pedido" }),
    h("div.till-pick", {}, h("div.till-tools", {}, search, ways), found, shelf),
    side,
    h("div.till-review", {}, button(t("menu.review"), () => show("cart"), { kind: "primary", iconName: "bag" })),
  );
  return {
    element,
    onLeave() {
      pane?.onLeave();
      menu.removeEventListener("change", drawShelf);
      cart.removeEventListener("change", drawCart);
      window.removeEventListener("keydown", onKey);
    },
  };
}

/** What Enter stands for: names that begin so, then what is added at once, then the shortest name. */
function likeliest(products, text) {
  const rank = (product) => [plain(product.name).startsWith(text) ? 0 : 1, needsNoChoice(product) ? 0 : 1, product.name.length];
  const before = (a, b) => a.map((part, i) => part - b[i]).find((difference) => difference !== 0) ?? 0;
  return products.filter(({ available }) => available).sort((a, b) => before(rank(a), rank(b)))[0];
}

/** Adds what needs no answer at once; asks for the rest. */
function take(product) {
  if (!needsNoChoice(product)) {
    show("product", { product });
    return;
  }
  cart.add(new Selection(product).toChoice());
  announce(`${product.name}. ${tn("cart.items", cart.count)}`);
}

function section(category, first) {
  return h(
    "section.till-category",
    {},
    h("h2.till-category-name", { text: category.name }),
    h("ul.till-products", {}, category.products.map((product) => h("li", {}, tile(product, product === first)))),
  );
}

function tile(product, isFirst) {
  return h(
    "button.till-product",
    { class: isFirst ? "till-product is-first" : "till-product", disabled: !product.available, on: { click: () => take(product) } },
    productImage(product, "till-picture", true),
    h("span.till-name", {}, product.name, product.needs_release && [" ", adultsMark()]),
    h("span.till-price", { text: product.available ? formatMoney(product.price) : t("menu.soldOut") }),
  );
}
