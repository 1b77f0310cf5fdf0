/** Pieces that several views are built from. */

import { config } from "./config.js";
import { h, icon } from "./dom.js";
import { closeDialog, openDialog } from "./screen.js";
import { t } from "./strings.js";

export function productImage(product, className, lazy = false) {
  const { src, srcset } = product?.image ?? { src: config.fallbackImage };
  // The name stands beside every picture, so the picture itself stays silent.
  const image = h("img", { class: className, src, srcset: srcset || null, sizes: srcset ? "50vw" : null, alt: "", loading: lazy && "lazy", width: 320, height: 240 });
  image.addEventListener("error", () => image.replaceWith(h("img", { class: className, src: config.fallbackImage, alt: "" })), { once: true });
  return image;
}

/** Small beside a name: sold to adults only, once staff have let the order go. */
export function adultsMark() {
  return h("span.adults", {}, h("span", { "aria-hidden": "true", text: t("menu.adults") }), h("span.visually-hidden", { text: t("menu.adultsHint") }));
}

export function button(text, onClick, { kind = "", iconName = null, label = null, ...attributes } = {}) {
  const classes = ["button", ...kind.split(" ").filter(Boolean).map((name) => `button-${name}`)];
  return h(
    "button",
    { class: classes.join(" "), "aria-label": label, on: { click: onClick }, ...attributes },
    iconName && icon(iconName),
    text && h("span", { text }),
  );
}

/** The bar at the bottom: whatever helps on the left, the one main action always at the lower right. */
export function dock(left, primary) {
  return h("footer.dock", {}, h("div.dock-left", {}, left), primary && h("div.dock-primary", {}, primary));
}

/** `title` is left out where the page has its own heading. */
export function topBar({ onBack, title }) {
  return h(
    "header.top",
    {},
    button(t("back"), onBack, { kind: "quiet", iconName: "back" }),
    title && h("h1.top-title", { text: title }),
    h("span.top-space"),
  );
}

/** A number with − and + at its sides. `onChange(next)` is called with values inside [min, max]. */
export function stepper({ value, min, max, name, onChange }) {
  const output = h("output.stepper-value", { text: String(value) });
  const less = button(null, () => step(-1), { iconName: "minus", label: t("less", { name }) });
  const more = button(null, () => step(1), { iconName: "plus", label: t("more", { name }) });
  const root = h("div.stepper", { role: "group", "aria-label": name }, less, output, more);
  root.limit = (nextMax) => {
    max = nextMax;
    draw();
  };
  function step(by) {
    const next = value + by;
    if (next < min || next > max) return;
    value = next;
    draw();
    onChange(value);
  }
  function draw() {
    output.textContent = String(value);
    less.setAttribute("aria-disabled", String(value <= min));
    more.setAttribute("aria-disabled", String(value >= max));
    root.classList.toggle("is-zero", value === 0);
  }
  draw();
  return root;
}

/** A picture for a message. @param {"trouble"|"waiting"|"closed"|"bag"} name */
export function noticeArt(name) {
  return h("span", { class: `notice-art notice-art-${name}` });
}

/** A full-screen message: what happened, what is safe, what to press. */
export function notice({ art, title, text, actions }) {
  return h(
    "section.notice",
    {},
    noticeArt(art),
    h("h1.notice-title", { text: title }),
    h("p.notice-text", { role: "status", text }),
    h("div.notice-actions", {}, actions),
  );
}

/**
 * Asks the guest in a modal dialog.
 *
 * @param {{label: string, kind?: string, run?: () => void}[]} choices the last one is the main one
 * @returns {{element: HTMLDialogElement, say: (text: string) => void}}
 */
export function ask({ title, text, choices }) {
  const message = h("p.dialog-text", { text });
  const element = h(
    "dialog.dialog",
    { "aria-labelledby": "dialog-title" },
    h("h2.dialog-title", { id: "dialog-title", text: title }),
    message,
    h(
      "div.dialog-actions",
      {},
      choices.map(({ label, kind = "", run }) =>
        button(label, () => {
          closeDialog();
          run?.();
        }, { kind }),
      ),
    ),
  );
  // Escape must not leave a question that decides about an order unanswered.
  element.addEventListener("cancel", (event) => event.preventDefault());
  openDialog(element);
  return { element, say: (next) => (message.textContent = next) };
}
