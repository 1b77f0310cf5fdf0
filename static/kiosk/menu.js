/** The menu document and how to find things in it. */

import { api } from "./api.js";

class Menu extends EventTarget {
  #document = null;
  #products = new Map();

  get isLoaded() {
    return this.#document !== null;
  }

  get store() {
    return this.#document.store;
  }

  get version() {
    return this.#document?.version;
  }

  /** When the menu changes by itself, in ms, or null. */
  get validUntil() {
    return this.#document?.valid_until ? Date.parse(this.#document.valid_until) : null;
  }

  /** Categories that have something to show. */
  get categories() {
    return this.#document.categories.filter((category) => category.products.length > 0);
  }

  product(id) {
    return this.#products.get(id);
  }

  /** The browser revalidates by ETag, so an unchanged menu costs one empty answer. */
  async refresh() {
    const document = await api.menu();
    // Pauses and offers end by the clock too, which is no new version.
    const changed = JSON.stringify(document) !== JSON.stringify(this.#document);
    this.#document = document;
    this.#products = new Map();
    for (const category of document.categories) {
      for (const product of category.products) this.#products.set(product.id, product);
    }
    if (changed) this.dispatchEvent(new Event("change"));
  }

  /** Whether everything chosen for one cart line can still be had: the product, its options, what fills its slots. */
  canHave(line) {
    const product = this.product(line.product);
    if (!product?.available) return false;
    const has = (groups, options) => options.every((chosen) => groups.some((group) => group.options.some(({ id, available }) => id === chosen.option && available)));
    return (
      has(product.modifier_groups, line.options) &&
      line.slots.every((chosen) => {
        const choice = product.slots.find(({ id }) => id === chosen.slot)?.choices.find((each) => each.product === chosen.product);
        return choice?.available && has(choice.modifier_groups, chosen.options);
      })
    );
  }

  /** Whether one cart line is only sold once staff let it go: the product, or what fills its slots. */
  needsRelease(line) {
    const product = this.product(line.product);
    const chosen = new Set(line.slots.map(({ product: filling }) => filling));
    return Boolean(product?.needs_release || product?.slots.some(({ choices }) => choices.some((each) => each.needs_release && chosen.has(each.product))));
  }

  /** Names of the chosen options of one choice, such as "2× Bacon extra". */
  optionNames({ product, options }, groups = this.product(product)?.modifier_groups ?? []) {
    const names = new Map(groups.flatMap((group) => group.options.map((option) => [option.id, option.name])));
    return options
      .filter(({ option }) => names.has(option))
      .map(({ option, quantity }) => (quantity > 1 ? `${quantity}× ${names.get(option)}` : names.get(option)));
  }

  /** Everything chosen for one cart line: its options, and for a combo each slot with its own options. */
  lineDetails(line) {
    const product = this.product(line.product);
    const slots = line.slots.flatMap((chosen) => {
      const slot = product?.slots.find(({ id }) => id === chosen.slot);
      const choice = slot?.choices.find((candidate) => candidate.product === chosen.product);
      return choice ? [choice.name, ...this.optionNames(chosen, choice.modifier_groups)] : [];
    });
    return [...slots, ...this.optionNames(line)];
  }
}

export const menu = new Menu();
