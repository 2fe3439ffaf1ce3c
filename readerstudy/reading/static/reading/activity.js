// When the reader was at work: the raw events, from which the server takes active time within its own bounds.

export const now = () => performance.timeOrigin + performance.now();

const MOST_EVENTS = 2000;
const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "keydown", "wheel"];

export class Activity {
  #idleAfter;
  #clock;
  #idle = false;
  #lastSign;

  constructor({ idleAfter = 30_000, clock = now } = {}) {
    this.#idleAfter = idleAfter;
    this.#clock = clock;
    this.#lastSign = clock();
    this.breakStart = this.#lastSign;
    this.begin();
  }

  // A new case, or one taken up again after a reload with what had been recorded before.
  begin({ start = this.#clock(), events = [], exposures = [] } = {}) {
    this.start = start;
    this.events = events;
    this.exposures = exposures;
  }

  // What the server holds of this case, where it goes further than what is kept here: it was begun elsewhere.
  takeUp(held, kept) {
    const end = (log) => log?.events.at(-1)?.t ?? -1;
    if (end(held) <= end(kept)) return;
    this.begin({ ...held, start: this.#clock() - held.elapsed_ms });
    this.record("visible");
  }

  // Milliseconds since the case was opened; never less than the last entry, even if the computer's clock was set back.
  get elapsed() {
    const last = Math.max(0, this.events.at(-1)?.t ?? 0, this.exposures.at(-1)?.t ?? 0);
    return Math.max(last, Math.round(this.#clock() - this.start));
  }

  record(kind) {
    if (this.events.length < MOST_EVENTS) this.events.push({ t: this.elapsed, kind });
  }

  // What of the model's output was switched on or off, or on which image it came to the screen or left it.
  expose(kind, event, facts) {
    if (this.exposures.length < MOST_EVENTS) this.exposures.push({ kind, event, ...facts, t: this.elapsed });
  }

  // A sign of life. Five minutes without one count as a break.
  sign() {
    const at = this.#clock();
    if (at - this.#lastSign > 300_000) this.breakStart = at;
    this.#lastSign = at;
    if (!this.#idle) return;
    this.#idle = false;
    this.record("active");
  }

  check() {
    if (this.#idle || this.#clock() - this.#lastSign < this.#idleAfter) return;
    this.#idle = true;
    this.record("idle");
  }

  get sinceBreak() {
    return this.#clock() - this.breakStart;
  }

  summary() {
    return { events: this.events, duration_ms: this.elapsed };
  }

  listen() {
    addEventListener("focus", () => this.record("focus"));
    addEventListener("blur", () => this.record("blur"));
    document.addEventListener("visibilitychange", () => this.record(document.hidden ? "hidden" : "visible"));
    for (const kind of SIGNS_OF_LIFE) {
      addEventListener(kind, () => this.sign(), { capture: true, passive: true });
    }
    setInterval(() => this.check(), Math.min(1000, this.#idleAfter));
  }
}
