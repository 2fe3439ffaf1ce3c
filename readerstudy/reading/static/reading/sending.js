// Requests that must arrive: repeated with growing pauses until the server has given a real answer. Repeating is safe,
// because a draft replaces the one before and a submission carries a key under which it is stored once.

import { say } from "./say.js";

const PAUSES = [1000, 2000, 4000, 8000, 15_000, 30_000];
const LONGEST_PAUSE = 60_000;
const GIVE_UP_WAITING = 20_000;
const REST = 800;

// Whoever waits goes on, as when the network is back.
export const tryNow = () => dispatchEvent(new Event("online"));

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    addEventListener("online", resolve, { once: true });
  });
}

export class Transient extends Error {
  constructor(sentence, retryAfter) {
    super(sentence);
    this.retryAfter = retryAfter;
  }
}

async function once(url, options, signal) {
  const limits = [AbortSignal.timeout(GIVE_UP_WAITING)];
  if (signal) limits.push(signal);
  let response;
  try {
    response = await fetch(url, { ...options, redirect: "manual", signal: AbortSignal.any(limits) });
  } catch {
    throw new Transient(say(navigator.onLine ? "The server cannot be reached." : "This computer is offline."));
  }
  // Pages behind the log-in redirect to it once the session has ended.
  if (response.type === "opaqueredirect" || response.status === 401) {
    throw new Transient(say("You are signed out. Sign in again in another tab, then come back and reload this page."));
  }
  if (response.status >= 500 || response.status === 429 || response.status === 408) {
    throw new Transient(say("The server is busy."), Number(response.headers.get("Retry-After")) * 1000);
  }
  const isJson = response.status !== 204 && response.headers.get("Content-Type")?.includes("json");
  // Ours come with a sentence. Another 403 is that of the token: who signed in again elsewhere got a new one.
  if (response.status === 403 && !isJson) {
    throw new Transient(say("You signed in again meanwhile. Reload this page; your answers are kept."));
  }
  try {
    return { ok: response.ok, status: response.status, body: isJson ? await response.json() : {} };
  } catch {
    throw new Transient(say("The connection broke off."));
  }
}

// body() is asked before each attempt. Resolves to {ok, status, body}, or to null where signal stopped it.
export async function sendUntilAnswered(url, { method = "POST", body, csrf, trouble = () => {}, signal, keepalive } = {}) {
  for (let attempt = 0; !signal?.aborted; attempt++) {
    const headers = method === "GET" ? {} : { "Content-Type": "application/json", "X-CSRFToken": csrf };
    const options = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
    // What outlives the page may be 64 KiB at most, so it is tried once.
    options.keepalive = keepalive && attempt === 0;
    if (body) options.body = JSON.stringify(body());
    try {
      return await once(url, options, signal);
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      if (signal?.aborted) break;
      trouble(error.message);
      const growing = PAUSES[Math.min(attempt, PAUSES.length - 1)];
      await pause(Math.min(LONGEST_PAUSE, error.retryAfter || growing));
    }
  }
  return null;
}

// Of { url, body, csrf, state }. Saves the draft a moment after the last change; what changed meanwhile is saved right after.
export class Drafts {
  #timer = 0;
  #stopper = new AbortController();
  #running = null;
  #dirty = false;

  constructor(facts) {
    Object.assign(this, facts);
  }

  changed() {
    this.#dirty = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), REST);
  }

  flush({ keepalive = false } = {}) {
    clearTimeout(this.#timer);
    if (!this.#dirty) return this.#running ?? Promise.resolve();
    this.#running ??= this.#save(keepalive).finally(() => (this.#running = null));
    return this.#running;
  }

  async #save(keepalive) {
    while (this.#dirty && !this.#stopper.signal.aborted) {
      this.state("saving");
      const result = await sendUntilAnswered(this.url, {
        body: () => {
          this.#dirty = false;
          return this.body();
        },
        csrf: this.csrf,
        signal: this.#stopper.signal,
        trouble: (sentence) => {
          this.#dirty = true;
          this.state("retrying", sentence);
        },
        keepalive,
      });
      if (result && !this.#dirty) this.state(result.ok ? "saved" : "refused", result.body.error);
    }
  }

  // Before a submission: a draft that arrives after it would be refused.
  stop() {
    clearTimeout(this.#timer);
    this.#dirty = false;
    this.#stopper.abort();
  }
}

// What must outlive a reload, a closed tab or a lost connection, by reader and slot: answers not yet saved, a submission
// not yet acknowledged, the log of activity, how the images stood. It holds nothing but what the reader did, under a digest
// that names nobody, and goes when the server has it, at the log-out (leaving.js), or after two weeks.
const PREFIX = "reading:";
const LONGEST = 14 * 86_400_000;
let own = PREFIX;

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

// Who reads here now; what anybody left too long ago goes.
export function keepFor(reader) {
  own = `${PREFIX}${reader}:`;
  const old = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX) && !(Date.now() - read(key).at < LONGEST));
  for (const key of old) localStorage.removeItem(key);
}

export const readKept = (slot) => read(own + slot);

export function keep(slot, changes) {
  try {
    localStorage.setItem(own + slot, JSON.stringify({ ...readKept(slot), ...changes, at: Date.now() }));
  } catch {
    // A full or forbidden store must not stop the reading; the server's draft remains.
  }
}

export const forget = (slot) => localStorage.removeItem(own + slot);

// Slots other than this one whose submission was never acknowledged.
export function unsentSlots(current) {
  const slots = Object.keys(localStorage).filter((key) => key.startsWith(own)).map((key) => key.slice(own.length));
  return slots.filter((slot) => slot !== current && readKept(slot).pending);
}
