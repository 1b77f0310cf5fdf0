/** The shift's pages: what a count differs by, while it is typed; printing the slip. */

import { formatCents, toCents } from "../kiosk/money.js";
import { goByKey } from "./keys.js";

const TYPED = /^(?:R\$)?\s*(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?$/;

/** "1.234,5" → 123450n; null while it is no amount. */
function typedCents(text) {
  const [, whole, fraction = ""] = TYPED.exec(text.trim()) ?? [];
  return whole === undefined ? null : toCents(`${whole.replaceAll(".", "")}.${fraction.padEnd(2, "0")}`);
}

for (const form of document.querySelectorAll("[data-close]")) {
  const counted = form.querySelector("[data-money]");
  const place = form.querySelector("[data-difference]");
  const expected = toCents(form.dataset.expected);
  const draw = () => {
    const cents = typedCents(counted.value);
    const difference = cents === null ? null : cents - expected;
    place.classList.toggle("is-short", difference !== null && difference < 0n);
    if (difference === null) place.textContent = "";
    else if (difference === 0n) place.textContent = "Confere com o esperado.";
    else place.textContent = difference > 0n ? `Sobra ${formatCents(difference)}` : `Falta ${formatCents(-difference)}`;
  };
  counted.addEventListener("input", draw);
  draw();
}

/** A second press while the first is on its way does nothing; the server would not count it twice either. */
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => setTimeout(() => form.querySelectorAll("button").forEach((press) => (press.disabled = true))));
}

document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
document.querySelector("[aria-invalid]")?.focus();
goByKey();
