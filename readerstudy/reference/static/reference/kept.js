// The steps of undo and what is not yet on the server, kept in this tab so that a reload loses neither. It holds marks and
// what was typed, under the owner's key that the server gives: no name, no image. Another owner's go when a desk opens.

const PREFIX = "annotation:";
// Characters; a browser keeps some five million for all pages of one address. The oldest steps go first.
const MOST = 1_500_000;

const plain = ({ key, kind, series, slice, label, points, runs, proposed }) =>
  JSON.stringify({ key, kind, series, slice, label, points, runs: kind === "mask" ? runs : undefined, proposed: proposed || undefined });

// Two states with the same marks are one, whoever wrote them down.
export const sameState = (one, other) =>
  one.marks.length === other.marks.length &&
  one.rejected.join() === other.rejected.join() &&
  one.marks.every((mark, n) => plain(mark) === plain(other.marks[n]));

export class Kept {
  #texts = new WeakMap();
  from = 0;

  constructor(key, store = sessionStorage) {
    Object.assign(this, { key: PREFIX + key, store });
    const [owner] = key.split(":");
    for (const name of Object.keys(store)) {
      if (name.startsWith(PREFIX) && !name.startsWith(`${PREFIX}${owner}:`)) store.removeItem(name);
    }
  }

  #text(mark) {
    if (!this.#texts.has(mark)) this.#texts.set(mark, plain(mark));
    return this.#texts.get(mark);
  }

  // steps: { states, at } of the history; saved: the state that the server has; form: what is typed and what of it the
  // server has. Each mark is written once, however many states hold it.
  write({ states, at }, saved, form) {
    // What did not fit before does not fit now.
    this.from = Math.min(this.from, at);
    for (; this.from <= at; this.from = Math.max(this.from + 1, Math.ceil((this.from + at + 1) / 2))) {
      const text = this.#packed(states.slice(this.from), at - this.from, states.indexOf(saved) - this.from, form);
      if (text.length <= MOST && this.#put(text)) return true;
    }
    this.store.removeItem(this.key);
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
    const place = (mark) => {
      const text = this.#text(mark);
      if (!places.has(text)) places.set(text, texts.push(text) - 1);
      return places.get(text);
    };
    const rows = states.map(({ marks, rejected }) => [marks.map(place), rejected]);
    return `{"marks":[${texts.join()}],"rest":${JSON.stringify({ rows, at, saved, form })}}`;
  }

  // { states, at, form } where what is kept goes on from what the server has; else null, and the server's word stands.
  read(onServer, typed) {
    try {
      const { marks, rest } = JSON.parse(this.store.getItem(this.key));
      for (const mark of marks) if (mark.points) Object.freeze(mark);
      const states = rest.rows.map(([places, rejected]) => ({ marks: places.map((place) => marks[place]), rejected }));
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
