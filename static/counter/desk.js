/** The cashier's desk: who waits to pay, what is to be handed over; found by a few keys, opened by one tap. */

import { hideToast, showToast } from "../kitchen/toast.js";
import { followStream, ServerClock } from "../live/stream.js";
import { fetchFragment, swap } from "../live/swap.js";
import { keepAwake } from "../live/wake-lock.js";
import { counterApi } from "./api.js";
import { openHandover } from "./handover.js";
import { goByKey } from "./keys.js";
import { openRefusal } from "./refusal.js";
import { PaymentSheet } from "./sheet.js";
import { drawTimes } from "./times.js";
import { explainChange } from "./trouble.js";

const TICK_MS = 1_000;
const CODE = /^\d{4}$/;

const { stream, fragmentUrl, handoverUrl, timeZone } = document.body.dataset;
const orders = document.getElementById("orders");
const find = document.getElementById("find");
const said = document.getElementById("said");
const found = document.getElementById("found");
const staleBanner = document.getElementById("stale");
const dot = document.getElementById("connection");
const clockFace = document.getElementById("clock");
const clock = new ServerClock();
const clockFormat = new Intl.DateTimeFormat("pt-BR", { hour: "2-digit", minute: "2-digit", timeZone });
const HINT = found.textContent;

let sheet = null;
let dialog = null;

const cards = () => Array.from(orders.querySelectorAll(".desk-card"));
const refetch = async () => render(await fetchFragment(fragmentUrl));

function drawTime() {
  drawTimes(orders, clock.now());
  clockFace.textContent = clockFormat.format(clock.now());
}

function render(html) {
  swap(orders, html);
  drawTime();
  filter();
  if (sheet && !orders.querySelector(`[data-order="${sheet.orderId}"]`)) sheet.gone();
}

/** "42" finds T042 and T1042; letters find names. */
function fits({ dataset: { number, guest } }, text) {
  return number.includes(text) || guest.toLocaleUpperCase("pt-BR").includes(text);
}

function filter() {
  const text = said.value.trim().toLocaleUpperCase("pt-BR");
  const all = cards();
  for (const card of all) card.hidden = Boolean(text) && !fits(card, text);
  const left = all.filter(({ hidden }) => !hidden);
  all.forEach((card) => card.classList.toggle("is-first", Boolean(text) && card === left[0]));
  if (!text) found.textContent = HINT;
  else if (left.length) found.textContent = `${left.length === 1 ? "1 pedido" : `${left.length} pedidos`}: Enter abre ${left[0].dataset.number}.`;
  else found.textContent = "Nenhum na lista. Enter procura pelo código de retirada.";
}

/** On a small screen the focus would raise the keyboard over the list. */
function toSearch() {
  if (window.matchMedia("(min-width: 761px)").matches) said.focus();
}

function clearSearch() {
  said.value = "";
  filter();
}

function dueOf(card) {
  const { order, number, guest, total, charge } = card.dataset;
  const items = Array.from(card.querySelectorAll("[data-item]"), (item) => ({
    quantity: item.querySelector(".desk-quantity").textContent.replace("×", ""),
    name: item.lastElementChild.firstChild.textContent,
    details: Array.from(item.querySelectorAll(".desk-detail"), (detail) => detail.textContent),
  }));
  return { id: order, number, guest, total, charge, hasCode: "hasCode" in card.dataset, items };
}

function openPayment(card) {
  if (sheet) return;
  hideToast();
  sheet = new PaymentSheet(dueOf(card), {
    onClosed: (outcome) => {
      sheet = null;
      clearSearch();
      if (outcome === "cancelled") showToast(`${card.dataset.number} foi cancelado.`);
      if (!staleBanner.hidden || outcome !== "left") refetch().catch(() => {});
      toSearch();
    },
  });
}

async function openLookUp(text) {
  if (dialog) return;
  try {
    dialog = openHandover(await fetchFragment(`${handoverUrl}?q=${encodeURIComponent(text)}`), {
      onServe: serve,
      onClosed: () => {
        dialog = null;
        clearSearch();
        toSearch();
      },
    });
  } catch {
    showToast("Sem resposta do servidor. Nada mudou; tente de novo.");
  }
}

async function serve(order, number) {
  try {
    await counterApi.handOver(order);
    showToast(`${number} entregue.`, () => takeBack(order, number));
    await refetch().catch(() => {});
    return true;
  } catch (error) {
    showToast(explainChange(error));
    return false;
  }
}

async function takeBack(order, number) {
  try {
    await counterApi.undo(order);
    showToast(`${number} voltou para os prontos.`);
    await refetch().catch(() => {});
  } catch (error) {
    showToast(explainChange(error));
  }
}

/** Lets an order go that holds what is not sold to everybody, or refuses it. */
async function decide(card, release) {
  const { release: order, number } = card.dataset;
  const buttons = card.querySelectorAll("[data-decide]");
  buttons.forEach((each) => (each.disabled = true));
  try {
    await counterApi.release(order, release);
    showToast(release ? `${number} liberado: já pode pagar.` : `${number} recusado e cancelado. Nada foi cobrado.`);
    await refetch().catch(() => {});
  } catch (error) {
    buttons.forEach((each) => (each.disabled = false));
    showToast(explainChange(error));
  }
}

function askToRefuse(card) {
  if (dialog) return;
  dialog = openRefusal(card.dataset.number, {
    onRefuse: () => decide(card, false),
    onClosed: () => {
      dialog = null;
      toSearch();
    },
  });
}

function open(card) {
  if ("release" in card.dataset) card.querySelector('[data-decide="release"]').focus();
  else if ("ready" in card.dataset) openLookUp(card.dataset.number);
  else openPayment(card);
}

orders.addEventListener("click", ({ target }) => {
  const card = target.closest(".desk-card");
  const decision = target.closest("[data-decide]")?.dataset.decide;
  if (decision === "release") decide(card, true);
  else if (decision === "refuse") askToRefuse(card);
  else if (card) open(card);
});

find.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = said.value.trim();
  if (!text) return;
  const first = cards().find(({ hidden }) => !hidden);
  // Four digits may be a number and a code at once: what the list shows is looked at first.
  if (first && !(CODE.test(text) && "ready" in first.dataset)) open(first);
  else openLookUp(text);
});

said.addEventListener("input", filter);

/** Whatever is typed goes to the search, wherever the focus is. */
window.addEventListener("keydown", (event) => {
  if (sheet || dialog || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") clearSearch();
  else if (event.key.length === 1 && /[\p{L}\d]/u.test(event.key) && document.activeElement !== said) said.focus();
});

followStream({
  url: stream,
  event: "desk",
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

goByKey(() => Boolean(sheet || dialog));
setInterval(drawTime, TICK_MS);
drawTime();
toSearch();
keepAwake();
