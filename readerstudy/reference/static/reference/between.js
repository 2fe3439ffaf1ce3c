// Marks for the slices between two slices on which the same thing was drawn.

import { boxOf, decode, encode } from "./runs.js";

const CORNERS = 64;
const mix = (one, other, share) => one.map((value, n) => value + (other[n] - value) * share);

const turnOf = (points) =>
  Math.sign(points.reduce((sum, [x, y], n) => {
    const [u, v] = points[(n + 1) % points.length];
    return sum + x * v - u * y;
  }, 0));

// Points at equal steps around a closed outline, from its first point on.
export function resampled(points, count) {
  const steps = points.map((point, n) => {
    const next = points[(n + 1) % points.length];
    return Math.hypot(next[0] - point[0], next[1] - point[1]);
  });
  const whole = steps.reduce((sum, step) => sum + step, 0);
  const found = [];
  let side = 0;
  let before = 0;
  for (let n = 0; n < count; n++) {
    const wanted = (whole * n) / count;
    while (side < steps.length - 1 && before + steps[side] <= wanted) before += steps[side++];
    const share = steps[side] ? (wanted - before) / steps[side] : 0;
    found.push(mix(points[side], points[(side + 1) % points.length], share));
  }
  return found;
}

// Both outlines with as many points, turning alike, each point opposite its nearest.
function matched(one, other) {
  const first = resampled(one, CORNERS);
  let second = resampled(other, CORNERS);
  if (turnOf(first) * turnOf(second) < 0) second = second.toReversed();
  const apart = (shift) =>
    first.reduce((sum, [x, y], n) => {
      const [u, v] = second[(n + shift) % CORNERS];
      return sum + (x - u) ** 2 + (y - v) ** 2;
    }, 0);
  let best = 0;
  for (let shift = 1; shift < CORNERS; shift++) if (apart(shift) < apart(best)) best = shift;
  return [first, first.map((_, n) => second[(n + best) % CORNERS])];
}

// Squared distances of one line, by the lower envelope of parabolas (Felzenszwalb and Huttenlocher, 2012).
function line(values, size) {
  const places = new Int32Array(size);
  const bounds = new Float64Array(size + 1);
  const meet = (p, q) => (values[q] + q * q - values[p] - p * p) / (2 * (q - p));
  let last = 0;
  bounds[0] = -Infinity;
  bounds[1] = Infinity;
  for (let q = 1; q < size; q++) {
    let at = meet(places[last], q);
    while (at <= bounds[last]) at = meet(places[--last], q);
    places[++last] = q;
    bounds[last] = at;
    bounds[last + 1] = Infinity;
  }
  const found = new Float64Array(size);
  for (let q = 0, n = 0; q < size; q++) {
    while (bounds[n + 1] < q) n++;
    found[q] = (q - places[n]) ** 2 + values[places[n]];
  }
  return found;
}

const apart = (one, other) => one.reduce((sum, [x, y], n) => sum + Math.hypot(x - other[n][0], y - other[n][1]), 0);

// A line has no first end, nor an angle a first arm: the one that lies nearer goes with the first.
function alike({ kind, points: one }, { points: other }) {
  const turned = other.toReversed();
  const either = kind === "line" || kind === "angle";
  return [one, either && apart(one, turned) < apart(one, other) ? turned : other];
}

const FAR = 1e12;

function squaredDistances(bitmap, value, rows, columns) {
  const field = Float64Array.from(bitmap, (pixel) => (pixel === value ? 0 : FAR));
  for (let x = 0; x < columns; x++) {
    const found = line(Float64Array.from({ length: rows }, (_, y) => field[y * columns + x]), rows);
    for (let y = 0; y < rows; y++) field[y * columns + x] = found[y];
  }
  for (let y = 0; y < rows; y++) field.set(line(field.slice(y * columns, (y + 1) * columns), columns), y * columns);
  return field;
}

// How far each pixel lies inside the shape (positive) or outside it.
function depths(bitmap, rows, columns) {
  const outside = squaredDistances(bitmap, 1, rows, columns);
  const inside = squaredDistances(bitmap, 0, rows, columns);
  return outside.map((value, n) => Math.sqrt(inside[n]) - Math.sqrt(value));
}

// Shape-based (Raya and Udupa, 1990): where the mean depth is positive.
function masksBetween(first, second, shares, { rows, columns }) {
  const bitmaps = [first, second].map((mark) => decode(mark.runs, rows * columns));
  const boxes = bitmaps.map((bitmap) => boxOf(bitmap, rows, columns));
  // One pixel around both, so that there is an outside.
  const left = Math.max(0, Math.min(...boxes.map((box) => box.left)) - 1);
  const top = Math.max(0, Math.min(...boxes.map((box) => box.top)) - 1);
  const wide = Math.min(columns, Math.max(...boxes.map((box) => box.right)) + 1) - left;
  const high = Math.min(rows, Math.max(...boxes.map((box) => box.bottom)) + 1) - top;
  const cut = (bitmap) => {
    const part = new Uint8Array(wide * high);
    for (let y = 0; y < high; y++) part.set(bitmap.subarray((y + top) * columns + left).subarray(0, wide), y * wide);
    return part;
  };
  const [one, other] = bitmaps.map((bitmap) => depths(cut(bitmap), high, wide));
  return shares.map((share) => {
    const whole = new Uint8Array(rows * columns);
    for (let n = 0; n < one.length; n++) {
      const inside = one[n] * (1 - share) + other[n] * share > 0;
      if (inside) whole[(Math.floor(n / wide) + top) * columns + left + (n % wide)] = 1;
    }
    return { points: [], runs: encode(whole) };
  });
}

// {points} or {points, runs} for each slice strictly between two marks of one kind; empty masks are left out by null.
export function between(first, second, size) {
  const gap = second.slice - first.slice;
  const shares = Array.from({ length: Math.max(0, gap - 1) }, (_, n) => (n + 1) / gap);
  if (first.kind === "mask") {
    return masksBetween(first, second, shares, size).map((found) => (found.runs.length > 1 ? found : null));
  }
  const outline = ["polygon", "freehand"].includes(first.kind);
  const [one, other] = outline ? matched(first.points, second.points) : alike(first, second);
  return shares.map((share) => ({ points: one.map((point, n) => mix(point, other[n], share)) }));
}
