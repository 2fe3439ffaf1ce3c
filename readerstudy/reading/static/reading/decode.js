// Fetches frames and undoes their wire format. Runs as a worker, so that no image ever blocks a key press;
// the pure functions are exported for the preview of their results in tests.

function checkLength({ length }, expected, rows, columns) {
  if (length === expected) return;
  throw new Error(`The frame holds ${length} bytes where ${expected} belong to ${rows} × ${columns} pixels.`);
}

export function undoDifferences(bytes, rows, columns) {
  const count = rows * columns;
  checkLength(bytes, 2 * count, rows, columns);
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

// Red, green and blue in planes; their luminance (ITU-R 601) is what is measured and cut into other planes.
export function undoColours(bytes, rows, columns) {
  const count = rows * columns;
  checkLength(bytes, 3 * count, rows, columns);
  for (let p = 0; p < 3 * count; p++) if (p % columns) bytes[p] += bytes[p - 1];
  const planes = [0, count, 2 * count].map((start) => bytes.slice(start, start + count));
  const [red, green, blue] = planes;
  const pixels = new Uint16Array(count).map((_, p) => (19595 * red[p] + 38470 * green[p] + 7471 * blue[p] + 32768) >> 16);
  return { pixels, planes };
}

// Means of 2 × 2 pixels, so that a radiograph shown smaller than it is has no aliasing. At an odd edge the last
// row or column counts twice.
export function halve({ pixels, planes, rows, columns, scale }) {
  const halfRows = (rows + 1) >> 1;
  const halfColumns = (columns + 1) >> 1;
  const halved = (whole) => {
    const half = new whole.constructor(halfRows * halfColumns);
    for (let y = 0, p = 0; y < halfRows; y++) {
      const upper = 2 * y * columns;
      const lower = Math.min(2 * y + 1, rows - 1) * columns;
      for (let x = 0; x < halfColumns; x++, p++) {
        const left = 2 * x;
        const right = Math.min(left + 1, columns - 1);
        const sum = whole[upper + left] + whole[upper + right] + whole[lower + left] + whole[lower + right];
        half[p] = (sum + 2) >> 2;
      }
    }
    return half;
  };
  return { pixels: halved(pixels), planes: planes?.map(halved), rows: halfRows, columns: halfColumns, scale: 2 * scale };
}

const WIDE_ENOUGH_TO_HALVE = 1400;

export function pyramid(level) {
  const levels = [level];
  while (levels.at(-1).columns > WIDE_ENOUGH_TO_HALVE && levels.length < 4) levels.push(halve(levels.at(-1)));
  return levels;
}

async function unpack(packed) {
  const plain = packed.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

// Neighbours in a stack come in one answer, each after its length in four bytes.
async function packedFrames(jobs) {
  const last = jobs.at(-1).url.split("/").pop();
  const url = jobs.length > 1 ? jobs[0].url.replace(/\/(\d+)$/, `s/$1-${last}`) : jobs[0].url;
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok || response.redirected) throw new Error(`The server answered ${response.status}.`);
  if (jobs.length === 1) return [response.body];
  const all = await response.arrayBuffer();
  const lengths = new DataView(all);
  let end = 0;
  return jobs.map(() => {
    const start = end + 4;
    end = start + lengths.getUint32(end, true);
    return new Blob([all.slice(start, end)]).stream();
  });
}

async function levelsOf({ rows, columns, samples, scale }, packed) {
  const bytes = await unpack(packed);
  const level = samples === 3 ? undoColours(bytes, rows, columns) : { pixels: undoDifferences(bytes, rows, columns) };
  return pyramid({ ...level, rows, columns, scale });
}

async function answer({ data: jobs }) {
  const packed = packedFrames(jobs);
  for (const [n, job] of jobs.entries()) {
    try {
      const levels = await levelsOf(job, (await packed)[n]);
      postMessage({ url: job.url, levels }, levels.flatMap(({ pixels, planes = [] }) => [pixels, ...planes].map(({ buffer }) => buffer)));
    } catch (error) {
      postMessage({ url: job.url, error: error.message });
    }
  }
}

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) self.onmessage = answer;
