// What lies on the images of a case, and everything that can be done to it; each command is one step of undo.

import { between } from "./between.js";
import { History } from "./history.js";
import { chainOf, EVERY_LEVEL, follow, fromTheHead } from "./levels.js";
import { handlesOf, inOrder, moved } from "./moving.js";
import { faultOf, uncrossed } from "./outlines.js";
import { isVertebra } from "./shapes.js";

const fresh = () => crypto.randomUUID().slice(0, 18);
const sameImage = (one, other) => one.series === other.series && one.slice === other.slice;
const rounded = (points) => points.map(([x, y]) => [Math.round(x * 1e4) / 1e4, Math.round(y * 1e4) / 1e4]);

// Vertebrae bear names of levels alone; what else was chosen as a name does not fit them.
export const fits = ({ kind }, label) => !label || !isVertebra({ kind }) || EVERY_LEVEL.includes(label);

// Masks of one name and vertebrae of one level stand once on an image.
const clashes = (one, other) =>
  one.key !== other.key &&
  sameImage(one, other) &&
  one.kind === other.kind &&
  one.label === other.label &&
  (one.kind === "mask" || (isVertebra(one) && one.label !== ""));

export class Board extends EventTarget {
  selected = "";
  // The point of the selected mark that keys move; below 0 the whole mark.
  point = -1;

  // frames(series, slice): the frame there, or undefined.
  constructor({ marks = [], rejected = [] }, { frames, proposed = [] }) {
    super();
    this.frames = frames;
    this.proposed = proposed;
    this.history = new History({ marks, rejected });
    this.history.addEventListener("changed", () => {
      if (!this.mark) Object.assign(this, { selected: "", point: -1 });
      this.dispatchEvent(new Event("changed"));
    });
  }

  get marks() {
    return this.history.state.marks;
  }

  get rejected() {
    return this.history.state.rejected;
  }

  get mark() {
    return this.marks.find(({ key }) => key === this.selected);
  }

  on(series, slice) {
    return this.marks.filter((mark) => mark.series === series && mark.slice === slice);
  }

  select(key) {
    if (this.selected === key) return;
    Object.assign(this, { selected: key, point: -1 });
    this.dispatchEvent(new Event("selected"));
  }

  // Marks of the model that the truther has neither kept nor rejected.
  get undecided() {
    const kept = new Set(this.marks.map(({ proposed }) => proposed));
    return this.proposed.filter(({ key }) => !kept.has(key) && !this.rejected.includes(key));
  }

