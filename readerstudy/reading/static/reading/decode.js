// Fetches one frame and undoes its wire format. Runs as a worker, so that no image ever blocks a key press;
// the pure functions are exported for the preview of their results in tests.

export function undoDifferences(bytes, rows, columns) {
  const count = rows * columns;
  if (bytes.length !== 2 * count) {
    throw new Error(`The frame holds ${bytes.length} bytes where ${2 * count} belong to ${rows} × ${columns} pixels.`);
  }
  const low = bytes.subarray(0, count);
  const high = bytes.subarray(count);
  const pixels = new Uint16Array(count);
  for (let y = 0, p = 0; y < rows; y++) {
    let value = 0;
    for (let x = 0; x < columns; x++, p++) {
      const zigzag = low[p] | (high[p] << 8);
      value = (value + ((zigzag >>> 1) ^ -(zigzag & 1))) & 0xffff;
      pixels[p] = value;
    }
  }
  return pixels;
}

// Means of 2 × 2 pixels, so that a radiograph shown smaller than it is has no aliasing. At an odd edge the last
// row or column counts twice.
export function halve({ pixels, rows, columns, scale }) {
  const halfRows = (rows + 1) >> 1;
  const halfColumns = (columns + 1) >> 1;
  const half = new Uint16Array(halfRows * halfColumns);
  for (let y = 0, p = 0; y < halfRows; y++) {
    const upper = 2 * y * columns;
    const lower = Math.min(2 * y + 1, rows - 1) * columns;
    for (let x = 0; x < halfColumns; x++, p++) {
      const left = 2 * x;
      const right = Math.min(left + 1, columns - 1);
      const sum = pixels[upper + left] + pixels[upper + right] + pixels[lower + left] + pixels[lower + right];
      half[p] = (sum + 2) >> 2;
    }
  }
  return { pixels: half, rows: halfRows, columns: halfColumns, scale: 2 * scale };
}

const WIDE_ENOUGH_TO_HALVE = 1400;

export function pyramid(pixels, rows, columns, scale) {
  const levels = [{ pixels, rows, columns, scale }];
  while (levels.at(-1).columns > WIDE_ENOUGH_TO_HALVE && levels.length < 4) levels.push(halve(levels.at(-1)));
  return levels;
}

async function unpack(response) {
  const plain = response.body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

export async function fetchFrame({ url, rows, columns, scale }) {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok || response.redirected) throw new Error(`The server answered ${response.status}.`);
  const pixels = undoDifferences(await unpack(response), rows, columns);
  return pyramid(pixels, rows, columns, scale);
}

async function answer({ data }) {
  try {
    const levels = await fetchFrame(data);
    postMessage({ url: data.url, levels }, levels.map((level) => level.pixels.buffer));
  } catch (error) {
    postMessage({ url: data.url, error: error.message });
  }
}

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) self.onmessage = answer;
