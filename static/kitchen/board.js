/** The kitchen board: shows what the server renders, moves tickets with one tap, says when it is out of date. */

import { isSilenced, play, unlockSound } from "../live/sound.js";
import { followStream, ServerClock } from "../live/stream.js";
import { fetchFragment, swap } from "../live/swap.js";
import { keepAwake } from "../live/wake-lock.js";
import { drawAges } from "./ages.js";
import { MoveError, moveOrder, recallOrder, undoMove } from "./moves.js";
import { showToast, undoLast } from "./toast.js";

const AGE_TICK_MS = 1_000;
const KEYED_TICKETS = 9;
const NEW_TICKET_TONES = [880, 1175, 1480];
const TONE_SECONDS = 0.16;
const DEVICE = { "X-Device-Kind": "board" };

const { stream, fragmentUrl, timeZone } = document.body.dataset;
const orders = document.getElementById("orders");
const staleBanner = document.getElementById("stale");
const dot = document.getElementById("connection");
const soundBanner = document.getElementById("sound");
const clockFace = document.getElementById("clock");
const clock = new ServerClock();
const clockFormat = new Intl.DateTimeFormat("pt-BR", { hour: "2-digit", minute: "2-digit", timeZone });

const ticketIds = () => new Set(Array.from(orders.querySelectorAll("[data-order]"), (ticket) => ticket.dataset.order));

function drawTime() {
  drawAges(orders, clock.now());
  clockFace.textContent = clockFormat.format(clock.now());
}

/** Writes on the first tickets which key moves them. */
function drawKeys() {
  Array.from(orders.querySelectorAll("[data-order]"), (ticket, i) => {
    ticket.querySelector(".ticket-key").textContent = i < KEYED_TICKETS ? String(i + 1) : "";
  });
}

function render(html) {
  const before = ticketIds();
  swap(orders, html);
  drawTime();
  drawKeys();
  const arrived = Array.from(orders.querySelectorAll('[data-status="received"]')).filter(({ dataset }) => !before.has(dataset.order));
  if (arrived.length) {
    play(NEW_TICKET_TONES, TONE_SECONDS);
    arrived.forEach((ticket) => ticket.classList.add("is-new"));
  }
}

const refetch = async () => render(await fetchFragment(fragmentUrl, DEVICE));

/** Runs a change, then shows it at once even when the stream is silent. */
async function change(ticket, action, done) {
  ticket?.classList.add("is-moving");
  try {
    await action();
    done();
    if (!staleBanner.hidden) await refetch();
  } catch (error) {
    ticket?.classList.remove("is-moving");
    if (error instanceof MoveError) showToast(error.message);
    else throw error;
  }
}

function move(ticket) {
  if (ticket.classList.contains("is-moving")) return;
  const { order, number, next, nextLabel } = ticket.dataset;
  const undo = () => change(null, () => undoMove(order), () => showToast(`${number} voltou`));
  change(ticket, () => moveOrder(order, next), () => showToast(`${number}: ${nextLabel.toLowerCase()}`, undo));
}

function recall(ticket) {
  const { order, number } = ticket.dataset;
  change(ticket, () => recallOrder(order), () => showToast(`${number} voltou para o preparo`));
}

orders.addEventListener("click", ({ target }) => {
  const ticket = target.closest("[data-order]");
  if (target.closest("[data-move]")) move(ticket);
  else if (target.closest("[data-recall]")) recall(ticket);
});

window.addEventListener("keydown", ({ key, repeat, ctrlKey, metaKey, altKey }) => {
  if (repeat || ctrlKey || metaKey || altKey) return;
  if (key.toLowerCase() === "z") undoLast();
  const ticket = /^[1-9]$/.test(key) && orders.querySelectorAll("[data-order]")[Number(key) - 1];
  if (ticket) move(ticket);
});

soundBanner.hidden = !isSilenced();
window.addEventListener("pointerdown", async () => {
  await unlockSound();
  soundBanner.hidden = true;
}, { once: true });

followStream({
  url: stream,
  event: "board",
  onState: ({ html }) => render(html),
  onBeat: ({ now }) => {
    clock.set(now);
    drawTime();
  },
  onStale: (stale) => {
    staleBanner.hidden = !stale;
    dot.classList.toggle("is-stale", stale);
    dot.querySelector("[data-connection-text]").textContent = stale ? "sem sinal" : "ao vivo";
  },
  poll: refetch,
});

setInterval(drawTime, AGE_TICK_MS);
drawTime();
drawKeys();
keepAwake();
