/** Values that outlive a reload of this tab and nothing more. */

const PREFIX = "breadmate.";

export function remember(key, value) {
  sessionStorage.setItem(PREFIX + key, JSON.stringify(value));
}

/** @returns the stored value, or `fallback` when there is none or it cannot be read */
export function recall(key, fallback = null) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + key)) ?? fallback;
  } catch {
    return fallback;
  }
}

export function forget(key) {
  sessionStorage.removeItem(PREFIX + key);
}
