// What a model found, drawn over an image: heat maps, outlines, boxes and vertebrae. Pure drawing: who shows what, and
// when, is decided in assistance.js.

// From transparent over yellow to red: light enough over bone, and told apart by brightness alone too.
const RAMP = [
  [0, 255, 237, 160, 0],
  [0.25, 254, 217, 118, 60],
  [0.5, 253, 141, 60, 150],
  [0.75, 240, 59, 32, 210],
  [1, 189, 0, 38, 255],
];
const MIDDLE = 127.5;
export const OUTLINE = "#5ee6c8";
export const FRACTURED = "#ffb454";
export const OTHER = "#9ad0ff";

export function rampColour(share) {
  const upper = Math.max(1, RAMP.findIndex(([place]) => share <= place));
  const [from, to] = [RAMP[upper - 1], RAMP[upper]];
  const part = (share - from[0]) / (to[0] - from[0]);
  return [1, 2, 3, 4].map((n) => Math.round(from[n] + (to[n] - from[n]) * part));
}

const COLOURS = new Uint32Array(Uint8Array.from({ length: 1024 }, (_, n) => rampColour((n >> 2) / 255)[n % 4]).buffer);

// The grey values of a heat map or mask.
export async function greyOf(url) {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok || response.redirected) throw new Error(`The server answered ${response.status}.`);
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const picture = await createImageBitmap(await response.blob(), options);
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { width, height, data } = context.getImageData(0, 0, picture.width, picture.height);
  return { width, height, grey: new Uint8Array(width * height).map((_, n) => data[4 * n]) };
}

export function coloured({ width, height, grey }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const colours = new Uint32Array(image.data.buffer);
  grey.forEach((value, n) => (colours[n] = COLOURS[value]));
  context.putImageData(image, 0, 0);
  return canvas;
}

// Where the line between pixel centres (x + 0.5, y + 0.5) and their neighbours crosses the middle grey, edge by edge.
function crossing(edge, x, y, share) {
  return [[x + 0.5 + share, y + 0.5], [x + 1.5, y + 0.5 + share], [x + 1.5 - share, y + 1.5], [x + 0.5, y + 1.5 - share]][edge];
}

// The outline of what is brighter than the middle grey, as pairs of points in pixels of the mask: smooth however coarse
// the mask is, because each crossing is interpolated.
export function outlineOf({ width, height, grey }) {
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : grey[y * width + x]);
  const lines = [];
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const [p, inner] = [y * width + x, x >= 0 && y >= 0 && x < width - 1 && y < height - 1];
      // Most of a mask is all inside or all outside.
      if (inner && grey[p] === grey[p + 1] && grey[p] === grey[p + width] && grey[p] === grey[p + width + 1]) continue;
      const corners = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
      const cuts = [];
      for (let edge = 0; edge < 4; edge++) {
        const [from, to] = [corners[edge], corners[(edge + 1) % 4]];
        if (from > MIDDLE !== to > MIDDLE) cuts.push(crossing(edge, x, y, (MIDDLE - from) / (to - from)));
      }
      for (let n = 0; n < cuts.length; n += 2) lines.push([cuts[n], cuts[n + 1]]);
    }
  }
  return lines;
}

const ratio = () => devicePixelRatio;

// A dark line under the coloured one, so that it is seen on air and on bone.
export function stroke(context, path, colour, dashed = false) {
  context.lineJoin = context.lineCap = "round";
  for (const [strokeStyle, width, dash] of [["rgb(0 0 0 / 75%)", 4, []], [colour, 2, dashed ? [7 * ratio(), 5 * ratio()] : []]]) {
    context.setLineDash(dash);
    Object.assign(context, { strokeStyle, lineWidth: width * ratio() });
    context.stroke(path);
  }
  context.setLineDash([]);
}

export function drawMap(context, matrix, frame, { picture }) {
  context.setTransform(matrix);
  context.drawImage(picture, 0, 0, frame.columns, frame.rows);
  context.resetTransform();
}

export function drawOutline(context, matrix, frame, { width, height, picture: lines }) {
  const [path, placed] = [new Path2D(), new Path2D()];
  for (const [from, to] of lines) {
    path.moveTo(...from);
    path.lineTo(...to);
  }
  placed.addPath(path, matrix.scale(frame.columns / width, frame.rows / height));
  stroke(context, placed, OUTLINE);
}

// The corners in image points, the words beside them upright and of one size at every zoom; written: where words stand
// already in this drawing.
export function drawMarked(context, matrix, points, words, colour, dashed, written) {
  if (!points.length) return;
  const corners = points.map(([x, y]) => matrix.transformPoint({ x, y }));
  const path = new Path2D();
  corners.forEach(({ x, y }, n) => (n ? path.lineTo(x, y) : path.moveTo(x, y)));
  path.closePath();
  stroke(context, path, colour, dashed);
  if (words) write(context, corners, words, colour, written);
}

function write(context, corners, words, colour, written) {
  const size = 13 * ratio();
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const [pad, width] = [5 * ratio(), context.measureText(words).width];
  const right = Math.max(...corners.map(({ x }) => x)) + 2 * pad;
  const x = Math.max(pad, Math.min(right, context.canvas.width - width - 2 * pad));
  let y = corners.reduce((sum, corner) => sum + corner.y, 0) / corners.length;
  const meets = (one) => Math.abs(one.y - y) < 1.6 * size && one.x < x + one.width && x < one.x + width + 2 * pad;
  for (let other; (other = written.find(meets)); y = other.y + 1.7 * size) if (other.words === words) return;
  written.push({ x, y, width: width + 2 * pad, words });
  context.fillStyle = "rgb(0 0 0 / 78%)";
  context.fillRect(x - pad, y - 0.8 * size, width + 2 * pad, 1.6 * size);
  context.fillStyle = colour;
  context.fillText(words, x, y);
}
