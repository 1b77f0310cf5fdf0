/** The menu: categories at the side, everything the shop sells in one long shelf. */

import { cart } from "../cart.js";
import { h, icon } from "../dom.js";
import { menu } from "../menu.js";
import { formatMoney } from "../money.js";
import { adultsMark, ask, button, dock, productImage } from "../parts.js";
import { quote } from "../quote.js";
import { announce, show } from "../screen.js";
import { needsNoChoice, Selection } from "../selection.js";
import { clock, t, tn } from "../strings.js";

/** Where the guest was on the shelf, kept while a product or the cart is open. */
let shelfPosition = 0;

export function forgetShelfPosition() {
  shelfPosition = 0;
}

export function menuView() {
  const shelf = h("div.shelf", { id: "shelf" });
  const rail = h("ul.rail-list");
  let spy = null;

  function draw() {
    const focused = shelf.contains(document.activeElement) ? document.activeElement.closest("[data-product]")?.dataset.product : null;
    const place = shelf.scrollTop;
    spy?.disconnect();
    const sections = menu.categories.map((category) => section(category));
    const tabs = menu.categories.map((category, i) => tab(category, () => sections[i].scrollIntoView({ behavior: "smooth" })));
    shelf.replaceChildren(...sections);
    rail.replaceChildren(...tabs.map((each) => h("li", {}, each)));
    spy = spyOn(shelf, sections, tabs);
    shelf.scrollTop = place;
    if (focused) shelf.querySelector(`[data-product="${CSS.escape(focused)}"] button:not([disabled])`)?.focus({ preventScroll: true });
  }

  draw();
  const bar = cartBar();
  menu.addEventListener("change", draw);
  shelf.addEventListener("scroll", () => (shelfPosition = shelf.scrollTop), { passive: true });
  const position = shelfPosition;
  requestAnimationFrame(() => (shelf.scrollTop = position));

  const element = h(
    "section.page.menu",
    {},
    h(
      "header.top.menu-top",
      {},
      button(t("menu.restart"), restart, { kind: "quiet", iconName: "close" }),
      h("h1.top-title", { text: t("menu.title") }),
      button(t(`dining.${cart.diningOption}`), () => show("dining"), { kind: "chip" }),
    ),
    h("nav.rail", { "aria-label": t("menu.categories") }, rail),
    shelf,
    bar.element,
  );
  return {
    element,
    waitsForGuest: true,
    onLeave() {
      spy.disconnect();
      menu.removeEventListener("change", draw);
      bar.stop();
    },
  };
}

function restart() {
  if (cart.isEmpty) {
    show("attract");
    return;
  }
  ask({
    title: t("restart.title"),
    text: t("restart.text"),
    choices: [{ label: t("restart.yes"), kind: "danger", run: () => show("attract") }, { label: t("restart.no"), kind: "primary" }],
  });
}

function tab(category, onClick) {
  return h(
    "button.rail-tab",
    { on: { click: onClick } },
    productImage(category.products.find(({ image }) => image), "rail-image"),
    h("span.rail-name", { text: category.name }),
  );
}

/** Marks the tab of the section that is being read. */
function spyOn(shelf, sections, tabs) {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const tabOfSection = tabs[sections.indexOf(target)];
        if (isIntersecting) {
          tabs.forEach((each) => each.removeAttribute("aria-current"));
          tabOfSection.setAttribute("aria-current", "true");
          tabOfSection.scrollIntoView({ block: "nearest", inline: "center" });
        }
      }
    },
    { root: shelf, rootMargin: "-10% 0px -80% 0px" },
  );
  sections.forEach((each) => observer.observe(each));
  return observer;
}

function section(category) {
  return h(
    "section.shelf-section",
    { "data-category": category.slug },
    h("h2.shelf-title", { text: category.name }),
    h("ul.shelf-grid", {}, category.products.map((product) => h("li", {}, card(product)))),
  );
}

function card(product) {
  const soldOut = !product.available;
  const backAt = soldOut && product.unavailable_until;
  const status = backAt ? t("menu.soldOutUntil", { time: clock(backAt, menu.store.timezone) }) : soldOut && t("menu.soldOut");
  return h(
    "article.card",
    { class: soldOut ? "card is-sold-out" : "card", "data-product": product.id },
    h(
      "button.card-open",
      { disabled: soldOut, on: { click: () => show("product", { product }) } },
      h("span.card-picture", {}, productImage(product, "card-image", true)),
      h("span.card-name", {}, product.name, product.needs_release && [" ", adultsMark()]),
      product.description && h("span.card-description", { text: product.description }),
      h("span.card-price", { text: formatMoney(product.price) }),
      status ? h("span.card-status", { text: status }) : badge(product),
    ),
    !soldOut && needsNoChoice(product) && quickAdd(product),
  );
}

function badge(product) {
  const mark = product.marks.find(({ kind }) => kind === "promo" || kind === "slow" || kind === "coming");
  if (!mark) return null;
  const time = mark.until && clock(mark.until, menu.store.timezone);
  const value = mark.kind === "promo" ? formatMoney(mark.value) : mark.value;
  return h("span.card-badge", { class: `card-badge card-badge-${mark.kind}`, text: t(`menu.${mark.kind}`, { value, time }) });
}

function quickAdd(product) {
  const add = () => {
    cart.add(new Selection(product).toChoice());
    announce(`${product.name}. ${tn("cart.items", cart.count)}`);
  };
  return h("button.card-add", { "aria-label": t("more", { name: product.name }), on: { click: add } }, icon("plus"));
}

function cartBar() {
  const text = h("div.cart-summary", { role: "status" });
  const review = button(t("menu.review"), () => show("cart"), { kind: "primary", iconName: "bag" });

  function draw() {
    review.disabled = cart.isEmpty;
    text.classList.toggle("is-pending", quote.pending);
    text.replaceChildren(
      ...(cart.isEmpty
        ? [h("span.cart-summary-hint", { text: t("menu.cartEmpty") })]
        : [
            cart.lines.every((line) => menu.canHave(line))
              ? h("span.cart-summary-count", { text: tn("cart.items", cart.count) })
              : h("span.cart-summary-gone", { text: t("menu.goneInCart") }),
            h("span.cart-summary-total", { text: quote.value ? formatMoney(quote.value.total) : "…" }),
          ]),
    );
  }

  draw();
  quote.addEventListener("change", draw);
  return { element: dock(text, review), stop: () => quote.removeEventListener("change", draw) };
}
