// Marks with a rating each, placed on the image: a double click, or the key where the pointer or the middle of the view is.
// They are dragged, or moved by arrow keys from their place in the list; every change can be undone.

import { button, entryOf, make, parseNumber } from "./fields.js";
import { stroke } from "./overlays.js";
import { say } from "./say.js";

const ARM = 9;
const YELLOW = "#ffd166";
// Pixels of the screen: how near a mark is taken up, and what still is a click.
const GRIP = 12;
const STILL = 3;
const LARGEST = 100;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// A drag with one of these moves marks; the tools that measure begin on a mark as elsewhere.
const MOVES = ["window", "pan", "zoom", "scroll", "locate"];

// The viewer of the page, the fields of its case, and the one that was used last.
let layout = null;
let inHand = null;
const fields = new Set();

// Several questions may ask for marks, and a branch may hide them.
const inSight = () => [...fields].filter(({ element }) => !element.closest("[hidden]"));
const current = () => (inSight().includes(inHand) ? inHand : inSight()[0]);

const frameOf = ({ image }) => layout.frames[image - 1];
const imageOf = ({ frame }) => layout.numberOf(frame?.url);
const round = (value, most) => Math.round(100 * Math.max(0, Math.min(most, value))) / 100;

export function attachMarks(viewer) {
  layout = viewer;
  layout.grip = (pane, point) => {
    const fields = MOVES.includes(layout.mode) ? inSight() : [];
    return fields.reduce((taken, field) => taken ?? field.grip(pane, point), null);
  };
  layout.grid.addEventListener("keydown", (event) => current()?.undoing(event));
  const before = layout.overlay;
  layout.overlay = (...drawn) => {
    before?.(...drawn);
    for (const field of inSight()) field.draw(...drawn);
  };
  layout.grid.addEventListener("dblclick", (event) => {
    const pane = layout.panes.find(({ host }) => host.contains(event.target));
    if (pane) current()?.place(pane, pane.pointAt(event.clientX, event.clientY));
  });
  layout.grid.addEventListener("pointermove", ({ clientX, clientY }) => (layout.pointer = { clientX, clientY }));
}

// By key: where the pointer is over a view, else in the middle of the active one. False where marks are not asked for.
export function placeByKey() {
  if (!current()) return false;
  const over = layout.panes.find(({ host }) => host.matches(":hover"));
  const pane = over ?? layout.active;
  const { clientX, clientY } = (over && layout.pointer) ?? pane.middle;
  current().place(pane, pane.pointAt(clientX, clientY));
  return true;
}

