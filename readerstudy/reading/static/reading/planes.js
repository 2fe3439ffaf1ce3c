// Where series hang and in which plane: orthogonal planes through an evenly spaced stack, sampled from its frames as they
// arrive, without a copy of them.

import { alongRow, cross, dot, downColumn, isPlaced, less, normalOf } from "./geometry.js";
import { say } from "./say.js";

const LEAST_SLICES = 8;
// Of the gap between two slices: what they may be off the even stack before lines in the planes would be false.
const UNEVEN = 0.05;
const ANNOUNCE_EVERY = 250;
const RETRY_AFTER = 3000;
const KEPT_PLANES = 6;
// By the axis that a plane is looked at along: what lies to the right on the screen, what below.
const PLANES = [
  { plane: "sagittal", right: [0, 1, 0], below: [0, 0, -1] },
  { plane: "coronal", right: [1, 0, 0], below: [0, 0, -1] },
  { plane: "axial", right: [1, 0, 0], below: [0, 1, 0] },
];

const largest = (direction, free) => free.reduce((best, axis) => (Math.abs(direction[axis]) > Math.abs(direction[best]) ? axis : best));

function alike(one, other) {
  const facts = ({ rows, columns, slope, intercept, inverted }) => [rows, columns, slope, intercept, inverted].join();
  const even = [...one.orientation, ...one.spacing].every((value, n) => Math.abs(value - [...other.orientation, ...other.spacing][n]) < 1e-3);
  return even && facts(one) === facts(other);
}

// The step from one slice to the next, or null where the frames are no even stack.
function stepOf(frames) {
  const [first] = frames;
  if (frames.length < LEAST_SLICES || !frames.every((frame) => isPlaced(frame) && alike(first, frame))) return null;
  const step = less(frames.at(-1).position, first.position).map((value) => value / (frames.length - 1));
  const gap = Math.hypot(...step);
  if (!gap || Math.hypot(...cross(step, normalOf(first))) > UNEVEN * gap) return null;
  const off = frames.map((frame, n) => Math.hypot(...less(frame.position, first.position).map((value, axis) => value - n * step[axis])));
  return Math.max(...off) > UNEVEN * gap ? null : step;
}

const judged = new WeakMap();

export function hasPlanes(series) {
  if (!series || series.source) return false;
  if (!judged.has(series)) judged.set(series, Boolean(stepOf(series.frames)));
  return judged.get(series);
}

// The values of a plane, each at a column, row and slice of the stack that it is made of.
function sampled({ rows, columns, cut: { across, down, through, at } }, Values, valueAt) {
  const values = new Values(rows * columns);
  const place = [0, 0, 0];
  place[through] = at;
  for (let y = 0, p = 0; y < rows; y++) {
    place[down.axis] = down.back ? rows - 1 - y : y;
    for (let x = 0; x < columns; x++) {
      place[across.axis] = across.back ? columns - 1 - x : x;
      values[p++] = valueAt(place[0], place[1], place[2]);
    }
  }
  return values;
}

// What lies over slices of the stack, on a plane made of it: grey pictures, of whatever size, each with its slice.
export function pictureOn(frame, pictures) {
  const [{ rows, columns }] = frame.cut.stack;
  const nothing = { grey: [0] };
  const lying = [];
  for (const one of pictures) lying[one.slice] = one;
  const grey = sampled(frame, Uint8Array, (x, y, slice) => {
    const { width, height, grey } = lying[slice] ?? nothing;
    return grey[width ? Math.floor(((y + 0.5) * height) / rows) * width + Math.floor(((x + 0.5) * width) / columns) : 0];
  });
  return { width: frame.columns, height: frame.rows, grey };
}

// An outline on one slice, where it meets a plane: the corners of a bar as thick as the slice, or none.
export function outlineOn({ rows, columns, cut: { across, down, through, at } }, { points, slice }) {
  const free = 1 - through;
  const met = points.flatMap((one, n) => {
    const other = points.at(n - 1);
    const share = (at + 0.5 - one[through]) / (other[through] - one[through]);
    return share >= 0 && share <= 1 ? one[free] + share * (other[free] - one[free]) : [];
  });
  if (!met.length) return [];
  const [from, to] = [Math.min(...met), Math.max(...met)];
  return [[from, slice], [to, slice], [to, slice + 1], [from, slice + 1]].map(([along, deep]) => {
    const place = { [free]: along, 2: deep };
    const [x, y] = [place[across.axis], place[down.axis]];
    return [across.back ? columns - x : x, down.back ? rows - y : y];
  });
}

export class Volume extends EventTarget {
  // Its case is no longer shown.
  dropped = false;
  #axes;
  #slices;
  #missing;
  #announced = 0;
  #planes = new Map();

