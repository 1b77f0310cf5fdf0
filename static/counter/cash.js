/** What the guest hands over, as it is keyed in, in whole cents. No DOM here. */

const MOST_DIGITS = 7;

export class Cash {
  #keyed = "";

  /** @param {bigint} due cents */
  constructor(due) {
    this.due = due;
  }

  get received() {
    return BigInt(this.#keyed || "0");
  }

  get isEmpty() {
    return this.received === 0n;
  }

  /** Cents to give back; negative while too little was handed over. */
  get change() {
    return this.received - this.due;
  }

  get covers() {
    return this.change >= 0n;
  }

  /** Types digits from the right, as on a card machine: 5, 0, 00 is R$ 50,00. */
  key(digits) {
    const next = (this.#keyed + digits).replace(/^0+/, "");
    if (next.length <= MOST_DIGITS) this.#keyed = next;
  }

  back() {
    this.#keyed = this.#keyed.slice(0, -1);
  }

  clear() {
    this.#keyed = "";
  }

  /** Adds a note to what is already on the counter. @param {bigint} cents */
  add(cents) {
    const next = String(this.received + cents);
    if (next.length <= MOST_DIGITS) this.#keyed = next;
  }

  exact() {
    this.#keyed = String(this.due);
  }

  /** As the API takes it: "50.00". */
  toAmount() {
    const digits = String(this.received).padStart(3, "0");
    return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
  }
}
