// What lies on the images of a case, and everything that can be done to it; each command is one step of undo.

import { between } from "./between.js";
import { History } from "./history.js";
import { chainOf, EVERY_LEVEL, follow, vertebraeOf } from "./levels.js";
import { handlesOf, inOrder, moved } from "./moving.js";
import { faultOf, uncrossed } from "./outlines.js";
import { boxOfRuns } from "./runs.js";
import { isVertebra } from "./shapes.js";

const fresh = () => crypto.randomUUID().slice(0, 18);
const sameImage = (one, other) => one.series === other.series && one.slice === other.slice;
const rounded = (points) => points.map(([x, y]) => [Math.round(x * 1e4) / 1e4, Math.round(y * 1e4) / 1e4]);

// Vertebrae bear names of levels alone; what else was chosen as a name does not fit them.
export const fits = ({ kind }, label) => !label || !isVertebra({ kind }) || EVERY_LEVEL.includes(label);

// Of the points, or of the box around a mask.
function middleOf({ points, runs }, columns) {
  if (!points.length) {
    const { left, top, right, bottom } = boxOfRuns(runs, columns);
    return [(left + right) / 2, (top + bottom) / 2];
  }
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}

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

  // Those that the truther has rejected.
  get refused() {
    return this.proposed.filter(({ key }) => this.rejected.includes(key));
  }

  // "accepted" or "edited" of what a model had proposed.
  became({ proposed, ...mark }) {
    const offered = proposed && this.proposed.find(({ key }) => key === proposed);
    if (!offered) return "";
    const same = ["kind", "series", "slice", "label", "points", "runs"].every((name) => `${mark[name]}` === `${offered[name]}`);
    return same ? "accepted" : "edited";
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
    const trail = [...this.#trail(mark, -1).toReversed(), mark, ...this.#trail(mark, 1)];
    const made = trail.slice(1).flatMap((next, n) => this.#between(trail[n], next));
    if (made.length) this.#become(({ marks }) => ({ marks: [...marks, ...made] }));
    return made.length;
  }

  // The same thing on the slices before or after, nearest first; of several of one name the one that lies nearest.
  #trail(mark, way) {
    const { series, kind, label } = mark;
    const same = this.marks.filter((one) => one.series === series && one.kind === kind && one.label === label);
    const further = same.filter(({ slice }) => (slice - mark.slice) * way > 0);
    if (!further.length) return [];
    const slice = further.map((one) => one.slice).reduce((one, other) => (way * (one - other) < 0 ? one : other));
    const { columns } = this.frames(series, mark.slice);
    const [x, y] = middleOf(mark, columns);
    const apart = (one) => Math.hypot(middleOf(one, columns)[0] - x, middleOf(one, columns)[1] - y);
    const next = further.filter((one) => one.slice === slice).reduce((one, other) => (apart(other) < apart(one) ? other : one));
    return [next, ...this.#trail(next, way)];
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

  // Names all vertebrae of the series from the one that has a name; the first and last name and how many images bear them,
  // or null where the chain does not reach. Images without a place in the patient are each on their own.
  chain(key, counts) {
    const mark = this.marks.find((one) => one.key === key);
    if (!mark?.label || !isVertebra(mark)) return null;
    const frameOf = (slice) => this.frames(mark.series, slice);
    const placed = Boolean(frameOf(mark.slice)?.position);
    const marks = this.marks.filter(
      (one) => isVertebra(one) && one.series === mark.series && (placed ? frameOf(one.slice)?.position : one.slice === mark.slice),
    );
    const row = vertebraeOf(marks, frameOf);
    const at = row.findIndex((body) => body.includes(mark));
    const names = follow(row.length, at, mark.label, chainOf(counts));
    if (!names) return null;
    const named = new Map(row.flatMap((body, n) => body.map((one) => [one, Object.freeze({ ...one, label: names[n] })])));
    this.#become(({ marks: before }) => ({ marks: before.map((one) => named.get(one) ?? one) }));
    return { first: names[0], last: names.at(-1), images: new Set(marks.map(({ slice }) => slice)).size };
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

  rejectAll() {
    const keys = this.undecided.map(({ key }) => key);
    if (keys.length) this.#become(({ rejected }) => ({ rejected: [...rejected, ...keys] }));
  }

  offerAgain() {
    const keys = new Set(this.refused.map(({ key }) => key));
    if (keys.size) this.#become(({ rejected }) => ({ rejected: rejected.filter((key) => !keys.has(key)) }));
  }

  // Other truthers' marks, taken over by the adjudicator in the place of what clashes with them. What came from the model
  // still does, once.
  take(marks) {
    const undecided = new Set(this.undecided.map(({ key }) => key));
    const made = marks.map(({ proposed, ...mark }) =>
      Object.freeze({ ...mark, ...(undecided.delete(proposed) ? { proposed } : {}), key: fresh() }),
    );
    const free = (other) => !made.some((one) => clashes(one, other));
    if (made.length) this.#become(({ marks: before }) => ({ marks: [...before.filter(free), ...made] }));
    if (made.length === 1) this.select(made[0].key);
  }
}