  #become(change) {
    return this.history.change((state) => ({ ...state, ...change(state) }));
  }

  add(mark) {
    const key = fresh();
    const made = { label: "", ...mark, key, points: rounded(inOrder(mark)) };
    if (!fits(made, made.label)) made.label = "";
    if (isVertebra(made) && this.marks.some((other) => clashes(made, other))) made.label = "";
    this.#become(({ marks }) => ({ marks: [...marks.filter((other) => !clashes(made, other)), Object.freeze(made)] }));
    this.select(key);
    return made;
  }

  // A changed mark in the place of the one with its key.
  put(mark) {
    if (!this.marks.some(({ key }) => key === mark.key)) return null;
    const made = Object.freeze({ ...mark, points: rounded(inOrder(mark)) });
    this.#become(({ marks }) => ({ marks: marks.map((other) => (other.key === made.key ? made : other)) }));
    return made;
  }

  // The point with that number, or the next one round; below 0 is the whole mark.
  choosePoint(by) {
    const count = this.mark ? handlesOf(this.mark).length : 0;
    if (!count) return;
    this.point = ((this.point + 1 + by + count + 1) % (count + 1)) - 1;
    this.dispatchEvent(new Event("selected"));
  }

  // The chosen point of the selected mark, or all of it; the sentence why it cannot go there, or "".
  move(by) {
    const { mark, point } = this;
    if (!mark.points.length) return "A mask is changed with brush and eraser.";
    const there = { ...mark, points: moved(mark, point, by, this.frames(mark.series, mark.slice)) };
    const fault = faultOf(there);
    if (!fault) this.put(there);
    return fault;
  }

  // True where the name is free on that image.
  name(key, label) {
    const mark = this.marks.find((one) => one.key === key);
    if (!mark || mark.label === label) return true;
    const named = { ...mark, label };
    if (this.marks.some((other) => clashes(named, other))) return false;
    this.put(named);
    return true;
  }

  remove(key) {
    const mark = this.marks.find((one) => one.key === key);
    if (!mark) return;
    this.#become(({ marks, rejected }) => ({
      marks: marks.filter((one) => one !== mark),
      rejected: mark.proposed ? [...rejected, mark.proposed] : rejected,
    }));
  }

  // The same on another image of the series, in the place of what clashes with it there; null where there is no image.
  copy(key, slice) {
    const { key: _, proposed: __, ...mark } = this.marks.find((one) => one.key === key) ?? {};
    const [here, there] = [this.frames(mark.series, mark.slice), this.frames(mark.series, slice)];
    if (!mark.kind || !there || here.rows !== there.rows || here.columns !== there.columns) return null;
    const made = Object.freeze({ ...mark, slice, key: fresh() });
    this.#become(({ marks }) => ({ marks: [...marks.filter((other) => !clashes(made, other)), made] }));
    this.select(made.key);
    return made;
  }

  // Fills the slices between those on which the same thing was drawn; how many marks were made.
  interpolate(key) {
    const mark = this.marks.find((one) => one.key === key);
    if (!mark) return 0;
    const same = this.marks
      .filter((one) => one.kind === mark.kind && one.label === mark.label && one.series === mark.series)
      .toSorted((one, other) => one.slice - other.slice);
    const made = same.slice(1).flatMap((next, n) => this.#between(same[n], next));
    if (made.length) this.#become(({ marks }) => ({ marks: [...marks, ...made] }));
    return made.length;
  }

  #between(first, second) {
    const { series, kind, label } = first;
    const outline = ["polygon", "freehand"].includes(kind);
    const size = this.frames(series, first.slice);
    const others = Array.from({ length: second.slice - first.slice }, (_, n) => this.frames(series, first.slice + n + 1));
    if (others.length < 2 || others.some(({ rows, columns }) => rows !== size.rows || columns !== size.columns)) return [];
    if (!outline && first.points.length !== second.points.length) return [];
    return between(first, second, size).flatMap((found, n) => {
      if (!found) return [];
      const points = outline ? uncrossed(found.points) : rounded(found.points);
      if (outline && points.length < 3) return [];
      if (faultOf({ kind, points })) return [];
      return [Object.freeze({ series, kind, label, ...found, points, slice: first.slice + n + 1, key: fresh() })];
    });
  }

  // Names all vertebrae of the image from the one that has a name; false where the chain does not reach.
  chain(key, counts) {
    const mark = this.marks.find((one) => one.key === key);
    if (!mark?.label || !isVertebra(mark)) return false;
    const row = fromTheHead(
      this.on(mark.series, mark.slice).filter(({ kind }) => kind === mark.kind),
      this.frames(mark.series, mark.slice),
    );
    const names = follow(row.length, row.indexOf(mark), mark.label, chainOf(counts));
    if (!names) return false;
    const named = new Map(row.map((one, n) => [one, Object.freeze({ ...one, label: names[n] })]));
    this.#become(({ marks }) => ({ marks: marks.map((one) => named.get(one) ?? one) }));
    return true;
  }

  accept(key) {
    const found = this.undecided.find((one) => one.key === key);
    if (!found) return null;
    const made = Object.freeze({ ...found, key: fresh(), proposed: found.key });
    this.#become(({ marks }) => ({ marks: [...marks.filter((other) => !clashes(made, other)), made] }));
    this.select(made.key);
    return made;
  }

  acceptAll() {
    const made = this.undecided.map((found) => Object.freeze({ ...found, key: fresh(), proposed: found.key }));
    const free = (other) => !made.some((one) => clashes(one, other));
    if (made.length) this.#become(({ marks }) => ({ marks: [...marks.filter(free), ...made] }));
  }

  reject(key) {
    if (!this.undecided.some((one) => one.key === key)) return;
    this.#become(({ rejected }) => ({ rejected: [...rejected, key] }));
  }

  // Other truthers' marks, taken over by the adjudicator in the place of what clashes with them.
  take(marks) {
    const made = marks.map(({ proposed: _, ...mark }) => Object.freeze({ ...mark, key: fresh() }));
    const free = (other) => !made.some((one) => clashes(one, other));
    if (made.length) this.#become(({ marks: before }) => ({ marks: [...before.filter(free), ...made] }));
    if (made.length === 1) this.select(made[0].key);
  }
}