  // The axes of the stack: along a row, down a column, from slice to slice.
  constructor(series, store) {
    super();
    const [first] = series.frames;
    const step = stepOf(series.frames);
    const gap = Math.hypot(...step);
    this.series = series;
    this.#axes = [
      { direction: alongRow(first), gap: first.spacing[1], count: first.columns },
      { direction: downColumn(first), gap: first.spacing[0], count: first.rows },
      { direction: step.map((value) => value / gap), gap, count: series.frames.length },
    ];
    this.#slices = new Array(series.frames.length);
    this.#missing = series.frames.length;
    this.acquired = PLANES[largest(this.#axes[2].direction, [0, 1, 2])].plane;
    this.#load(store);
  }

  #load(store) {
    const middle = (this.#slices.length - 1) >> 1;
    this.series.frames.forEach((_, n) => this.#fetch(store, n, 1 - Math.abs(n - middle)));
  }

  // A slice that could not be fetched is asked for again: without it no plane would ever be complete.
  #fetch(store, n, urgency) {
    const again = () => setTimeout(() => this.dropped || this.#fetch(store, n, urgency), RETRY_AFTER);
    store.load(this.series.frames[n], urgency).then((levels) => this.#arrived(n, levels[0].pixels), again);
  }

  #arrived(n, pixels) {
    this.#slices[n] = pixels;
    this.#missing--;
    const now = performance.now();
    if (this.#missing && now - this.#announced < ANNOUNCE_EVERY) return;
    this.#announced = now;
    this.#planes.clear();
    this.dispatchEvent(new Event("grown"));
  }

  get whole() {
    return this.#missing === 0;
  }

  // The stack itself, or another plane as a series whose frames this volume makes when they are asked for.
  inPlane(name) {
    return name === this.acquired ? this.series : this.#seriesAlong(PLANES.findIndex(({ plane }) => plane === name));
  }

  get others() {
    return PLANES.filter(({ plane }) => plane !== this.acquired).map(({ plane }) => this.inPlane(plane));
  }

  // Which axis of the stack runs along a direction of the patient, and whether the other way round.
  #axisAlong(direction) {
    const along = this.#axes.map((axis) => dot(axis.direction, direction));
    const axis = largest(along, [0, 1, 2]);
    return { axis, back: along[axis] < 0 };
  }

  #seriesAlong(patientAxis) {
    const { plane, right, below } = PLANES[patientAxis];
    const [across, down] = [this.#axisAlong(right), this.#axisAlong(below)];
    const through = this.#axisAlong([0, 1, 2].map((axis) => Number(axis === patientAxis)));
    const { count } = this.#axes[through.axis];
    const frames = Array.from({ length: count }, (_, n) => this.#frame(plane, across, down, through, n));
    return { ...this.series, plane, frames, source: this };
  }

  #frame(plane, across, down, through, n) {
    const middle = this.series.frames[(this.series.frames.length - 1) >> 1];
    const at = through.back ? this.#axes[through.axis].count - 1 - n : n;
    const [x, y] = [across, down].map(({ axis }) => this.#axes[axis]);
    let { position } = this.series.frames[0];
    const move = ({ direction, gap }, steps) => (position = position.map((value, k) => value + steps * gap * direction[k]));
    move(this.#axes[through.axis], at);
    if (across.back) move(x, x.count - 1);
    if (down.back) move(y, y.count - 1);
    const directed = ({ direction }, back) => direction.map((value) => (back ? -value : value));
    return {
      ...middle,
      url: `${this.series.frames[0].url}#${plane}-${n}`,
      preview: null,
      rows: y.count,
      columns: x.count,
      spacing: [y.gap, x.gap],
      position,
      orientation: [...directed(x, across.back), ...directed(y, down.back)],
      cut: { plane, across, down, through: through.axis, at, position: n + 1, stack: this.series.frames },
    };
  }

  peek(frame) {
    const known = this.#planes.get(frame.url);
    if (known) return known;
    const width = this.#axes[0].count;
    const pixels = sampled(frame, Uint16Array, (x, y, slice) => this.#slices[slice]?.[y * width + x] ?? 0);
    const levels = [{ pixels, rows: frame.rows, columns: frame.columns, scale: 1 }];
    levels.partial = !this.whole;
    if (this.#planes.size >= KEPT_PLANES) this.#planes.delete(this.#planes.keys().next().value);
    this.#planes.set(frame.url, levels);
    return levels;
  }
}

// The hanging rule of a study: which series of a case hangs where, in which plane and first window. It comes with the case:
//
//   { "rows": 1, "columns": 2, "cells": [{ "series": "T1W", "plane": "sagittal", "window": "bone" }, …] }
//
// Cells fill the grid row by row. A cell takes the first series whose label begins like its own and that hangs nowhere yet,
// one of its plane before others; another plane than the series' own is made from the stack where that is even. The window
// is one of the series' presets by name, or centre and width as 50/400; plane and window may be empty. A cell whose series
// the case lacks keeps its place, empty. Without a rule, or where no cell finds its series, up to four hang in their order.

const MOST_VIEWS = 4;

const begins = (text, start) => text.toLowerCase().startsWith(start.toLowerCase());

function seriesFor({ series: name, plane = "" }, series, hung) {
  const named = series.filter((one) => begins(one.label ?? "", name));
  const ofPlane = named.filter((one) => !plane || one.plane === plane);
  return ofPlane.find((one) => !hung.has(one)) ?? named.find((one) => plane && hasPlanes(one)) ?? ofPlane[0];
}

function windowOf(text, { presets }) {
  const [center, width] = text.split("/").map(Number);
  return width > 0 ? { center, width, shape: "linear" } : presets.find(({ label }) => begins(label, text));
}

// What hangs in each place: { series, plane, window }; plane where it is another than the series' own. Or what is lacking.
export function hang(series, rule) {
  const hung = new Set();
  const views = (rule?.cells ?? []).map((cell) => {
    const found = seriesFor(cell, series, hung);
    if (!found) return { lacks: `${cell.series} ${cell.plane ? say(cell.plane) : ""}`.trim() };
    hung.add(found);
    const window = cell.window ? windowOf(cell.window, found) : undefined;
    return { series: found, plane: cell.plane !== found.plane && cell.plane, window };
  });
  return hung.size ? views : series.slice(0, MOST_VIEWS).map((one) => ({ series: one }));
}

export const columnsOf = (count, rule) => Math.min(count, rule?.columns ?? 2);
