/** The order so far: every line can be changed here, and the server says what it costs. */

import { OfflineError } from "../api.js";
import { cart, MAX_LINE_QUANTITY } from "../cart.js";
import { h } from "../dom.js";
import { menu } from "../menu.js";
import { formatMoney, isZero } from "../money.js";
import { adultsMark, button, dock, noticeArt, productImage, stepper, topBar } from "../parts.js";
import { quote } from "../quote.js";
import { announce, show } from "../screen.js";
import { t, tn } from "../strings.js";
import { explain } from "../trouble.js";

/** The last refusal the guest was told of, so that coming back here does not tell it again. */
let explained = null;

const goneLines = () => cart.lines.filter((line) => !menu.canHave(line));

export function cartView() {
  const list = h("ul.lines");
  const sums = h("dl.sums");
  const pay = button("", goOn, { kind: "primary" });

  function drawLines() {
    list.replaceChildren(...cart.lines.map((line) => lineRow(line, drawLines)));
    if (cart.isEmpty) list.append(emptyRow());
    drawSums();
  }

  function drawSums() {
    const { value, pending, error } = quote;
    sums.replaceChildren(...sumRows(value));
    sums.classList.toggle("is-pending", pending || goneLines().length > 0);
    list.querySelectorAll("[data-line-total]").forEach((cell, i) => {
      const total = value?.items?.[i]?.total;
      cell.textContent = total && !pending ? formatMoney(total) : "…";
    });
    pay.disabled = pending;
    pay.querySelector("span").textContent = payLabel({ value, pending, error });
    // The banner already speaks of a lost connection, and the lines themselves of what has sold out.
    if (error && error !== explained && !(error instanceof OfflineError) && !goneLines().length) {
      explained = error;
      explain(error, () => quote.refresh());
    }
  }

  function goOn() {
    if (cart.isEmpty) show("menu");
    else if (goneLines().length) removeGone();
    else if (quote.error) quote.refresh();
    else show("identify");
  }

  function payLabel({ value, pending, error }) {
    if (cart.isEmpty) return t("cart.toMenu");
    if (goneLines().length) return t("gone.remove");
    if (error) return t("cart.retry");
    return value && !pending ? t("cart.pay", { total: formatMoney(value.total) }) : t("cart.payPlain");
  }

  function removeGone() {
    for (const { id } of goneLines()) cart.remove(id);
    announce(tn("cart.items", cart.count));
    drawLines();
  }

  pay.append(h("span"));
  drawLines();
  if (!cart.isEmpty && !quote.value) quote.refresh();
  quote.addEventListener("change", drawSums);
  menu.addEventListener("change", drawLines);

  function onLeave() {
    quote.removeEventListener("change", drawSums);
    menu.removeEventListener("change", drawLines);
  }

  const element = h(
    "section.page.cart",
    {},
    topBar({ title: t("cart.title"), onBack: () => show("menu") }),
    h("div.cart-body", {}, list, h("div.sums-place", { role: "status" }, sums)),
    dock(button(t("cart.more"), () => show("menu"), { iconName: "plus" }), pay),
  );
  return { element, waitsForGuest: true, onLeave };
}

function sumRows(value) {
  if (!value || cart.isEmpty) return [];
  const row = (name, amount, className = "") => [h("dt", { class: className, text: name }), h("dd", { class: className, text: amount })];
  const discounts = (value.discounts ?? []).flatMap(({ name, amount }) => row(name, `− ${formatMoney(amount)}`, "sum-discount"));
  const packaging = isZero(value.packaging_fee) ? [] : row(t("cart.packaging"), formatMoney(value.packaging_fee));
  const adds = packaging.length || (discounts.length && !isZero(value.discount_total));
  const subtotal = adds ? row(t("cart.subtotal"), formatMoney(value.subtotal)) : [];
  const promise = value.promised_minutes
    ? [h("dt.sum-promise", { text: t("cart.promise", { n: value.promised_minutes }) }), h("dd.sum-promise", { text: t(`dining.${cart.diningOption}`) })]
    : [];
  return [...subtotal, ...discounts, ...packaging, ...row(`${t("cart.total")} · ${tn("cart.items", cart.count)}`, formatMoney(value.total), "sum-total"), ...promise];
}

function emptyRow() {
  return h("li.lines-empty", {}, noticeArt("bag"), h("p.lines-empty-title", { text: t("cart.empty") }), h("p", { text: t("cart.emptyHint") }));
}

function lineRow(line, redraw) {
  const product = menu.product(line.product);
  const name = product?.name ?? "";
  const remove = () => {
    cart.remove(line.id);
    announce(tn("cart.items", cart.count));
    redraw();
  };
  const gone = menu.canHave(line) ? null : t(product?.available ? "cart.goneChoice" : "cart.gone");
  return h(
    "li.line",
    { class: gone ? "line is-gone" : "line" },
    productImage(product, "line-image"),
    h(
      "div.line-what",
      {},
      h("h2.line-name", {}, name, menu.needsRelease(line) && [" ", adultsMark()]),
      menu.lineDetails(line).map((detail) => h("p.line-detail", { text: detail })),
      gone && h("p.line-gone", { role: "status", text: gone }),
      line.note && h("p.line-note", { text: t("cart.note", { note: line.note }) }),
    ),
    h("p.line-total", { "data-line-total": true }),
    h(
      "div.line-actions",
      {},
      product?.available && button(t("cart.edit"), () => show("product", { lineId: line.id }), { kind: "quiet", iconName: "edit", label: `${t("cart.edit")} ${name}` }),
      button(t("cart.remove"), remove, { kind: "quiet danger", iconName: "trash", label: `${t("cart.remove")} ${name}` }),
      !gone && stepper({ value: line.quantity, min: 1, max: MAX_LINE_QUANTITY, name, onChange: (next) => cart.setQuantity(line.id, next) }),
    ),
  );
}
