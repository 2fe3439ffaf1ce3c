// Outlines that cross themselves have no area that everybody would count alike: how they are found, and set right. Points
// are [x, y]; pure.

const turn = ([a, b], [c, d], [e, f]) => Math.sign((c - a) * (f - b) - (d - b) * (e - a));
const rounded = (value) => Math.round(value * 1e4) / 1e4;

// Where two sides of a closed outline cross, the first side first: [side, side, point], or null. To touch is no crossing.
export function crossing(points) {
  const count = points.length;
  const next = (n) => points[(n + 1) % count];
  for (let i = 0; i < count; i++) {
    for (let j = i + 2; j < count; j++) {
      const [a, b, c, d] = [points[i], next(i), points[j], next(j)];
      if (Math.max(a[0], b[0]) < Math.min(c[0], d[0]) || Math.max(c[0], d[0]) < Math.min(a[0], b[0])) continue;
      if (turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0) return [i, j, meeting(a, b, c, d)];
    }
  }
  return null;
}

function meeting(a, b, c, d) {
  const [ux, uy, vx, vy] = [b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]];
  const share = ((c[0] - a[0]) * vy - (c[1] - a[1]) * vx) / (ux * vy - uy * vx);
  return [rounded(a[0] + share * ux), rounded(a[1] + share * uy)];
}

export const areaOf = (corners) =>
  Math.abs(
    corners.reduce((sum, [x, y], n) => {
      const [u, v] = corners[(n + 1) % corners.length];
      return sum + x * v - u * y;
    }, 0),
  ) / 2;

// The same without loops: at each crossing the larger part stays, as where a hand overshoots the end of its round.
export function uncrossed(points) {
  let kept = points.map((point) => point.map(rounded));
  for (let found = crossing(kept); found; found = crossing(kept)) {
    const [i, j, point] = found;
    const parts = [
      [point, ...kept.slice(i + 1, j + 1)],
      [...kept.slice(0, i + 1), point, ...kept.slice(j + 1)],
    ];
    kept = areaOf(parts[0]) > areaOf(parts[1]) ? parts[0] : parts[1];
  }
  return kept;
}

// Pixels, and of areas square pixels: less is nothing.
const LEAST = 0.01;
const flat = ([[x, y], [u, v]]) => Math.min(Math.abs(u - x), Math.abs(v - y)) < LEAST;
const NO_AREA = "It has no area; draw it larger.";

// The sentence why a mark cannot stand as it is drawn; empty where it can. The server refuses the same.
export function faultOf({ kind, points: given }) {
  const points = given.map((point) => point.map(rounded));
  if (kind === "box" || kind === "ellipse") return flat(points) ? NO_AREA : "";
  if (kind === "line") {
    const [[x, y], [u, v]] = points;
    return Math.hypot(u - x, v - y) < LEAST ? "The line has no length." : "";
  }
  const vertebra = kind === "vertebra" || kind === "morphometry";
  if (!vertebra && kind !== "polygon" && kind !== "freehand") return "";
  if (crossing(points)) {
    return vertebra ? "The sides of the vertebra cross: go along its upper edge from front to back, then along the lower edge back." : "The outline crosses itself; take back the last corners.";
  }
  return areaOf(points) < LEAST ? NO_AREA : "";
}
