/** One product: choose its options, its quantity, a note. */

import { cart, MAX_LINE_QUANTITY } from "../cart.js";
import { h } from "../dom.js";
import { menu } from "../menu.js";
import { formatCents, formatMoney } from "../money.js";
import { optionGroup } from "../option-group.js";
import { adultsMark, button, dock, productImage, stepper, topBar } from "../parts.js";
import { announce, show } from "../screen.js";
import { Selection } from "../selection.js";
import { label, t } from "../strings.js";

const MAX_NOTE = 140;

/** @param {{product?: object, lineId?: number, kept?: object}} params a product to add, or the cart line to change; `kept` is what was chosen so far */
export function productView({ product, lineId, kept }) {
  const line = lineId === undefined ? null : cart.line(lineId);
  const shown = product ?? menu.product(line.product);
  const selection = new Selection(shown, kept ?? line);
  const leave = () => show(line ? "cart" : "menu");

  const save = button("", confirm, { kind: "primary" });
  const groups = h("div.groups");
  const draw = () => {
    save.disabled = !shown.available;
    if (save.disabled) {
      save.replaceChildren(h("span", { text: t("product.gone") }));
      return;
    }
    save.replaceChildren(h("span", { text: t(line ? "product.save" : "product.add") }), h("strong.save-price", { text: formatCents(selection.lineCents) }));
  };

  function confirm() {
    const { missing } = selection;
    if (missing) {
      pointAt(groups, missing);
      return;
    }
    if (line) cart.replace(line.id, selection.toChoice());
    else cart.add(selection.toChoice());
    leave();
  }

  groups.append(
    ...shown.slots.map((slot) => slotGroup(slot, selection, draw)),
    ...shown.modifier_groups.map((group) => optionGroup(group, selection.options, draw)),
    noteField(selection),
  );
  draw();

  const quantity = stepper({
    value: selection.quantity,
    min: 1,
    max: MAX_LINE_QUANTITY,
    name: shown.name,
    onChange: (next) => {
      selection.quantity = next;
      draw();
    },
  });
  const element = h(
    "section.page.product",
    {},
    topBar({ onBack: leave }),
    h(
      "div.product-body",
      {},
      h("div.product-hero", {}, productImage(shown, "product-image")),
      h(
        "div.product-facts",
        {},
        h("h1.product-name", { text: shown.name }),
        shown.description && h("p.product-description", { text: shown.description }),
        h("p.product-price", { text: formatMoney(shown.price) }),
        shown.needs_release && h("p.product-adults", {}, adultsMark(), " ", h("span", { "aria-hidden": "true", text: t("menu.adultsHint") })),
        allergens(shown),
      ),
      groups,
    ),
    dock(quantity, save),
  );

  /** A price or a pause that comes while the guest is choosing shows at once, and what was chosen stays. */
  function renew() {
    const next = menu.product(shown.id) ?? { ...shown, available: false };
    if (JSON.stringify(next) === JSON.stringify(shown)) return;
    const { scrollTop } = element.querySelector(".product-body");
    show("product", { product: next, lineId, kept: selection.toChoice() });
    const body = document.querySelector(".product-body");
    if (body) body.scrollTop = scrollTop;
  }

  menu.addEventListener("change", renew);
  return { element, waitsForGuest: true, onLeave: () => menu.removeEventListener("change", renew) };
}

function allergens({ allergens: codes }) {
  if (!codes?.length) return null;
  const names = codes.map((code) => label("allergen", code)).join(", ");
  return h("p.product-allergens", { text: t("product.allergens", { names }) });
}

function pointAt(groups, missing) {
  const target = groups.querySelector(`[data-group="${CSS.escape(missing.id)}"]:not(.is-done)`);
  target.classList.add("is-missing");
  target.scrollIntoView({ behavior: "smooth", block: "center" });
  target.querySelector("input, button")?.focus({ preventScroll: true });
  announce(t("product.missing", { group: missing.name }));
}

/** A combo slot is a choice of one product, whose own options appear below it. */
function slotGroup(slot, selection, onChange) {
  const asGroup = {
    id: slot.id,
    name: slot.name,
    min: 1,
    max: 1,
    options: slot.choices.map((choice) => ({
      id: choice.product,
      name: choice.name,
      price: choice.price_delta,
      max_quantity: 1,
      available: choice.available,
      needs_release: choice.needs_release,
    })),
  };
  const filled = selection.slots.get(slot.id);
  const chosen = new Map(filled ? [[filled.choice.product, 1]] : []);
  const inner = h("div.groups-inner");
  const drawInner = () => {
    const current = selection.slots.get(slot.id);
    inner.replaceChildren(...(current?.choice.modifier_groups ?? []).map((group) => optionGroup(group, current.options, onChange)));
  };
  const outer = optionGroup(asGroup, chosen, () => {
    const choice = slot.choices.find(({ product }) => chosen.get(product));
    if (choice !== selection.slots.get(slot.id)?.choice) {
      selection.fillSlot(slot, choice);
      drawInner();
    }
    onChange();
  });
  drawInner();
  return h("div.slot", {}, outer, inner);
}

function noteField(selection) {
  const left = h("span.note-left");
  const drawLeft = () => (left.textContent = t("product.noteLeft", { n: MAX_NOTE - selection.note.length }));
  const input = h("textarea.note-input", {
    id: "note",
    rows: 2,
    maxlength: MAX_NOTE,
    placeholder: t("product.noteHint"),
    on: {
      input: () => {
        selection.note = input.value;
        drawLeft();
      },
    },
  });
  input.value = selection.note;
  drawLeft();
  return h("div.note", {}, h("label.group-name", { for: "note", text: t("product.note") }), input, left);
}
