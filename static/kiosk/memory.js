/** Values that outlive a reload of the page: those of a tab end with it, those of an order outlive a power cut too. */

import { config } from "./config.js";

const PREFIX = "breadmate.";

class Memory {
  #storage;

  /** @param {Storage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  remember(key, value) {
    this.#storage.setItem(PREFIX + key, JSON.stringify(value));
  }

  /** @returns the stored value, or `fallback` when there is none or it cannot be read */
  recall(key, fallback = null) {
    try {
      return JSON.parse(this.#storage.getItem(PREFIX + key)) ?? fallback;
    } catch {
      return fallback;
    }
  }

  forget(key) {
    this.#storage.removeItem(PREFIX + key);
  }
}

export const tabMemory = new Memory(sessionStorage);

/** A kiosk serves one guest at a time; whoever works at the counter may have an order in each of several tabs. */
export const orderMemory = new Memory(config.deviceKind === "kiosk" ? localStorage : sessionStorage);
