// Masks as run lengths: pixels in rows from the first one on, clear and set in turns, beginning with clear. Bitmaps are
// one byte a pixel, 0 or 1.

export function encode(bitmap) {
  const runs = [];
  let value = 0;
  let from = 0;
  for (let n = 0; n < bitmap.length; n++) {
    if (bitmap[n] === value) continue;
    runs.push(n - from);
    from = n;
    value = bitmap[n];
  }
  runs.push(bitmap.length - from);
  return runs;
}

export function decode(runs, size) {
  const bitmap = new Uint8Array(size);
  let at = 0;
  runs.forEach((run, n) => {
    if (n % 2) bitmap.fill(1, at, at + run);
    at += run;
  });
  return bitmap;
}

export const setPixels = (runs) => runs.reduce((sum, run, n) => sum + (n % 2 ? run : 0), 0);

// Sets or clears the pixels whose centres lie within the radius (in columns) of the stroke from one point to another;
// tall: height of a pixel over its width. Returns the box that was touched, or null.
export function stroke(bitmap, { rows, columns, tall = 1 }, from, to, radius, value) {
  const down = radius / tall;
  const box = {
    left: Math.max(0, Math.floor(Math.min(from.x, to.x) - radius)),
    top: Math.max(0, Math.floor(Math.min(from.y, to.y) - down)),
    right: Math.min(columns, Math.ceil(Math.max(from.x, to.x) + radius)),
    bottom: Math.min(rows, Math.ceil(Math.max(from.y, to.y) + down)),
  };
  if (box.left >= box.right || box.top >= box.bottom) return null;
  const [dx, dy] = [to.x - from.x, (to.y - from.y) * tall];
  const long = dx * dx + dy * dy;
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      const [px, py] = [x + 0.5 - from.x, (y + 0.5 - from.y) * tall];
      const along = long ? Math.max(0, Math.min(1, (px * dx + py * dy) / long)) : 0;
      if (Math.hypot(px - along * dx, py - along * dy) <= radius) bitmap[y * columns + x] = value;
    }
  }
  return box;
}

// The box around the set pixels, or null.
export function boxOf(bitmap, rows, columns) {
  const box = { left: columns, top: rows, right: 0, bottom: 0 };
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      if (!bitmap[y * columns + x]) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  }
  return box.right ? box : null;
}

// The same from run lengths alone; the mask has a pixel.
export function boxOfRuns(runs, columns) {
  const box = { left: columns, top: Infinity, right: 0, bottom: 0 };
  let at = 0;
  runs.forEach((run, n) => {
    const last = at + run - 1;
    if (n % 2 && run) {
      const [first, end] = [at % columns, last % columns];
      const [top, bottom] = [Math.floor(at / columns), Math.floor(last / columns)];
      box.left = Math.min(box.left, top === bottom ? first : 0);
      box.right = Math.max(box.right, top === bottom ? end + 1 : columns);
      box.top = Math.min(box.top, top);
      box.bottom = bottom + 1;
    }
    at = last + 1;
  });
  return box;
}
