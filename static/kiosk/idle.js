/** Notices that the guest has left. */

const SIGNS_OF_LIFE = ["pointerdown", "keydown", "scroll", "input"];

/** Calls `onIdle` after `afterMs()` without a touch; counts only between start() and stop(). */
export class IdleTimer {
  #timer = 0;
  #running = false;

  constructor(afterMs, onIdle) {
    this.afterMs = afterMs;
    this.onIdle = onIdle;
    for (const sign of SIGNS_OF_LIFE) {
      window.addEventListener(sign, () => this.#running && this.start(), { capture: true, passive: true });
    }
  }

  start() {
    this.#running = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.stop();
      this.onIdle();
    }, this.afterMs());
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }
}

/** Calls `onTick(secondsLeft)` now and every second until `deadlineMs`, then `onEnd`. @returns {() => void} stops it */
export function countDown(deadlineMs, onTick, onEnd) {
  let timer = 0;
  const tick = () => {
    const left = Math.max(0, Math.ceil((deadlineMs - Date.now()) / 1000));
    onTick(left);
    if (left === 0) {
      clearInterval(timer);
      onEnd();
    }
  };
  timer = setInterval(tick, 1000);
  tick();
  return () => clearInterval(timer);
}
