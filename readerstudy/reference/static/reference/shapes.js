// Kinds of marks: how many points they take, how they are measured, where a pointer meets them. Points are [x, y].

import { gradeOf, heightsOf } from "./morphometry.js";
import { neighboursOf } from "./levels.js";
import { areaOf } from "./outlines.js";
import { setPixels } from "./runs.js";
import { say } from "./words.js";

// How a kind is drawn: by a press, a drag from corner to corner, a path, point by point, or with the brush.
export const KINDS = {
  point: { draws: "press", points: 1 },
  box: { draws: "drag", points: 2 },
  ellipse: { draws: "drag", points: 2 },
  line: { draws: "drag", points: 2 },
  freehand: { draws: "path", closed: true },
  polygon: { draws: "steps", closed: true },
  angle: { draws: "steps", points: 3 },
  vertebra: { draws: "steps", points: 4, closed: true },
  morphometry: { draws: "steps", points: 6, closed: true },
  mask: { draws: "brush" },
};
export const KIND_NAMES = {
  point: "Point",
  box: "Box",
  ellipse: "Ellipse",
  line: "Line",
  freehand: "Free hand",
  polygon: "Polygon",
  angle: "Angle",
  vertebra: "Vertebra, four corners",
  morphometry: "Vertebra, six points",
  mask: "Mask",
};
export const isVertebra = ({ kind }) => kind === "vertebra" || kind === "morphometry";

const ELLIPSE_SIDES = 48;

// The corners between which lines are drawn, in image points; the last joins the first where the kind is closed.
export function outlineOf({ kind, points }) {
  if (points.length < 2 || (kind !== "box" && kind !== "ellipse")) return points;
  const [[x, y], [u, v]] = points;
  if (kind === "box") return [[x, y], [u, y], [u, v], [x, v]];
  return Array.from({ length: ELLIPSE_SIDES }, (_, n) => {
    const turn = (2 * Math.PI * n) / ELLIPSE_SIDES;
    return [(x + u) / 2 + (Math.cos(turn) * (u - x)) / 2, (y + v) / 2 + (Math.sin(turn) * (v - y)) / 2];
  });
}

export const isClosed = ({ kind }) => Boolean(KINDS[kind].closed) || kind === "box" || kind === "ellipse";

export function contains(corners, [x, y]) {
  let inside = false;
  corners.forEach(([a, b], n) => {
    const [c, d] = corners[(n + 1) % corners.length];
    if (b > y !== d > y && x < a + ((c - a) * (y - b)) / (d - b)) inside = !inside;
  });
  return inside;
}

export function distanceToSide([x, y], [a, b], [c, d]) {
  const long = (c - a) ** 2 + (d - b) ** 2;
  const along = long ? Math.max(0, Math.min(1, ((x - a) * (c - a) + (y - b) * (d - b)) / long)) : 0;
  return Math.hypot(x - a - along * (c - a), y - b - along * (d - b));
}

function degreesOf(points, [rowGap, columnGap]) {
  const [one, corner, other] = points.map(([x, y]) => [x * columnGap, y * rowGap]);
  const turn = ([x, y]) => Math.atan2(y - corner[1], x - corner[0]);
  const between = Math.abs(turn(one) - turn(other));
  return (Math.min(between, 2 * Math.PI - between) * 180) / Math.PI;
}

const scaleOf = (frame) => (frame.calibrated && frame.spacing) || [1, 1];
export const unitOf = (frame) => (frame.calibrated && frame.spacing ? "mm" : "px");

// What the page shows beside a mark; the server works it out again. marks: all of them, for a vertebra's neighbours.
export function measureOf(mark, frame, marks = []) {
  const scale = scaleOf(frame);
  const [rowGap, columnGap] = scale;
  const { kind, points } = mark;
  if (kind === "mask") return { area: setPixels(mark.runs) * rowGap * columnGap };
  if (kind === "line") {
    return { length: Math.hypot((points[1][0] - points[0][0]) * columnGap, (points[1][1] - points[0][1]) * rowGap) };
  }
  if (kind === "angle") return { degrees: degreesOf(points, scale) };
  if (kind === "morphometry") {
    const heights = heightsOf(points, scale);
    const near = mark.label ? neighboursOf(mark.label, behindOf(marks, mark.series, scale)) : null;
    return { heights, grade: gradeOf(heights, near) };
  }
  if (kind === "ellipse") {
    const [[x, y], [u, v]] = points;
    return { area: (Math.PI / 4) * Math.abs((u - x) * (v - y)) * rowGap * columnGap };
  }
  return kind === "point" ? {} : { area: areaOf(outlineOf(mark)) * rowGap * columnGap };
}

// Mean posterior height by level.
function behindOf(marks, series, scale) {
  const found = Map.groupBy(
    marks.filter((mark) => mark.kind === "morphometry" && mark.series === series && mark.label),
    (mark) => mark.label,
  );
  const mean = (same) => same.reduce((sum, { points }) => sum + heightsOf(points, scale).posterior, 0) / same.length;
  return new Map([...found].map(([level, same]) => [level, mean(same)]));
}

const short = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(1));

// brief: without the heights, which stand in the table of the column.
export function textOf(mark, frame, marks = [], { brief = false } = {}) {
  const found = measureOf(mark, frame, marks);
  const unit = unitOf(frame);
  if (found.heights) {
    const { anterior, middle, posterior } = found.heights;
    const { grade } = found;
    const said = grade ? [`Genant ${grade.grade}`, grade.kind && `${Math.round(100 * grade.loss)} % ${say(grade.kind)}`] : [];
    const heights = brief ? "" : `Ha ${short(anterior)} Hm ${short(middle)} Hp ${short(posterior)} ${unit}`;
    return [said.filter(Boolean).join(", "), heights].filter(Boolean).join(" · ");
  }
  if (found.length !== undefined) return `${short(found.length)} ${unit}`;
  if (found.degrees !== undefined) return `${found.degrees.toFixed(1)}°`;
  if (found.area !== undefined) return `${short(found.area)} ${unit}²`;
  return "";
}

// Fewer points of a path that was drawn by hand: none within `least` of the one before.
export function thinned(points, least) {
  const kept = [points[0]];
  for (const point of points) {
    const [x, y] = kept.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) >= least) kept.push(point);
  }
  return kept;
}
