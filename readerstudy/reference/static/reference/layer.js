// Marks above the image, in pixels of the screen, so that lines and names stay readable at every zoom and turn.

import { isClosed, outlineOf, textOf } from "./shapes.js";

const SVG = "http://www.w3.org/2000/svg";

function made(name, facts, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(facts)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const screen = (viewport, [x, y]) => viewport.toScreen({ x, y });
const path = (points, closed) => `M${points.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}${closed ? "Z" : ""}`;

// One mark as SVG: its outline, its points where it is selected, its name with what was measured.
export function drawn(viewport, mark, { selected = false, owner = "own", marks = [], quiet = false } = {}) {
  const corners = outlineOf(mark).map((point) => screen(viewport, point));
  const group = made("g", { class: `mark ${owner}${selected ? " selected" : ""}`, "data-kind": mark.kind });
  if (mark.kind === "point") group.append(cross(corners[0]));
  else if (corners.length) group.append(made("path", { d: path(corners, isClosed(mark)) }));
  if (mark.kind === "morphometry" && corners.length === 6) {
    for (const n of [0, 1, 2]) group.append(made("path", { class: "height", d: path([corners[n], corners[5 - n]]) }));
  }
  if (selected || corners.length === 1) {
    for (const { x, y } of mark.points.map((point) => screen(viewport, point))) group.append(made("circle", { cx: x, cy: y, r: 4 }));
  }
  if (!quiet && corners.length) group.append(named(corners, mark, viewport.frame, marks, selected));
  return group;
}

const cross = ({ x, y }) => made("path", { d: `M${x - 7} ${y}H${x + 7}M${x} ${y - 7}V${y + 7}` });

function named(corners, mark, frame, marks, selected) {
  const right = Math.max(...corners.map(({ x }) => x));
  const top = Math.min(...corners.map(({ y }) => y));
  const measure = selected || mark.kind === "morphometry" || !mark.label ? textOf(mark, frame, marks) : "";
  const text = made("text", { x: right + 6, y: top + 4 });
  text.textContent = [mark.label, measure].filter(Boolean).join(" · ");
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