export function marksField(question, id, changed) {
  const { minimum, maximum } = question;
  let marks = [];
  let past = [];
  let future = [];
  const list = make("ol", { className: "marks" });
  const byKey = () => {
    inHand = field;
    placeByKey();
  };
  const add = button(say("Mark a place"), byKey, "B");
  add.id = id;
  const locked = () => add.matches(":disabled");
  const none = make("p", { className: "help", textContent: say("No mark: nothing found. Double-click on the image to mark a place.") });
  const said = make("p", { className: "note", role: "status" });
  const element = make("div", {}, none, list, said, add);
  element.addEventListener("focusin", () => (inHand = field));
  const rate = (mark) => {
    const value = parseNumber(mark.entry.value);
    return Number.isInteger(value) && value >= minimum && value <= maximum ? value : null;
  };

  const rebuild = () => {
    none.hidden = marks.length > 0;
    list.replaceChildren(...marks.map((mark, n) => row(mark, n)));
    layout.repaint();
  };
  // Marks are replaced, never changed, so that a list of them can come back; each keeps its entry.
  const become = (next, sentence, values) => {
    past.push(marks);
    future = [];
    marks = next;
    rebuild();
    changed();
    said.textContent = sentence ? say(sentence, values) : "";
  };
  const step = (from, to) => {
    if (locked() || !from.length) return;
    to.push(marks);
    marks = from.pop();
    rebuild();
    changed();
    said.textContent = say("Marks: {count}", { count: marks.length });
    // The row that had the focus is gone.
    if (document.activeElement === document.body) add.focus();
  };
  const move = (mark, x, y) => {
    const { columns, rows } = frameOf(mark);
    const moved = { ...mark, x: round(x, columns), y: round(y, rows) };
    const place = { number: marks.indexOf(mark) + 1, x: Math.round(moved.x), y: Math.round(moved.y) };
    become(marks.with(marks.indexOf(mark), moved), "Mark {number} is at {x}, {y}.", place);
  };
  const remove = (mark) => {
    const number = marks.indexOf(mark) + 1;
    become(marks.toSpliced(number - 1, 1), "Mark {number} is removed.", { number });
    add.focus();
  };
  // Arrows follow the screen, however the image is turned; with Shift ten pixels.
  const keyed = (event, mark, n) => {
    const arrow = ARROWS[event.key];
    if (locked() || !(arrow || event.key === "Delete")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!arrow) return remove(mark);
    layout.goTo(frameOf(mark).url);
    const { a, b, c, d } = layout.active.matrix().inverse();
    const [dx, dy] = [a * arrow[0] + c * arrow[1], b * arrow[0] + d * arrow[1]];
    const unit = (event.shiftKey ? 10 : 1) / Math.hypot(dx, dy);
    move(mark, mark.x + dx * unit, mark.y + dy * unit);
    list.children[n].children[1].focus();
  };
  const undoing = (event) => {
    const key = event.key.toLowerCase();
    // What is typed in an entry is undone by the entry itself.
    if (!(event.ctrlKey || event.metaKey) || !"zy".includes(key) || event.target.value) return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) step(future, past);
    else step(past, future);
  };
  element.addEventListener("keydown", undoing);
  const row = (mark, n) => {
    const number = { number: n + 1 };
    mark.entry.ariaLabel = say("Rating of mark {number}, {low} to {high}", { ...number, low: minimum, high: maximum });
    const show = button(say("Image {image}", mark), () => layout.goTo(frameOf(mark).url));
    show.title = say("Arrow keys move mark {number}, Del removes it.", number);
    show.addEventListener("keydown", (event) => keyed(event, mark, n));
    const away = button(say("Remove"), () => remove(mark));
    away.ariaLabel = say("Remove mark {number}", number);
    return make("li", {}, mark.entry, show, away);
  };
  const made = ({ image, x, y, rating }) => {
    const entry = entryOf({ maxLength: 5, value: rating ?? "" });
    entry.addEventListener("input", changed);
    return { image, x, y, entry };
  };
  const nearest = (pane, point) => {
    const at = pane.toScreen(point);
    const apart = (mark) => Math.hypot(pane.toScreen(mark).x - at.x, pane.toScreen(mark).y - at.y);
    return marks.find((mark) => mark.image === imageOf(pane) && apart(mark) < GRIP);
  };

  const field = {
    element,
    undoing,
    get controls() {
      return [add, ...list.querySelectorAll("input, button")];
    },
    read: () => marks.map((mark) => ({ image: mark.image, x: mark.x, y: mark.y, rating: rate(mark) })),
    write: (answer) => {
      marks = (answer ?? []).map(made);
      rebuild();
    },
    check: () => (marks.some((mark) => rate(mark) === null) ? say("Please rate every mark from {low} to {high}.", { low: minimum, high: maximum }) : ""),
    // Of several ratings only those that lack are marked as faults.
    isRight: (entry) => marks.some((mark) => mark.entry === entry && rate(mark) !== null),
    focus: () => (marks.find((mark) => rate(mark) === null)?.entry ?? add).focus(),
    place: (pane, { x, y }) => {
      const image = imageOf(pane);
      const inside = pane.frame && x >= 0 && y >= 0 && x <= pane.frame.columns && y <= pane.frame.rows;
      said.textContent = image || !pane.frame ? "" : say("Marks are set on the acquired images, not on planes made of them.");
      if (locked() || !image || !inside) return;
      const near = nearest(pane, { x, y });
      if (!near && marks.length >= LARGEST) return;
      if (!near) become([...marks, made({ image, x: round(x, Infinity), y: round(y, Infinity) })]);
      (near ?? marks.at(-1)).entry.focus();
    },
    grip: (pane, point) => {
      const mark = !locked() && nearest(pane, point);
      if (!mark) return null;
      let to = null;
      const [dx, dy] = [mark.x - point.x, mark.y - point.y];
      return {
        move: (_, { x, y }) => {
          const [from, here] = [pane.toScreen(point), pane.toScreen({ x, y })];
          if (!to && Math.hypot(here.x - from.x, here.y - from.y) < STILL) return;
          to = field.moving = { mark, x: x + dx, y: y + dy };
          layout.repaint();
        },
        end: () => {
          field.moving = null;
          if (to && marks.includes(mark)) move(mark, to.x, to.y);
        },
      };
    },
    draw: (context, matrix, frame) => {
      const image = imageOf({ frame });
      marks.forEach((mark, n) => {
        const { x, y } = field.moving?.mark === mark ? field.moving : mark;
        if (mark.image === image) cross(context, matrix.transformPoint({ x, y }), n + 1);
      });
    },
    leave: () => fields.delete(field),
  };
  fields.add(field);
  return field;
}

function cross(context, { x, y }, number) {
  context.save();
  stroke(context, new Path2D(`M${x - ARM} ${y}h${2 * ARM}M${x} ${y - ARM}v${2 * ARM}`), YELLOW);
  Object.assign(context, { font: "600 14px system-ui, sans-serif", fillStyle: YELLOW, strokeStyle: "#000", lineWidth: 3 });
  context.strokeText(number, x + ARM, y - 4);
  context.fillText(number, x + ARM, y - 4);
  context.restore();
}
