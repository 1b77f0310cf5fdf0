/** Who is buying: a CPF by finger, or nothing. Both ways lead to the order being placed. */

import { OfflineError, api } from "../api.js";
import { CPF_DIGITS, formatCpf, isCpf } from "../cpf.js";
import { h } from "../dom.js";
import { guest } from "../guest.js";
import { button, topBar } from "../parts.js";
import { nextView, placeOrder } from "../purchase.js";
import { quote } from "../quote.js";
import { announce, show } from "../screen.js";
import { t } from "../strings.js";
import { explain } from "../trouble.js";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const TOO_MANY = 429;
const UNAUTHORIZED = 401;

export function identifyView() {
  let digits = "";
  let busy = false;

  const field = h("input.cpf-field", { readonly: true, inputmode: "none", "aria-label": t("identify.field"), "aria-describedby": "identify-trouble", placeholder: "000.000.000-00", autocomplete: "off" });
  const trouble = h("p.identify-trouble", { id: "identify-trouble", role: "alert" });
  const known = h("p.identify-known", { role: "status" });
  const skip = button(t("identify.skip"), () => place({ anonymous: true }));
  const goOn = button(t("identify.continue"), identify, { kind: "primary" });
  const told = h("div.identify-told", {}, h("p.identify-notice", { text: t("identify.notice") }), field, trouble, known);
  const keys = h(
    "div.keypad",
    { role: "group", "aria-label": t("identify.keypad") },
    DIGITS.map(digitKey),
    button(t("identify.clear"), () => type(""), { kind: "key" }),
    digitKey("0"),
    button(null, () => type(digits.slice(0, -1)), { kind: "key", iconName: "erase", label: t("identify.erase") }),
  );

  function digitKey(digit) {
    return button(digit, () => type(digits + digit), { kind: "key" });
  }

  function type(next) {
    if (busy) return;
    digits = next.slice(0, CPF_DIGITS);
    guest.forget();
    trouble.textContent = digits.length === CPF_DIGITS && !isCpf(digits) ? t("identify.wrong") : "";
    draw();
  }

  function draw() {
    field.value = guest.cpf ?? formatCpf(digits);
    field.setAttribute("aria-invalid", String(Boolean(trouble.textContent)));
    known.textContent = guest.cpf ? t("identify.known", { cpf: guest.cpf }) : "";
    goOn.disabled = busy || (!guest.ticket && !isCpf(digits));
    skip.disabled = busy;
    goOn.querySelector("span").textContent = t(busy ? "cart.placing" : "identify.continue");
  }

  async function identify() {
    if (busy) return;
    if (!guest.ticket && !(await askWhoItIs())) return;
    place();
  }

  /** Exchanges the number for a ticket, and keeps nothing else of it. */
  async function askWhoItIs() {
    busy = true;
    draw();
    try {
      guest.identify(await api.lookUp(digits));
      digits = "";
    } catch (error) {
      trouble.textContent = reasonOf(error);
    }
    busy = false;
    draw();
    return Boolean(guest.ticket);
  }

  async function place({ anonymous = false } = {}) {
    if (busy) return;
    if (anonymous) guest.forget();
    busy = true;
    draw();
    announce(t("cart.placing"));
    try {
      const order = await placeOrder(quote.value.total);
      guest.forget();
      show(nextView(order), { order });
    } catch (error) {
      busy = false;
      if (isAboutGuest(error)) {
        guest.forget();
        trouble.textContent = t("identify.again");
        draw();
        return;
      }
      draw();
      explain(error, () => place({ anonymous }));
    }
  }

  function onKey({ key, ctrlKey, metaKey, altKey }) {
    if (ctrlKey || metaKey || altKey) return;
    if (/^\d$/.test(key)) type(digits + key);
    else if (key === "Backspace") type(digits.slice(0, -1));
  }

  window.addEventListener("keydown", onKey);
  draw();

  const element = h(
    "section.page.identify",
    {},
    topBar({ title: t("identify.title"), onBack: () => show("cart") }),
    h("div.identify-body", {}, told, keys),
    h("footer.dock.dock-equal", {}, skip, goOn),
  );
  return { element, waitsForGuest: true, onLeave: () => window.removeEventListener("keydown", onKey) };
}

function reasonOf(error) {
  if (error instanceof OfflineError) return t("identify.offline");
  if (error.status === UNAUTHORIZED) return ""; // the app is already on its way to the pairing page
  if (error.status === TOO_MANY) return t("identify.tooMany");
  return t(error.code === "invalid" ? "identify.wrong" : "identify.away");
}

/** A ticket is good once and for ten minutes: an order may come too late for it. */
function isAboutGuest(error) {
  return guest.ticket !== null && (error.errors ?? []).some(({ field }) => field === "customer");
}
