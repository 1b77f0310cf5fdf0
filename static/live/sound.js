/** Short tones made by the browser. Browsers keep a page silent until somebody touches it. */

const context = new AudioContext();

export function isSilenced() {
  return context.state !== "running";
}

/** Call on the first touch. */
export async function unlockSound() {
  await context.resume();
}

/**
 * @param {number[]} pitches Hz, one after the other
 * @param {number} seconds length of each
 */
export function play(pitches, seconds) {
  if (isSilenced()) return;
  pitches.forEach((pitch, i) => {
    const start = context.currentTime + i * seconds;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.5, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + seconds);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + seconds);
  });
}
