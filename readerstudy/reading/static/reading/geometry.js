// Where image points lie in the patient, and what is measured between them. Image points count from the corner of the
// first pixel, whose centre is (0.5, 0.5); patient millimetres run to the left, to the back, to the head.

const LETTERS = [["R", "L"], ["A", "P"], ["F", "H"]];
// A direction within 22.5° of an axis is named after that axis alone.
const WORTH_A_LETTER = Math.sin(Math.PI / 8);
// Stacks whose normals differ by less are of one plane.
const SAME_PLANE = Math.cos(Math.PI / 12);

export const dot = (one, other) => one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
export const cross = ([a, b, c], [d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];
export const less = (one, other) => one.map((value, n) => value - other[n]);
export const plus = (one, other, times = 1) => one.map((value, n) => value + times * other[n]);

export const isPlaced = (frame) => Boolean(frame?.position && frame.orientation && frame.spacing);
export const alongRow = (frame) => frame.orientation.slice(0, 3);
export const downColumn = (frame) => frame.orientation.slice(3);
export const normalOf = (frame) => cross(alongRow(frame), downColumn(frame));

export function patientPoint(frame, { x, y }) {
  const across = plus(frame.position, alongRow(frame), (x - 0.5) * frame.spacing[1]);
  return plus(across, downColumn(frame), (y - 0.5) * frame.spacing[0]);
}

// The inverse for a point projected onto the image.
export function imagePoint(frame, at) {
  const offset = less(at, frame.position);
  return {
    x: dot(offset, alongRow(frame)) / frame.spacing[1] + 0.5,
    y: dot(offset, downColumn(frame)) / frame.spacing[0] + 0.5,
  };
}

export const depthOf = (frame, at) => dot(less(at, frame.position), normalOf(frame));

export function onePlane(frame, other) {
  return isPlaced(frame) && isPlaced(other) && Math.abs(dot(normalOf(frame), normalOf(other))) > SAME_PLANE;
}

// The image of a stack nearest to a point in the patient; none where it lies outside by more than the gap between two.
export function nearestSlice(frames, at) {
  const depths = frames.map((frame) => (isPlaced(frame) ? Math.abs(depthOf(frame, at)) : Infinity));
  const nearest = depths.indexOf(Math.min(...depths));
  if (depths[nearest] === Infinity) return null;
  const beside = frames[nearest > 0 ? nearest - 1 : 1];
  const gap = beside && isPlaced(beside) ? Math.abs(depthOf(beside, frames[nearest].position)) : Infinity;
  return depths[nearest] <= gap ? nearest : null;
}

const OPPOSITE = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };

// By the letters that a radiograph carries for its rows and columns, where its place in the patient is unknown.
function lettersAlong([row, column], { x, y }) {
  const [letters, way] = Math.abs(x) > Math.abs(y) ? [row, x] : [column, y];
  return way > 0 ? letters : letters.replace(/./g, (letter) => OPPOSITE[letter]);
}

// The letters of the side of the patient towards which a direction in the image points, the nearest axis first.
export function lettersOf(frame, { x, y }) {
  if (!isPlaced(frame)) return frame.letters ? lettersAlong(frame.letters, { x, y }) : "";
  const [rowGap, columnGap] = frame.spacing;
  const direction = plus(alongRow(frame).map((value) => value * x * columnGap), downColumn(frame), y * rowGap);
  const length = Math.hypot(...direction);
  return direction
    .map((value, axis) => ({ share: Math.abs(value) / length, letter: LETTERS[axis][value > 0 ? 1 : 0] }))
    .filter(({ share }) => share > WORTH_A_LETTER)
    .sort((one, other) => other.share - one.share)
    .map(({ letter }) => letter)
    .join("");
}

// Where the plane of another image cuts this one, as two points on its edge; null where it does not.
export function cutLine(frame, other) {
  if (!isPlaced(frame) || !isPlaced(other) || onePlane(frame, other)) return null;
  // The depth under the other image is linear over this one: value = at + x * across + y * down.
  const at = depthOf(other, patientPoint(frame, { x: 0, y: 0 }));
  const across = depthOf(other, patientPoint(frame, { x: 1, y: 0 })) - at;
  const down = depthOf(other, patientPoint(frame, { x: 0, y: 1 })) - at;
  const { columns, rows } = frame;
  const found = [];
  if (down) for (const x of [0, columns]) found.push({ x, y: -(at + x * across) / down });
  if (across) for (const y of [0, rows]) found.push({ x: -(at + y * down) / across, y });
  const inside = found.filter(({ x, y }) => x >= -1e-6 && y >= -1e-6 && x <= columns + 1e-6 && y <= rows + 1e-6);
  const far = inside.find((point) => Math.hypot(point.x - inside[0].x, point.y - inside[0].y) > 1e-6);
  return far ? [inside[0], far] : null;
}

// In millimetres where the spacing is known, else in image columns.
const sides = (frame, from, to) => {
  const [rowGap, columnGap] = frame.spacing ?? [1, 1];
  return [(to.x - from.x) * columnGap, (to.y - from.y) * rowGap];
};

export const distance = (frame, from, to) => Math.hypot(...sides(frame, from, to));

const turned = (frame, from, to) => {
  const [x, y] = sides(frame, from, to);
  return (Math.atan2(y, x) * 180) / Math.PI;
};

// At the middle of three points: 0 to 180°.
export function angleAt(frame, [one, corner, other]) {
  const difference = Math.abs(turned(frame, corner, one) - turned(frame, corner, other));
  return Math.min(difference, 360 - difference);
}

// Between two lines, as Cobb measured: 0 to 90°, whichever way they were drawn.
export function cobb(frame, [a, b, c, d]) {
  const difference = Math.abs(turned(frame, a, b) - turned(frame, c, d)) % 180;
  return Math.min(difference, 180 - difference);
}

// Of the pixels whose centres lie in the ellipse that fills a box; the standard deviation is that of the pixels (n).
export function ellipseStatistics(frame, { pixels, rows, columns }, [from, to]) {
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  const [x0, y0, rx, ry] = [(left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2];
  let [count, sum, squares, least, most] = [0, 0, 0, Infinity, -Infinity];
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(rows, bottom); y++) {
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(columns, right); x++) {
      if (((x + 0.5 - x0) / rx) ** 2 + ((y + 0.5 - y0) / ry) ** 2 > 1) continue;
      const value = frame.slope * pixels[y * columns + x] + frame.intercept;
      count++;
      sum += value;
      squares += value * value;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  if (!count) return null;
  const mean = sum / count;
  const [rowGap, columnGap] = frame.spacing ?? [1, 1];
  const deviation = Math.sqrt(Math.max(0, squares / count - mean * mean));
  return { count, mean, deviation, least, most, area: Math.PI * rx * ry * rowGap * columnGap };
}
