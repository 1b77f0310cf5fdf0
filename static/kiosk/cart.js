/** The guest's cart: what was chosen, never what it costs. It survives a reload of the page. */

import { tabMemory } from "./memory.js";

export const MAX_LINE_QUANTITY = 99;

/**
 * @typedef {Object} Choice a product with its options, as the checkout takes it
 * @property {string} product
 * @property {{option: string, quantity: number}[]} options
 *
 * @typedef {Choice & {id: number, quantity: number, note: string, slots: (Choice & {slot: string})[]}} Line
 */

function sameChoice(a, b) {
  const essence = ({ product, options, slots, note }) => JSON.stringify([product, options, slots, note]);
  return essence(a) === essence(b);
}

class Cart extends EventTarget {
  constructor() {
    super();
    const { lines = [], diningOption = null, nextId = 1 } = tabMemory.recall("cart", {});
    /** @type {Line[]} */
    this.lines = lines;
    this.diningOption = diningOption;
    this.nextId = nextId;
  }

  get isEmpty() {
    return this.lines.length === 0;
  }

  get count() {
    return this.lines.reduce((sum, line) => sum + line.quantity, 0);
  }

  line(id) {
    return this.lines.find((line) => line.id === id);
  }

  dineAs(diningOption) {
    this.diningOption = diningOption;
    this.#changed();
  }

  /** Adds a line, or more of it when the very same thing is already there. */
  add(choice) {
    const twin = this.lines.find((line) => sameChoice(line, choice));
    if (twin) twin.quantity = Math.min(twin.quantity + choice.quantity, MAX_LINE_QUANTITY);
    else this.lines.push({ ...choice, id: this.nextId++ });
    this.#changed();
  }

  replace(id, choice) {
    this.lines = this.lines.map((line) => (line.id === id ? { ...choice, id } : line));
    this.#changed();
  }

  setQuantity(id, quantity) {
    this.line(id).quantity = Math.min(quantity, MAX_LINE_QUANTITY);
    this.#changed();
  }

  remove(id) {
    this.lines = this.lines.filter((line) => line.id !== id);
    this.#changed();
  }

  clear() {
    this.lines = [];
    this.diningOption = null;
    tabMemory.forget("cart");
    this.dispatchEvent(new Event("change"));
  }

  /** The body of quote and checkout. */
  toRequest() {
    return {
      dining_option: this.diningOption,
      items: this.lines.map(({ product, quantity, options, slots, note }) => ({
        product,
        quantity,
        options,
        ...(slots.length && { slots }),
        ...(note && { note }),
      })),
    };
  }

  #changed() {
    tabMemory.remember("cart", { lines: this.lines, diningOption: this.diningOption, nextId: this.nextId });
    this.dispatchEvent(new Event("change"));
  }
}

export const cart = new Cart();
