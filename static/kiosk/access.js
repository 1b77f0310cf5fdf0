/** Access mode: larger type, more contrast, every control in the lower part of the screen, three times the time. */

const TIME_FACTOR = 3;
const root = document.documentElement;

export function isAccessible() {
  return root.classList.contains("accessible");
}

export function setAccessMode(on) {
  root.classList.toggle("accessible", on);
}

/** How long to wait for this guest, given how long to wait for most. */
export function patientMs(ms) {
  return isAccessible() ? ms * TIME_FACTOR : ms;
}
