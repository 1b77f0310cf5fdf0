/**
 * A live page: a server stream that is watched for silence, with polling while it is silent.
 *
 * The first event of a stream is always the full state, so nothing has to be resumed; a page only has to know
 * whether what it shows can still be trusted.
 */

const STALE_AFTER_MS = 12_000;
const POLL_MS = 5_000;
const REOPEN_MS = 5_000;

/**
 * @param {Object} options
 * @param {string} options.url the stream, absolute when another process serves it
 * @param {string} options.event name of the event that carries the state
 * @param {(state: object) => void} options.onState
 * @param {(beat: {now: string, version: number}) => void} [options.onBeat] every 5 s, with the server's clock
 * @param {(stale: boolean) => void} options.onStale called when the page turns stale or fresh
 * @param {() => Promise<void>} [options.poll] fetches the state another way while the stream is silent
 */
export function followStream({ url, event, onState, onBeat = () => {}, onStale, poll = async () => {} }) {
  let source;
  let heardAt = Date.now();
  let stale = false;

  function heard() {
    heardAt = Date.now();
    if (stale) {
      stale = false;
      onStale(false);
    }
  }

  function open() {
    source?.close();
    source = new EventSource(url, { withCredentials: true });
    source.addEventListener(event, (message) => {
      heard();
      onState(JSON.parse(message.data));
    });
    source.addEventListener("beat", (message) => {
      heard();
      onBeat(JSON.parse(message.data));
    });
    // The browser reconnects by itself after a lost connection, but gives up on an error status.
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(open, REOPEN_MS);
    });
  }

  setInterval(() => {
    if (!stale && Date.now() - heardAt > STALE_AFTER_MS) {
      stale = true;
      onStale(true);
    }
  }, 1_000);

  setInterval(() => {
    if (stale) poll().catch(() => {}); // still no connection; the banner already says so
  }, POLL_MS);

  // A sleeping tab may have missed everything: a new stream begins with the full state.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") open();
  });

  open();
}

/** The server's clock, as far as its last beat tells. */
export class ServerClock {
  #offsetMs = 0;

  /** @param {string} now the beat's time */
  set(now) {
    this.#offsetMs = Date.parse(now) - Date.now();
  }

  now() {
    return Date.now() + this.#offsetMs;
  }
}
