/** The price of the cart, as the server says it. Asked again, after a short pause, whenever the cart changes. */

import { api, ApiError } from "./api.js";
import { cart } from "./cart.js";
import { menu } from "./menu.js";

const SETTLE_MS = 150;
const CONFLICT = 409;

/** The lines of the cart that the menu no longer offers: the server would refuse them, so it need not be asked. */
function goneLines() {
  if (!menu.isLoaded) return [];
  return cart.lines.flatMap((line, place) => (menu.canHave(line) ? [] : [{ field: `items[${place}]` }]));
}

class CartQuote extends EventTarget {
  /** The last price, or null. While `pending`, it belongs to an earlier cart. */
  value = null;
  pending = false;
  /** @type {Error|null} why the last attempt failed */
  error = null;
  #timer = 0;
  #turn = 0;

  constructor() {
    super();
    cart.addEventListener("change", () => this.refresh());
  }

  refresh() {
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    this.error = null;
    if (cart.isEmpty) {
      this.value = null;
      this.pending = false;
    } else {
      this.pending = true;
      this.#timer = setTimeout(() => this.#ask(turn), SETTLE_MS);
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Takes over a price that came with another answer, such as a refused checkout. */
  accept(value) {
    this.#turn++;
    clearTimeout(this.#timer);
    this.value = value;
    this.pending = false;
    this.error = null;
    this.dispatchEvent(new Event("change"));
  }

  async #ask(turn) {
    let value = this.value;
    let error = null;
    const gone = goneLines();
    if (gone.length) {
      error = new ApiError(CONFLICT, { code: "item_unavailable", errors: gone }, 0);
    } else {
      try {
        value = await api.quote(cart.toRequest());
      } catch (failure) {
        error = failure;
      }
    }
    if (turn !== this.#turn) return;
    this.value = value;
    this.error = error;
    this.pending = false;
    this.dispatchEvent(new Event("change"));
  }
}

export const quote = new CartQuote();
