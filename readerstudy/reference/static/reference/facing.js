// Whether a vertebra's points were taken in an order that contradicts how the image lies in the patient. Pure.

import { isVertebra } from "./shapes.js";

// Millimetres, or pixels where only the sides of the image are known: less says nothing.
const LEAST = 2;
// Which points stand in front, behind, above and below.
const CORNERS = { vertebra: { front: [0, 3], back: [1, 2], top: [0, 1], bottom: [2, 3] }, morphometry: { front: [0, 5], back: [2, 3], top: [0, 1, 2], bottom: [3, 4, 5] } };
const SIDES = { P: [1, 0], A: [-1, 0], H: [0, 1], F: [0, -1] };

// How far one goes to the back and to the head along a row and down a column; null where nobody knows.
function directions({ orientation, spacing, letters }) {
  if (orientation) {
    const [rowGap, columnGap] = spacing ?? [1, 1];
    const [, rowBack, rowHead, , columnBack, columnHead] = orientation;
    return [[rowBack * columnGap, rowHead * columnGap], [columnBack * rowGap, columnHead * rowGap]];
  }
  return letters ? letters.map((letter) => SIDES[letter[0]] ?? [0, 0]) : null;
}

export function isTurned(mark, frame) {
  const known = isVertebra(mark) && directions(frame);
  if (!known) return false;
  const { front, back, top, bottom } = CORNERS[mark.kind];
  const mean = (corners, axis) => corners.reduce((sum, n) => sum + mark.points[n][axis], 0) / corners.length;
  const apart = (from, to, side) => known.reduce((sum, along, axis) => sum + (mean(to, axis) - mean(from, axis)) * along[side], 0);
  return apart(front, back, 0) < -LEAST || apart(bottom, top, 1) < -LEAST;
}
