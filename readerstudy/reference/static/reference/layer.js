// Marks above the image, in pixels of the screen, so that lines and names stay readable at every zoom and turn.

import { LINE, placed } from "./labels.js";
import { handlesOf } from "./moving.js";
import { boxOfRuns } from "./runs.js";
import { isClosed, outlineOf, textOf } from "./shapes.js";

const SVG = "http://www.w3.org/2000/svg";
// Pixels of the screen: what the slider of a stack takes at the right.
const SLIDER = 36;
const WEIGHT = "600";
const SIZE = 0.82;

function made(name, facts, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(facts)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const screen = (viewport, [x, y]) => viewport.toScreen({ x, y });
const path = (points, closed) => `M${points.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}${closed ? "Z" : ""}`;

// One mark as SVG: its outline, and its points where it is selected.
export function drawn(viewport, mark, { selected = false, owner = "own", point = -1 } = {}) {
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
  return group;
}

const cross = ({ x, y }) => made("path", { d: `M${x - 7} ${y}H${x + 7}M${x} ${y - 7}V${y + 7}` });

// What is said of a mark, and the box around it on the screen; null where there is nothing to say.
export function nameOn(viewport, mark, { selected = false, owner = "own", marks = [] } = {}) {
  const measure = selected || mark.kind === "morphometry" || !mark.label ? textOf(mark, viewport.frame, marks, { brief: !selected }) : "";
  const words = [mark.label, mark.kind === "mask" && !selected ? "" : measure].filter(Boolean).join(" · ");
  if (!words) return null;
  const corners = cornersOf(mark, viewport.frame).map((point) => screen(viewport, point));
  const [across, down] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  const box = { left: Math.min(...across), top: Math.min(...down), right: Math.max(...across), bottom: Math.max(...down) };
  return { words, owner, width: widthOf(words), ...box };
}

const boxes = new WeakMap();

function cornersOf(mark, { columns }) {
  if (mark.kind !== "mask") return outlineOf(mark);
  if (!boxes.has(mark)) boxes.set(mark, boxOfRuns(mark.runs, columns));
  const { left, top, right, bottom } = boxes.get(mark);
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
}

const pen = new OffscreenCanvas(1, 1).getContext("2d");

function widthOf(words) {
  pen.font = `${WEIGHT} ${SIZE * parseFloat(getComputedStyle(document.documentElement).fontSize)}px system-ui, sans-serif`;
  return Math.ceil(pen.measureText(words).width);
}

// The names of all marks of a view, none over another; one that stands far from its mark is tied to it.
export function named({ host }, names) {
  const view = { width: host.clientWidth - SLIDER, height: host.clientHeight };
  return placed(names, view).flatMap(({ words, owner, x, y, tie }) => {
    const text = made("text", { "data-owner": owner, x, y: y + LINE - 5 });
    text.textContent = words;
    return tie ? [made("path", { class: `tie ${owner}`, d: `M${tie[0]} ${tie[1]}L${tie[2]} ${tie[3]}` }), text] : [text];
  });
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

// Beside the pointer: which point a click gives.
export function nextPoint(viewport, { x, y }, words) {
  const at = viewport.toScreen({ x, y });
  const text = made("text", { class: "next", x: at.x + 12, y: at.y - 10 });
  text.textContent = words;
  return text;
}
