// Names of vertebrae from the head down, and what follows when one of them is named.

const numbered = (letter, count) => Array.from({ length: count }, (_, n) => `${letter}${n + 1}`);

// Most people have 12 thoracic and 5 lumbar vertebrae; 11 or 13 and 4 or 6 occur.
export function chainOf({ thoracic = 12, lumbar = 5 } = {}) {
  return [...numbered("C", 7), ...numbered("T", thoracic), ...numbered("L", lumbar), "S1"];
}

export const EVERY_LEVEL = chainOf({ thoracic: 13, lumbar: 6 });

// Names for a row of vertebrae, of which the one at `index` is `level`; null where the chain ends before the row does.
export function follow(count, index, level, chain) {
  const first = chain.indexOf(level) - index;
  if (!chain.includes(level) || first < 0 || first + count > chain.length) return null;
  return chain.slice(first, first + count);
}

// Where a mark lies between feet and head: in the patient where the image is placed, else on the image. Images that lie
// across the body have no height of their own; neighbours among them reach half over each other.
function spanOf({ points, slice }, frameOf) {
  const frame = frameOf(slice) ?? {};
  const heightIn = ({ position, orientation, spacing }, [x, y]) =>
    position && orientation && spacing ? position[2] + orientation[2] * spacing[1] * x + orientation[5] * spacing[0] * y : -y;
  const heights = points.map((point) => heightIn(frame, point));
  const beside = frameOf(slice + 1) ?? frameOf(slice - 1);
  const apart = frame.position && beside?.position ? Math.abs(heightIn(beside, [0, 0]) - heightIn(frame, [0, 0])) : 0;
  const middle = heights.reduce((sum, height) => sum + height, 0) / heights.length;
  return { low: Math.min(...heights) - apart, high: Math.max(...heights) + apart, middle };
}

// How much of the lower of two they share.
const sharedBy = (one, other) =>
  (Math.min(one.high, other.high) - Math.max(one.low, other.low)) / Math.min(one.high - one.low, other.high - other.low);
// From here on marks on two images are of one vertebra.
const SAME = 0.45;

// The vertebrae of a series from the head down, each with its marks; frameOf(slice): the image there. What lies at one
// height on images that follow each other is one vertebra; of one kind it has one mark on an image.
export function vertebraeOf(marks, frameOf) {
  const found = [];
  const spans = new Map(marks.map((mark) => [mark, spanOf(mark, frameOf)]));
  const inOrder = marks.toSorted((one, other) => one.slice - other.slice);
  for (const layer of Map.groupBy(inOrder, ({ slice, kind }) => `${slice} ${kind}`).values()) {
    const free = new Set(layer);
    const near = layer.flatMap((mark) => found.map((body) => [sharedBy(spans.get(mark), spans.get(body.at(-1))), mark, body]));
    const taken = new Set();
    for (const [shared, mark, body] of near.toSorted(([one], [other]) => other - one)) {
      if (shared < SAME || taken.has(body) || !free.delete(mark)) continue;
      body.push(mark);
      taken.add(body);
    }
    found.push(...[...free].map((mark) => [mark]));
  }
  const height = (body) => body.reduce((sum, mark) => sum + spans.get(mark).middle, 0) / body.length;
  return found.toSorted((one, other) => height(other) - height(one));
}

// Mean posterior height of the bodies above and below; null where neither is measured. T13 and L6 count where they are.
export function neighboursOf(level, heights) {
  const chain = EVERY_LEVEL.filter((name) => !["T13", "L6"].includes(name) || heights.has(name));
  const at = chain.indexOf(level);
  if (at < 0) return null;
  const beside = [chain[at - 1], chain[at + 1]].filter((name) => heights.has(name)).map((name) => heights.get(name));
  return beside.length ? beside.reduce((sum, value) => sum + value, 0) / beside.length : null;
}
