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
    const changed = document.version !== this.#document?.version || document.store.open !== this.#document.store.open;
    this.#document = document;
    this.#products = new Map();
    for (const category of document.categories) {
      for (const product of category.products) this.#products.set(product.id, product);
    }
    if (changed) this.dispatchEvent(new Event("change"));
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
