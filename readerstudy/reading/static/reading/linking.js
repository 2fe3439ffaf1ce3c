// What viewports do together: scroll and window with those of their plane, lines where the others cut, one place in all.

import { made } from "./fields.js";
import { cutLine, imagePoint, isPlaced, nearestSlice, onePlane, patientPoint } from "./geometry.js";

const middleOf = (frame) => patientPoint(frame, { x: frame.columns / 2, y: frame.rows / 2 });
const others = (from, panes) => panes.filter((pane) => pane !== from && pane.series);
// Places can be compared in one frame of reference alone; where a file does not say, one is taken for granted.
const near = (from, panes) => others(from, panes).filter((pane) => oneSpace(stackOf(from), stackOf(pane)));
export const oneSpace = (one, other) => !one.space || !other.space || one.space === other.space;

// The others of the plane show the image nearest to this one in the patient, where they have one there.
export function scrollWith(from, panes) {
  const frame = from.wanted;
  for (const pane of near(from, panes)) {
    if (!onePlane(frame, pane.wanted)) continue;
    const index = nearestSlice(pane.series.frames, middleOf(frame));
    if (index !== null && index !== pane.index) pane.go(index, true);
  }
}

// The planes made of one stack have one window.
export const stackOf = ({ series }) => series.source?.series ?? series;

// Where the units are the same so is the window; else, and where the study hangs each in one of its own, it moves in
// proportion to that in which each came up.
export function windowFor(from, pane) {
  // A look-up table belongs to its series.
  if (stackOf(from) === stackOf(pane)) return from.window;
  const unit = from.series.unit && from.series.unit === pane.series.unit && !from.firstWindow && !pane.firstWindow;
  const [own, theirs] = [from, pane].map(({ firstWindow, wanted }) => firstWindow ?? wanted.window);
  const { center, width, shape } = from.window;
  if (unit || (own.center === theirs.center && own.width === theirs.width)) return { center, width, shape };
  const share = theirs.width / own.width;
  return { center: theirs.center + (center - own.center) * share, width: width * share, shape };
}

export function windowWith(from, panes, hurried) {
  for (const pane of others(from, panes)) {
    const together = stackOf(from) === stackOf(pane) || onePlane(from.wanted, pane.wanted);
    if (together) pane.setWindow(windowFor(from, pane), { hurried, quiet: true });
  }
}

// Everybody else shows the place that was pointed at.
export function locate(from, point, panes) {
  if (!isPlaced(from.frame)) return;
  const at = patientPoint(from.frame, point);
  for (const pane of near(from, panes)) {
    const index = nearestSlice(pane.series.frames, at);
    if (index !== null) pane.go(index, true);
    pane.located = at;
  }
  from.located = at;
}

const line = (from, to, className) => made("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: className });

// Lines of the other viewports' planes, and the place that was pointed at where one plane is seen twice.
export function drawCuts(pane, panes, layer) {
  const lines = [];
  for (const other of near(pane, panes)) {
    if (!other.frame || !pane.frame) continue;
    const ends = cutLine(pane.frame, other.frame);
    if (ends) lines.push(line(...ends.map((end) => pane.toScreen(end)), `cut cut-${panes.indexOf(other)}`));
  }
  if (!lines.length && pane.located && isPlaced(pane.frame)) {
    const { x, y } = pane.toScreen(imagePoint(pane.frame, pane.located));
    lines.push(line({ x: x - 12, y }, { x: x + 12, y }, "cut"), line({ x, y: y - 12 }, { x, y: y + 12 }, "cut"));
  }
  layer.replaceChildren(...lines);
}
