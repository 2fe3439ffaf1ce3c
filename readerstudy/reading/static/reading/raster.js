// Drawing on the CPU, in grey or colour. The cost follows the pixels of the screen, not those of the image, and no WebGL is
// needed: many hospital desktops are virtual machines without a graphics card.

const OPAQUE_BLACK = 0xff000000;
// Of a packed colour: opaque red, green and blue.
const CHANNELS = [0xff0000ff, 0xff00, 0xff0000];

// The linear VOI function of DICOM PS3.3 C.11.2.1.2.1; for values on a grid finer than 1 the exact one of
// C.11.2.1.3.2, because the half steps of the former are made for whole numbers.
export function greyOf(value, { center, width, shape }, exact = false) {
  // C.11.2.1.3.1
  if (shape === "sigmoid") return Math.round(255 / (1 + Math.exp((-4 * (value - center)) / width)));
  const middle = exact ? center : center - 0.5;
  const range = exact ? width : width - 1;
  if (value <= middle - range / 2) return 0;
  if (value > middle + range / 2) return 255;
  return Math.round(((value - middle) / range + 0.5) * 255);
}

// The grey of a look-up table, whose steps are shown values in rising order and the grey from each on, in turns.
function greyAmong(value, steps) {
  let [low, high] = [0, steps.length / 2];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[2 * middle] <= value) low = middle;
    else high = middle;
  }
  return steps[2 * low + 1];
}

// One packed RGBA colour for each of the 65,536 stored values.
export function windowTable({ slope, intercept, inverted }, window, steps) {
  const table = new Uint32Array(65536);
  const exact = Math.abs(slope) < 1 || window.shape === "exact";
  for (let stored = 0; stored < 65536; stored++) {
    const value = slope * stored + intercept;
    let grey = steps ? greyAmong(value, steps) : greyOf(value, window, exact);
    if (inverted) grey = 255 - grey;
    table[stored] = OPAQUE_BLACK | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

// The part of one row of the screen, [from, to), whose points at + step * x lie inside [0, size).
function insideOf(at, step, size, from, to) {
  if (step === 0) return at < 0 || at >= size ? [0, 0] : [from, to];
  const one = -at / step;
  const other = (size - at) / step;
  return [Math.max(from, Math.ceil(Math.min(one, other))), Math.min(to, Math.ceil(Math.max(one, other)))];
}

function nearestRow(target, p, count, { pixels, columns }, table, u, v, du, dv) {
  for (let n = 0; n < count; n++, u += du, v += dv) target[p + n] = table[pixels[(v | 0) * columns + (u | 0)]];
}

// Values are mixed before the window is applied, as on a diagnostic display.
function smoothRow(target, p, count, { pixels, rows, columns }, table, u, v, du, dv) {
  u -= 0.5;
  v -= 0.5;
  for (let n = 0; n < count; n++, u += du, v += dv) {
    const left = u > 0 ? u | 0 : 0;
    const top = v > 0 ? v | 0 : 0;
    const across = u > 0 ? u - left : 0;
    const down = v > 0 ? v - top : 0;
    const q = top * columns + left;
    const right = left < columns - 1 ? 1 : 0;
    const below = top < rows - 1 ? columns : 0;
    const upper = pixels[q] + (pixels[q + right] - pixels[q]) * across;
    const lower = pixels[q + below] + (pixels[q + below + right] - pixels[q + below]) * across;
    target[p + n] = table[(upper + (lower - upper) * down + 0.5) | 0];
  }
}

// toImage = affine map {a, b, c, d, e, f} from points of the screen to points of the level, both measured from the
// corner of the first pixel, so that pixel centres lie at + 0.5.
export function draw(target, width, height, level, toImage, table, smooth) {
  const { a, b, c, d, e, f } = toImage;
  const drawRow = smooth ? smoothRow : nearestRow;
  const channels = level.planes?.map((pixels) => ({ ...level, pixels }));
  const row = new Uint32Array(channels ? width : 0);
  for (let y = 0, p = 0; y < height; y++, p += width) {
    const u = a * 0.5 + c * (y + 0.5) + e;
    const v = b * 0.5 + d * (y + 0.5) + f;
    let [from, to] = insideOf(u, a, level.columns, 0, width);
    [from, to] = insideOf(v, b, level.rows, from, to);
    if (to <= from) {
      target.fill(OPAQUE_BLACK, p, p + width);
      continue;
    }
    target.fill(OPAQUE_BLACK, p, p + from);
    const at = [table, u + a * from, v + b * from, a, b];
    if (!channels) drawRow(target, p + from, to - from, level, ...at);
    channels?.forEach((channel, n) => {
      drawRow(row, from, to - from, channel, ...at);
      for (let x = from; x < to; x++) target[p + x] = n ? target[p + x] | (row[x] & CHANNELS[n]) : row[x] & CHANNELS[n];
    });
    target.fill(OPAQUE_BLACK, p + to, p + width);
  }
}

// The finest level is needed only where one screen pixel shows less than two image pixels.
export function levelFor(levels, imagePixelsPerScreenPixel) {
  return levels.findLast((level) => level.scale <= imagePixelsPerScreenPixel) ?? levels[0];
}
