// Marks above the image, in pixels of the screen, so that lines and names stay readable at every zoom and turn.

import { handlesOf } from "./moving.js";
import { isClosed, outlineOf, textOf } from "./shapes.js";

const SVG = "http://www.w3.org/2000/svg";
// Pixels of the screen: what the slider of a stack takes at the right, and a letter of a name at most on average.
const SLIDER = 36;
const LETTER = 8.2;

function made(name, facts, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(facts)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const screen = (viewport, [x, y]) => viewport.toScreen({ x, y });
const path = (points, closed) => `M${points.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}${closed ? "Z" : ""}`;

// One mark as SVG: its outline, its points where it is selected, its name with what was measured.
export function drawn(viewport, mark, { selected = false, owner = "own", marks = [], quiet = false, point = -1 } = {}) {
  const corners = outlineOf(mark).map((point) => screen(viewport, point));
  const group = made("g", { class: `mark ${owner}${selected ? " selected" : ""}`, "data-kind": mark.kind });
  if (mark.kind === "point") group.append(cross(corners[0]));
  else if (corners.length) group.append(made("path", { d: path(corners, isClosed(mark)) }));
  if (mark.kind === "morphometry" && corners.length === 6) {
    for (const n of [0, 1, 2]) group.append(made("path", { class: "height", d: path([corners[n], corners[5 - n]]) }));
  }
  if (selected || corners.length === 1) {
    handlesOf(mark).forEach((handle, n) => {
      const { x, y } = screen(viewport, handle);
      group.append(made("circle", { cx: x, cy: y, ...(n === point ? { r: 7, class: "chosen" } : { r: 4 }) }));
    });
  }
  if (!quiet && corners.length) group.append(named(viewport, corners, mark, marks, selected));
  return group;
}

const cross = ({ x, y }) => made("path", { d: `M${x - 7} ${y}H${x + 7}M${x} ${y - 7}V${y + 7}` });

// Beside the mark; where it would run out of the view, above it and as far to the left as it needs.
function named({ frame, host }, corners, mark, marks, selected) {
  const right = Math.max(...corners.map(({ x }) => x)) + 6;
  const top = Math.min(...corners.map(({ y }) => y));
  const measure = selected || mark.kind === "morphometry" || !mark.label ? textOf(mark, frame, marks) : "";
  const words = [mark.label, measure].filter(Boolean).join(" · ");
  const room = host.clientWidth - SLIDER - LETTER * words.length;
  const fits = right <= room;
  const text = made("text", fits ? { x: right, y: top + 4 } : { x: Math.max(4, room), y: Math.max(14, top - 8) });
  text.textContent = words;
  return text;
}

// A mark that is still being drawn: its points and the line to the pointer.
export function unfinished(viewport, points, pointer) {
  const corners = (pointer ? [...points, pointer] : points).map((point) => screen(viewport, point));
  const group = made("g", { class: "mark own selected unfinished" });
  if (corners.length > 1) group.append(made("path", { d: path(corners, false) }));
  points.forEach((_, n) => group.append(made("circle", { cx: corners[n].x, cy: corners[n].y, r: 4 })));
  return group;
}

// The edge of the brush; radius in image columns.
export function brushEdge(viewport, { x, y }, radius) {
  const [middle, side] = [viewport.toScreen({ x, y }), viewport.toScreen({ x: x + radius, y })];
  return made("circle", { class: "brush", cx: middle.x, cy: middle.y, r: Math.hypot(side.x - middle.x, side.y - middle.y) });
}
