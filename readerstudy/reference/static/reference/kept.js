// The steps of undo and what is not yet on the server, kept in this tab so that a reload loses neither. It holds marks and
// what was typed, under the owner's key that the server gives: no name, no image. Another owner's go when a desk opens.

const PREFIX = "annotation:";
// Characters; a browser keeps some five million for all pages of one address. The oldest steps go first. A stroke of the
// brush takes about a thousand.
const MOST = 1_500_000;

const plain = ({ key, kind, series, slice, label, points, runs, proposed }) =>
  JSON.stringify({ key, kind, series, slice, label, points, runs: kind === "mask" ? runs : undefined, proposed: proposed || undefined });

// Two states with the same marks are one, whoever wrote them down.
export const sameState = (one, other) =>
  one.marks.length === other.marks.length &&
  one.rejected.join() === other.rejected.join() &&
  one.marks.every((mark, n) => plain(mark) === plain(other.marks[n]));

// How a list differs from another: what stays at its beginning, what is new, what stays at its end.
function since(list, before) {
  const most = Math.min(list.length, before.length);
  let first = 0;
  while (first < most && list[first] === before[first]) first++;
  let last = 0;
  while (last < most - first && list[list.length - 1 - last] === before[before.length - 1 - last]) last++;
  return [first, list.slice(first, list.length - last), last];
}

const grown = ([first, middle, last], before) => before.slice(0, first).concat(middle, before.slice(before.length - last));

export class Kept {
  #texts = new WeakMap();
  from = 0;
  // How many steps before the reload were too many to keep.
  dropped = 0;

  constructor(key, store = sessionStorage) {
    Object.assign(this, { key: PREFIX + key, store });
    const [owner] = key.split(":");
    for (const name of Object.keys(store)) {
      if (name.startsWith(PREFIX) && !name.startsWith(`${PREFIX}${owner}:`)) store.removeItem(name);
    }
  }

  // What is written of a mark; a mask after the one that it grew out of, which has the place `at`.
  #text(mark, before, at) {
    const known = this.#texts.get(mark);
    if (known && known.before === before) return known.text(at);
    const whole = plain(before ? { ...mark, runs: [] } : mark);
    const change = before && JSON.stringify(since(mark.runs, before.runs));
    const text = (place) => (change ? `{"mark":${whole},"since":${place},"change":${change}}` : `{"mark":${whole}}`);
    this.#texts.set(mark, { before, text });
    return text(at);
  }

  // steps: { states, at } of the history; saved: the state that the server has; form: what is typed and what of it the
  // server has. Each mark is written once, however many states hold it. What is too much is dropped and counted.
  write({ states, at }, saved, form) {
    // What did not fit before does not fit now.
    this.from = Math.min(this.from, at);
    for (; this.from <= at; this.from = Math.max(this.from + 1, Math.ceil((this.from + at + 1) / 2))) {
      const text = this.#packed(states.slice(this.from), at - this.from, states.indexOf(saved) - this.from, form);
      if (text.length <= MOST && this.#put(text)) return true;
    }
    this.#put(`{"marks":[],"rest":{"rows":[],"dropped":${this.from + this.dropped}}}`);
    return false;
  }

  #put(text) {
    try {
      this.store.setItem(this.key, text);
      return true;
    } catch {
      return false;
    }
  }

  #packed(states, at, saved, form) {
    const places = new Map();
    const texts = [];
    const masks = new Map();
    const place = (mark) => {
      if (places.has(mark)) return places.get(mark);
      const before = mark.kind === "mask" ? masks.get(mark.key) : undefined;
      places.set(mark, texts.push(this.#text(mark, before, places.get(before))) - 1);
      if (mark.kind === "mask") masks.set(mark.key, mark);
      return texts.length - 1;
    };
    let [held, away] = [[], []];
    const rows = states.map(({ marks, rejected }) => {
      const now = marks.map(place);
      const row = [since(now, held), since(rejected, away)];
      [held, away] = [now, rejected];
      return row;
    });
    const dropped = this.from + this.dropped;
    return `{"marks":[${texts.join()}],"rest":${JSON.stringify({ rows, at, saved, form, dropped })}}`;
  }

  // { states, at, form } where what is kept goes on from what the server has; else null, and the server's word stands.
  read(onServer, typed) {
    try {
      const { marks: written, rest } = JSON.parse(this.store.getItem(this.key));
      this.dropped = rest.dropped;
      const marks = [];
      for (const { mark, since: at, change } of written) {
        marks.push(Object.freeze(change ? { ...mark, runs: grown(change, marks[at].runs) } : mark));
      }
      let [held, rejected] = [[], []];
      const states = rest.rows.map(([row, away]) => {
        [held, rejected] = [grown(row, held), grown(away, rejected)];
        return { marks: held.map((place) => marks[place]), rejected };
      });
      const base = [states[rest.saved], states[rest.at]].find((state) => state && sameState(state, onServer));
      if (!base) return null;
      const { now, before } = rest.form;
      const goesOn = before.verdict === typed.verdict && before.note === typed.note;
      return { states, at: rest.at, base, form: goesOn ? now : typed };
    } catch {
      return null;
    }
  }
}
