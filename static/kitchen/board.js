/** The kitchen board: shows what the server renders, moves tickets with one tap, says when it is out of date. */

import { beat } from "../live/heartbeat.js";
import { isSilenced, play, unlockSound } from "../live/sound.js";
import { followStream, ServerClock } from "../live/stream.js";
import { fetchFragment, swap } from "../live/swap.js";
import { keepAwake } from "../live/wake-lock.js";
import { drawAges } from "./ages.js";
import { acknowledge, bumpItem, MoveError, moveOrder, recallItem, recallOrder, undoMove } from "./moves.js";
import { chooseStation, chosenStation, drawStation, toMakeAt } from "./stations.js";
import { hasUndo, showToast, undoLast } from "./toast.js";

const AGE_TICK_MS = 1_000;
const KEYED_TICKETS = 9;
const NEW_TICKET_TONES = [880, 1175, 1480];
const STRUCK_TONES = [660, 440, 660, 440];
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

/** Those a cook sees: neither of another station nor in a column that is put away. */
const shownTickets = () => Array.from(orders.querySelectorAll("[data-order]")).filter(({ offsetParent }) => offsetParent !== null);
const ticketIds = () => new Set(Array.from(orders.querySelectorAll("[data-order]"), (ticket) => ticket.dataset.order));
const struckIds = () => Array.from(orders.querySelectorAll("[data-seen]"), ({ id }) => id);

function drawTime() {
  drawAges(orders, clock.now());
  clockFace.textContent = clockFormat.format(clock.now());
}

/** Writes on the first tickets which key moves them. */
function drawKeys() {
  shownTickets().forEach((ticket, i) => {
    ticket.querySelector(".ticket-key").textContent = i < KEYED_TICKETS ? String(i + 1) : "";
  });
}

function render(html) {
  const before = ticketIds();
  const struckBefore = new Set(struckIds());
  swap(orders, html);
  drawStation(orders, chosenStation());
  drawTime();
  drawKeys();
  const arrived = Array.from(orders.querySelectorAll('[data-status="received"]')).filter(({ dataset }) => !before.has(dataset.order));
  arrived.forEach((ticket) => ticket.classList.add("is-new"));
  if (struckIds().some((id) => !struckBefore.has(id))) play(STRUCK_TONES, TONE_SECONDS);
  else if (arrived.length) play(NEW_TICKET_TONES, TONE_SECONDS);
}

const refetch = async () => render(await fetchFragment(fragmentUrl, DEVICE));

/** The last change, over or not: the stream may show it before its answer is here, and only then can it be undone. */
let lastChange = Promise.resolve();

function change(ticket, action, done) {
  lastChange = attempt(ticket, action, done);
}

/** Runs a change, then shows it at once even when the stream is silent. */
async function attempt(ticket, action, done) {
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
  if (ticket.dataset.status === "cancelled") {
    see(ticket);
    return;
  }
  if (chosenStation() !== "") {
    finishHere(ticket);
    return;
  }
  const { order, number, next, nextLabel } = ticket.dataset;
  const undo = () => change(null, () => undoMove(order), () => showToast(`${number} voltou`));
  change(ticket, () => moveOrder(order, next), () => showToast(`${number}: ${nextLabel.toLowerCase()}`, undo));
}

/** A station is done with its part of an order; the server knows when that was the last part. */
function finishHere(ticket) {
  const { order, number } = ticket.dataset;
  const items = toMakeAt(ticket, chosenStation()).map(({ dataset }) => dataset.item);
  if (items.length === 0) return;
  const each = async (action) => {
    for (const item of items) await action(order, item);
  };
  const undo = () => change(null, () => each(recallItem), () => showToast(`${number} voltou`));
  change(ticket, () => each(bumpItem), () => showToast(`${number}: feito aqui`, undo));
}

/** One tap and an item is made, another and it is not. */
function tap(button) {
  const ticket = button.closest("[data-order]");
  if (ticket.classList.contains("is-moving")) return;
  const { order, number } = ticket.dataset;
  const { item, name, state } = button.dataset;
  const back = () => recallItem(order, item);
  if (state === "done") {
    change(ticket, back, () => showToast(`${number}: ${name} volta ao preparo`));
    return;
  }
  const undo = () => change(null, back, () => showToast(`${number}: ${name} voltou`));
  change(ticket, () => bumpItem(order, item), () => showToast(`${number}: ${name} feito`, undo));
}

function recall(ticket) {
  const { order = ticket.dataset.recent, number = ticket.dataset.recentNumber } = ticket.dataset;
  change(ticket, () => recallOrder(order), () => showToast(`${number} voltou para o preparo`));
}

/** What will not be made, one item or the whole order, leaves the board once a cook has seen it. */
function see(ticket, item = "") {
  if (ticket.classList.contains("is-moving")) return;
  const { order, number } = ticket.dataset;
  change(ticket, () => acknowledge(order, item), () => showToast(`${number}: ${item ? "item anulado" : "cancelamento"} visto`));
}

orders.addEventListener("click", ({ target }) => {
  const seen = target.closest("[data-seen]");
  const item = target.closest("[data-item]");
  if (seen) see(seen.closest("[data-order]"), seen.dataset.seen);
  else if (item) tap(item);
  else if (target.closest("[data-recall]")) recall(target.closest("[data-order], [data-recent]"));
  else if (target.closest("[data-move], [data-head]")) move(target.closest("[data-order]"));
});

const stationTabs = document.querySelectorAll("#stations [data-station]");
const drawerTabs = document.querySelectorAll("#drawers [data-drawer]");

function drawTabs() {
  for (const tab of stationTabs) tab.setAttribute("aria-pressed", String(tab.dataset.station === chosenStation()));
  for (const tab of drawerTabs) tab.setAttribute("aria-pressed", String(tab.dataset.drawer === orders.dataset.drawer));
}

for (const tab of stationTabs) {
  tab.addEventListener("click", () => {
    chooseStation(tab.dataset.station);
    drawTabs();
    drawStation(orders, chosenStation());
    drawKeys();
  });
}

for (const tab of drawerTabs) {
  tab.addEventListener("click", () => {
    orders.dataset.drawer = orders.dataset.drawer === tab.dataset.drawer ? "" : tab.dataset.drawer;
    drawTabs();
    drawKeys();
  });
}

/** The order that was ready last goes back to the kitchen; what the toast still offers to undo comes first. */
function recallLast() {
  const last = orders.querySelector("[data-recent] [data-recall]");
  if (hasUndo()) undoLast();
  else if (last) recall(last.closest("[data-recent]"));
}

/** The order that has waited longest: one in preparation, else one to begin. */
const oldest = () => shownTickets().find(({ dataset }) => dataset.status === "in_preparation") ?? shownTickets().find(({ dataset }) => dataset.status === "received");

window.addEventListener("keydown", ({ key, repeat, ctrlKey, metaKey, altKey }) => {
  if (repeat || ctrlKey || metaKey || altKey) return;
  if (key.toLowerCase() === "z") lastChange.finally(undoLast);
  if (key.toLowerCase() === "r") lastChange.finally(recallLast);
  const bumped = /^[1-9]$/.test(key) ? shownTickets()[Number(key) - 1] : key === "Enter" && document.activeElement === document.body && oldest();
  if (bumped) move(bumped);
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
drawTabs();
drawStation(orders, chosenStation());
drawTime();
drawKeys();
keepAwake();
beat("board");
