/**
 * Which view fills the screen. Views are shown by name, so that none has to import another.
 *
 * @typedef {Object} View
 * @property {HTMLElement} element
 * @property {() => void} [onLeave]
 * @property {boolean} [waitsForGuest] the guest may be gone, so the idle timer runs on this view
 */

const place = document.getElementById("screen");
const announcer = document.getElementById("announcer");

/** @type {Object<string, (params: object) => View>} */
let views = {};
/** @type {View|null} */
let current = null;

export function registerViews(byName) {
  views = byName;
}

export function show(name, params = {}) {
  current?.onLeave?.();
  closeDialog();
  current = views[name](params);
  place.dataset.view = name;
  place.replaceChildren(current.element);
  window.scrollTo(0, 0);
  const heading = place.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
  window.dispatchEvent(new CustomEvent("screen-change", { detail: { waitsForGuest: Boolean(current.waitsForGuest) } }));
}

/** The name of the view that fills the screen. */
export function shown() {
  return place.dataset.view;
}

/** Says `text` to a screen reader without moving the focus. */
export function announce(text) {
  announcer.textContent = text;
}

let dialog = null;

/** Puts a modal dialog over the screen. @param {HTMLDialogElement} element */
export function openDialog(element) {
  closeDialog();
  dialog = element;
  document.body.append(element);
  element.showModal();
}

export function closeDialog() {
  dialog?.close();
  dialog?.remove();
  dialog = null;
}
