/** One message at the bottom of the board, with an optional way back for ten seconds. */

const SHOWN_MS = 10_000;

const box = document.getElementById("toast");
const message = box.querySelector("[data-toast-text]");
const undoButton = box.querySelector("[data-toast-undo]");

let timer = 0;
let undo = null;

export function showToast(text, onUndo = null) {
  clearTimeout(timer);
  undo = onUndo;
  message.textContent = text;
  undoButton.hidden = onUndo === null;
  box.classList.add("is-shown");
  timer = setTimeout(hideToast, SHOWN_MS);
}

export function hideToast() {
  undo = null;
  undoButton.hidden = true;
  box.classList.remove("is-shown");
}

/** Whether a move can still be taken back here. */
export const hasUndo = () => undo !== null;

/** Takes back the last move, while that is still offered. */
export function undoLast() {
  const run = undo;
  if (!run) return;
  hideToast();
  run();
}

undoButton.addEventListener("click", undoLast);
