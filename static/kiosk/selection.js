/** What the guest is choosing for one product: options in groups and, for a combo, a product per slot. No DOM here. */

import { toCents } from "./money.js";

/** How many units of a group's options are chosen. `chosen` maps option id to quantity. */
export function countIn(group, chosen) {
  return group.options.reduce((sum, { id }) => sum + (chosen.get(id) ?? 0), 0);
}

function cents(groups, chosen) {
  return groups
    .flatMap((group) => group.options)
    .reduce((sum, { id, price }) => sum + toCents(price) * BigInt(chosen.get(id) ?? 0), 0n);
}

const optionList = (chosen) =>
  [...chosen].filter(([, quantity]) => quantity > 0).map(([option, quantity]) => ({ option, quantity }));
const optionMap = (options) => new Map(options.map(({ option, quantity }) => [option, quantity]));

/** Those of the chosen options that can still be had. */
const offered = (groups, options) =>
  options.filter((chosen) => groups.some((group) => group.options.some(({ id, available }) => id === chosen.option && available)));

export class Selection {
  /** @param line the cart line to change, when there is one; what has sold out since is chosen no more */
  constructor(product, line = null) {
    this.product = product;
    this.quantity = line?.quantity ?? 1;
    this.note = line?.note ?? "";
    this.options = optionMap(offered(product.modifier_groups, line?.options ?? []));
    /** slot id → {choice, options} */
    this.slots = new Map();
    for (const chosen of line?.slots ?? []) {
      const slot = product.slots.find(({ id }) => id === chosen.slot);
      const choice = slot?.choices.find(({ product: id }) => id === chosen.product);
      if (choice?.available) this.slots.set(slot.id, { choice, options: optionMap(offered(choice.modifier_groups, chosen.options)) });
    }
  }

  /** Chooses the product of a combo slot; its options start empty. */
  fillSlot(slot, choice) {
    this.slots.set(slot.id, { choice, options: new Map() });
  }

  /** The first group or slot that still needs an answer, or null. */
  get missing() {
    for (const slot of this.product.slots) {
      const filled = this.slots.get(slot.id);
      if (!filled) return slot;
      const group = filled.choice.modifier_groups.find((each) => countIn(each, filled.options) < each.min);
      if (group) return group;
    }
    return this.product.modifier_groups.find((group) => countIn(group, this.options) < group.min) ?? null;
  }

  /** Price of the line as chosen, for the button; the total of the order always comes from the server. */
  get lineCents() {
    let unit = toCents(this.product.price) + cents(this.product.modifier_groups, this.options);
    for (const { choice, options } of this.slots.values()) {
      unit += toCents(choice.price_delta) + cents(choice.modifier_groups, options);
    }
    return unit * BigInt(this.quantity);
  }

  toChoice() {
    return {
      product: this.product.id,
      quantity: this.quantity,
      options: optionList(this.options),
      note: this.note.trim(),
      slots: [...this.slots].map(([slot, { choice, options }]) => ({
        slot,
        product: choice.product,
        options: optionList(options),
      })),
    };
  }
}

/** Whether the product can go into the cart as it is, with nothing to choose. */
export function needsNoChoice(product) {
  return product.slots.length === 0 && product.modifier_groups.every((group) => group.min === 0);
}
