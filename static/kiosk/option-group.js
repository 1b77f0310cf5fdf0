/** One modifier group as controls: a tap for one of a kind, a stepper where an option may be taken several times. */

import { h, icon } from "./dom.js";
import { formatMoney, isZero } from "./money.js";
import { adultsMark, stepper } from "./parts.js";
import { countIn } from "./selection.js";
import { t } from "./strings.js";

let drawn = 0;

function rule({ min, max }) {
  if (min === max) return t("product.choose.exactly", { min });
  if (min === 0) return t("product.choose.upTo", { max });
  return t("product.choose.between", { min, max });
}

function optionText(option) {
  const surplus = option.price.startsWith("-") ? formatMoney(option.price) : `+ ${formatMoney(option.price)}`;
  const price = isZero(option.price) ? null : surplus;
  return h(
    "span.option-text",
    {},
    h("span.option-name", {}, option.name, option.needs_release && [" ", adultsMark()]),
    h("span.option-price", { text: option.available ? price : t("product.unavailable") }),
  );
}

/**
 * @param group as in the menu document
 * @param {Map<string, number>} chosen option id → quantity; changed in place
 * @param {() => void} onChange
 */
export function optionGroup(group, chosen, onChange) {
  const exclusive = group.max === 1;
  // Two slots of a combo may ask the same group, so its id alone would tie their radio buttons together.
  const name = `group-${group.id}-${drawn++}`;
  const rows = [];
  const hint = h("span.group-rule", { text: rule(group) });

  function changed() {
    const room = group.max - countIn(group, chosen);
    for (const row of rows) row.refresh(room);
    markDone();
    root.classList.remove("is-missing");
    onChange();
  }

  function markDone() {
    root.classList.toggle("is-done", group.min > 0 && countIn(group, chosen) >= group.min);
  }

  function tapRow(option) {
    const input = h("input.visually-hidden", {
      type: exclusive && group.min === 1 ? "radio" : "checkbox",
      name,
      disabled: !option.available,
      on: {
        change: () => {
          if (exclusive) group.options.forEach(({ id }) => chosen.delete(id));
          if (input.checked) chosen.set(option.id, 1);
          else chosen.delete(option.id);
          changed();
        },
      },
    });
    const element = h("label.option", {}, input, h("span.option-mark", {}, icon("check")), optionText(option));
    return {
      element,
      refresh(room) {
        input.checked = chosen.has(option.id);
        input.disabled = !option.available || (!exclusive && room === 0 && !input.checked);
        element.classList.toggle("is-chosen", input.checked);
        element.classList.toggle("is-disabled", input.disabled);
      },
    };
  }

  function stepRow(option) {
    const amount = () => chosen.get(option.id) ?? 0;
    const control = stepper({
      value: amount(),
      min: 0,
      max: option.max_quantity,
      name: option.name,
      onChange: (next) => {
        chosen.set(option.id, next);
        changed();
      },
    });
    const element = h("div.option.option-steps", {}, optionText(option), option.available && control);
    return {
      element,
      refresh(room) {
        control.limit(Math.min(option.max_quantity, amount() + room));
        element.classList.toggle("is-chosen", amount() > 0);
        element.classList.toggle("is-disabled", !option.available);
      },
    };
  }

  for (const option of group.options) rows.push(option.max_quantity > 1 && !exclusive ? stepRow(option) : tapRow(option));
  const root = h(
    "fieldset.group",
    { "data-group": group.id },
    h("legend.group-head", {}, h("span.group-name", { text: group.name }), hint),
    h("div.group-options", {}, rows.map(({ element }) => element)),
  );
  const room = group.max - countIn(group, chosen);
  rows.forEach((row) => row.refresh(room));
  markDone();
  return root;
}
