// Decoded frames by address: fetched in the order of their priority by a few workers, each once; those not used for
// the longest time are dropped when the memory budget is reached.

const MEGABYTE = 2 ** 20;
const WITH_SMALLER_COPIES = 4 / 3;
// Neighbours in a stack come in one answer, and several are asked for at a time, so that neither server nor network adds
// up over a stack; of large frames each worker has one, for another would only delay it.
const MOST_TOGETHER = 8;
const SMALL = MEGABYTE;
const MOST_AT_ONCE = 6;
const BYTES_AT_ONCE = 8 * MEGABYTE;
// From this priority on somebody looks at the place where the frame belongs.
const WANTED = 10;

const bytesOf = ({ rows, columns }) => 2 * rows * columns;

export class Dropped extends Error {}

// What a frame's smaller copy looks like to a worker: the server cuts off what does not fill 4 × 4 pixels.
export function previewOf(frame) {
  if (!frame.preview) return null;
  return { url: frame.preview, rows: frame.rows >> 2, columns: frame.columns >> 2, samples: frame.samples, scale: 4 };
}

export class PixelStore {
  #entries = new Map();
  #queue = [];
  #workers = [];
  #bytes = 0;
  #foreseen = 0;
  #due = null;
  #budget;

  constructor(workerUrl, { workers = 3, budget = 600 * MEGABYTE } = {}) {
    this.#budget = budget;
    const count = Math.max(1, Math.min(workers, (navigator.hardwareConcurrency || 2) - 1));
    for (let n = 0; n < count; n++) {
      const worker = new Worker(workerUrl, { type: "module" });
      const hand = { worker, requests: 0, bytes: 0 };
      worker.onmessage = ({ data }) => this.#arrived(hand, data);
      this.#workers.push(hand);
    }
  }

  get bytes() {
    return this.#bytes;
  }

  // The levels of a frame if they are here already.
  peek(frame) {
    return this.#entries.get(frame.url)?.levels;
  }

  // A promise of the levels, finest first; a later call may raise the priority of one that still waits.
  load(frame, priority = 0) {
    const known = this.#entries.get(frame.url);
    if (known) {
      // A Map keeps the order of insertion, so inserting again marks the entry as the latest used.
      this.#entries.delete(frame.url);
      this.#entries.set(frame.url, known);
      if (known.job.priority < priority) known.job.priority = priority;
      return known.promise;
    }
    const { url, rows, columns, samples, scale = 1 } = frame;
    const entry = { job: { url, rows, columns, samples, scale, priority }, levels: null, bytes: 0 };
    entry.promise = new Promise((keep, fail) => Object.assign(entry, { keep, fail }));
    // Whoever waits hears of a failure; a prefetch that nobody waits for must not report one.
    entry.promise.catch(() => {});
    this.#entries.set(url, entry);
    this.#queue.push(entry.job);
    // After the caller, who may ask for a whole stack.
    this.#due ??= Promise.resolve().then(() => this.#next());
    return entry.promise;
  }

  // A new case: frames of the one before that still wait in the queue would only delay those of this one.
  turnTo(urls) {
    this.#foreseen = 0;
    const stale = this.#queue.filter((job) => !urls.has(job.url));
    this.#queue = this.#queue.filter((job) => urls.has(job.url));
    for (const { url } of stale) {
      this.#entries.get(url).fail(new Dropped());
      this.#entries.delete(url);
    }
  }

  // Fetches ahead, the highest priority first, as far as the memory reaches; what lies beyond comes when it is asked for.
  // The promise is kept when all of it is here or has failed.
  foresee(wanted) {
    wanted.sort((one, other) => other.priority - one.priority);
    const coming = [];
    for (const { frame, priority } of wanted) {
      this.#foreseen += 2 * frame.rows * frame.columns * WITH_SMALLER_COPIES;
      if (this.#foreseen > this.#budget) break;
      coming.push(this.load(frame, priority));
    }
    return Promise.allSettled(coming);
  }

  #next() {
    this.#due = null;
    this.#queue.sort((one, other) => other.priority - one.priority);
    while (this.#queue.length) {
      const hand = this.#workers.reduce((least, one) => (one.bytes < least.bytes ? one : least));
      const jobs = this.#together();
      const bytes = jobs.reduce((sum, job) => sum + bytesOf(job), 0);
      if (hand.bytes && (hand.requests >= MOST_AT_ONCE || hand.bytes + bytes > BYTES_AT_ONCE)) return;
      hand.requests++;
      hand.bytes += bytes;
      for (const job of jobs) job.share = 1 / jobs.length;
      this.#queue = this.#queue.filter((job) => !jobs.includes(job));
      hand.worker.postMessage(jobs);
    }
  }

  // The first job of the queue, and with it neighbours in its stack, unless somebody waits for this frame.
  #together() {
    const [first] = this.#queue;
    const [, stack, number] = /^(.*\/frame)\/(\d+)$/.exec(first.url) ?? [];
    const jobs = [first];
    if (!stack || first.priority >= WANTED || bytesOf(first) > SMALL) return jobs;
    for (const step of [1, -1]) {
      for (let n = Number(number) + step; jobs.length < MOST_TOGETHER; n += step) {
        const job = this.#queue.find(({ url }) => url === `${stack}/${n}`);
        if (!job || bytesOf(job) > SMALL) break;
        jobs[step > 0 ? "push" : "unshift"](job);
      }
    }
    return jobs;
  }

  #arrived(hand, { url, levels, error }) {
    const entry = this.#entries.get(url);
    hand.requests -= entry.job.share;
    hand.bytes -= bytesOf(entry.job);
    if (error) {
      // Forgotten, so that asking again tries again.
      this.#entries.delete(url);
      entry.fail(new Error(error));
    } else {
      entry.levels = levels;
      entry.bytes = levels.reduce((sum, { pixels, planes }) => sum + pixels.byteLength * (planes ? 2.5 : 1), 0);
      this.#bytes += entry.bytes;
      entry.keep(levels);
      this.#trim(url);
    }
    this.#next();
  }

  #trim(newest) {
    for (const [url, entry] of this.#entries) {
      if (this.#bytes <= this.#budget) return;
      if (!entry.levels || url === newest) continue;
      this.#entries.delete(url);
      this.#bytes -= entry.bytes;
    }
  }
}
