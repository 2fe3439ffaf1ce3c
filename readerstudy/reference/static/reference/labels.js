// Where the names of marks stand: beside their mark, within the view, none over another. Pixels of the screen; pure.

export const LINE = 17;
const GAP = 6;
// What the view itself says above and below, and the sides.
const ROWS = 26;
const SIDE = 4;
// A name further from its mark than this is tied to it by a line.
const FAR = 12;
// How many lines up and down a place is looked for where all beside the mark are taken.
const STEPS = 40;

const held = (value, least, most) => Math.max(least, Math.min(most, value));
const apart = (one, other) =>
  one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + LINE <= other.y || other.y + LINE <= one.y;

// Beside the upper or the lower edge, to the right before the left, then above and below.
function beside({ left, top, right, bottom, width }) {
  const [after, before] = [right + GAP, left - GAP - width];
  const rows = [top - LINE / 2, bottom - LINE / 2];
  return [...rows.map((y) => ({ x: after, y })), ...rows.map((y) => ({ x: before, y })), { x: left, y: top - GAP - LINE }, { x: left, y: bottom + GAP }];
}

function* further({ left, top, right, width }) {
  for (let step = 1; step <= STEPS; step++) {
    for (const y of [top - LINE / 2 + step * LINE, top - LINE / 2 - step * LINE]) yield* [{ x: right + GAP, y }, { x: left - GAP - width, y }];
  }
}

// From the mark's edge to the name, where it stands far from it.
function tie(name, { x, y }) {
  const [midX, midY] = [x + name.width / 2, y + LINE / 2];
  const [markX, markY] = [held(midX, name.left, name.right), held(midY, name.top, name.bottom)];
  const [nameX, nameY] = [held(markX, x, x + name.width), held(markY, y, y + LINE)];
  return Math.hypot(markX - nameX, markY - nameY) > FAR ? [markX, markY, nameX, nameY] : null;
}

// names: [{ width, left, top, right, bottom }], how wide each name is and the box around its mark. Each comes back with x
// and y of its upper left corner, and tie: a line [x, y, x, y] or null. view: { width, height }.
export function placed(names, view) {
  const taken = [];
  const free = (place, width) => taken.every((other) => apart({ ...place, width }, other));
  const inView = ({ x, y }, width) => ({
    x: held(x, SIDE, Math.max(SIDE, view.width - width)),
    y: held(y, ROWS, Math.max(ROWS, view.height - ROWS - LINE)),
  });
  const found = new Map();
  for (const name of names.toSorted((one, other) => one.top - other.top || one.left - other.left)) {
    const { width } = name;
    const near = beside(name);
    const fits = (place) => {
      const there = inView(place, width);
      return there.x === place.x && there.y === place.y && free(place, width);
    };
    let place = near.find(fits) ?? near.map((one) => inView(one, width)).find((one) => free(one, width));
    if (!place) for (const one of further(name)) if (free((place = inView(one, width)), width)) break;
    taken.push({ ...place, width });
    found.set(name, { ...name, ...place, tie: tie(name, place) });
  }
  return names.map((name) => found.get(name));
}
