/** Calling numbers aloud in pt-BR, one after the other, never over each other. */

import { play } from "../live/sound.js";

const CHIME_TONES = [659, 831, 988];
const TONE_SECONDS = 0.28;
const CHIME_MS = CHIME_TONES.length * TONE_SECONDS * 1000;
/** Some browsers never report the end of an utterance; the queue goes on after this. */
const LONGEST_CALL_MS = 8_000;

const queue = [];
let calling = false;

/** "T042" → "T, zero 42": the zeros are said, the rest is one number. */
export function spoken(number) {
  const [, letters, zeros, rest] = /^(\D*)(0*)(\d*)$/.exec(number) ?? [null, number, "", ""];
  return [letters, ...Array.from(zeros, () => "zero"), rest].filter(Boolean).join(" ");
}

function speak(number) {
  return new Promise((resolve) => {
    if (!("speechSynthesis" in window)) {
      resolve();
      return;
    }
    const words = new SpeechSynthesisUtterance(`Pedido ${spoken(number)}, retirada no balcão.`);
    words.lang = "pt-BR";
    words.rate = 0.9;
    words.addEventListener("end", resolve);
    words.addEventListener("error", resolve);
    setTimeout(resolve, LONGEST_CALL_MS);
    speechSynthesis.speak(words);
  });
}

async function callNext() {
  const number = queue.shift();
  if (number === undefined) {
    calling = false;
    return;
  }
  calling = true;
  play(CHIME_TONES, TONE_SECONDS);
  await new Promise((resolve) => setTimeout(resolve, CHIME_MS));
  await speak(number);
  callNext();
}

export function callAloud(number) {
  queue.push(number);
  if (!calling) callNext();
}
