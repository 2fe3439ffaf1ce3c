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

const middle = (points, axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;

// From the head down: by the patient's height where the image is placed, else from the top of the image.
export function fromTheHead(marks, frame) {
  const { position, orientation, spacing } = frame ?? {};
  const placed = position && orientation && spacing;
  const [across, down] = placed ? [orientation[2] * spacing[1], orientation[5] * spacing[0]] : [0, -1];
  const height = ({ points }) => across * middle(points, 0) + down * middle(points, 1);
  return marks.toSorted((one, other) => height(other) - height(one));
}

// Mean posterior height of the bodies above and below; null where neither is measured. T13 and L6 count where they are.
export function neighboursOf(level, heights) {
  const chain = EVERY_LEVEL.filter((name) => !["T13", "L6"].includes(name) || heights.has(name));
  const at = chain.indexOf(level);
  if (at < 0) return null;
  const beside = [chain[at - 1], chain[at + 1]].filter((name) => heights.has(name)).map((name) => heights.get(name));
  return beside.length ? beside.reduce((sum, value) => sum + value, 0) / beside.length : null;
}
