/** Access mode: larger type, more contrast, every control in the lower part of the screen, three times the time. */

import { config } from "./config.js";
import { show } from "./screen.js";

const TIME_FACTOR = 3;
const root = document.documentElement;

export function isAccessible() {
  return root.classList.contains("accessible");
}

export function toggleAccessMode() {
  root.classList.toggle("accessible");
  show("attract");
}

export function leaveAccessMode() {
  root.classList.remove("accessible");
}

export function idleMs() {
  return isAccessible() ? config.idleMs * TIME_FACTOR : config.idleMs;
}
