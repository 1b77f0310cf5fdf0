/** The pick-up panel: numbers in preparation, numbers to fetch, and a voice for every new call. */

import { beat } from "../live/heartbeat.js";
import { isSilenced, unlockSound } from "../live/sound.js";
import { followStream, ServerClock } from "../live/stream.js";
import { fetchFragment, swap } from "../live/swap.js";
import { keepAwake } from "../live/wake-lock.js";
import { callAloud } from "./calls.js";

const CLOCK_TICK_MS = 1_000;
const DEVICE = { "X-Device-Kind": "panel" };

const { stream, fragmentUrl, timeZone } = document.body.dataset;
const numbers = document.getElementById("numbers");
const dot = document.getElementById("connection");
const clockFace = document.getElementById("clock");
const soundHint = document.getElementById("sound");
const clock = new ServerClock();
const clockFormat = new Intl.DateTimeFormat("pt-BR", { hour: "2-digit", minute: "2-digit", timeZone });

/** Calls already made, or null before the first state: what was called before this page opened is not repeated. */
let made = null;

function announceCalls(calls) {
  const keys = calls.map(({ number, called_at: calledAt }) => `${number} ${calledAt}`);
  if (made) calls.filter((_, i) => !made.has(keys[i])).forEach(({ number }) => call(number));
  made = new Set(keys);
}

function call(number) {
  callAloud(number);
  for (const element of numbers.querySelectorAll("[data-ready]")) {
    element.classList.toggle("is-called", element.dataset.ready === number);
  }
}

function drawClock() {
  clockFace.textContent = clockFormat.format(clock.now());
}

soundHint.hidden = !isSilenced();
window.addEventListener("pointerdown", async () => {
  await unlockSound();
  soundHint.hidden = true;
}, { once: true });

followStream({
  url: stream,
  event: "panel",
  onState: ({ html, calls }) => {
    swap(numbers, html);
    announceCalls(calls);
  },
  onBeat: ({ now }) => {
    clock.set(now);
    drawClock();
  },
  onStale: (stale) => {
    dot.classList.toggle("is-stale", stale);
    dot.querySelector("[data-connection-text]").textContent = stale ? "sem sinal, confira no balcão" : "";
  },
  poll: async () => swap(numbers, await fetchFragment(fragmentUrl, DEVICE)),
});

setInterval(drawClock, CLOCK_TICK_MS);
drawClock();
keepAwake();
beat("panel");
