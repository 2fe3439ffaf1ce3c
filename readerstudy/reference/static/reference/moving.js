// Moving a mark or one of its points, by the pointer or by keys; nothing leaves the image. Points are [x, y]; pure.

import { SIX_POINTS } from "./morphometry.js";

const ROOMY = ["box", "ellipse"];
const FOUR_POINTS = ["anterior superior", "posterior superior", "posterior inferior", "anterior inferior"];
const clamp = (value, most) => Math.max(0, Math.min(most, value));

export const within = ([x, y], { columns, rows }) => [clamp(x, columns), clamp(y, rows)];
export const isWithin = ([x, y], { columns, rows }) => x >= 0 && y >= 0 && x <= columns && y <= rows;

// What can be taken up: of boxes and ellipses all four corners, else the points.
export function handlesOf({ kind, points }) {
  if (!ROOMY.includes(kind)) return points;
  const [[x, y], [u, v]] = points;
  return [[x, y], [u, y], [u, v], [x, v]];
}

// Boxes and ellipses have their upper left corner first, whichever way they were drawn.
export function inOrder({ kind, points }) {
  if (!ROOMY.includes(kind)) return points;
  const [[x, y], [u, v]] = points;
  return [[Math.min(x, u), Math.min(y, v)], [Math.max(x, u), Math.max(y, v)]];
}

// The points after one handle was moved, or after all were where `at` is below 0; a shape keeps its form at the edge.
export function moved(mark, at, [dx, dy], frame) {
  const { kind, points } = mark;
  if (at < 0) {
    const room = (axis, by, most) => {
      const values = points.map((point) => point[axis]);
      return Math.max(-Math.min(...values), Math.min(most - Math.max(...values), by));
    };
    const [right, down] = [room(0, dx, frame.columns), room(1, dy, frame.rows)];
    return points.map(([x, y]) => [x + right, y + down]);
  }
  const [x, y] = handlesOf(mark)[at];
  const [u, v] = within([x + dx, y + dy], frame);
  if (!ROOMY.includes(kind)) return points.with(at, [u, v]);
  const [first, second] = points;
  const [left, right] = at === 0 || at === 3 ? [u, second[0]] : [first[0], u];
  const [top, bottom] = at < 2 ? [v, second[1]] : [first[1], v];
  return [[left, top], [right, bottom]];
}

// What a point of a vertebra is called; empty where points are only numbered.
export const nameOf = ({ kind }, at) => ({ vertebra: FOUR_POINTS, morphometry: SIX_POINTS })[kind]?.[at] ?? "";
