// Marks with a rating each, placed on the image: a double click, or the key where the pointer or the middle of the view is.

import { make, parseNumber } from "./fields.js";
import { say } from "./say.js";

const ARM = 9;
const GRIP = 12;
const LARGEST = 100;

// The viewer of the page, and the field whose marks it shows now.
let layout = null;
let current = null;

const framesOf = () => layout.series.flatMap(({ frames }) => frames);

export function attachMarks(viewer) {
  layout = viewer;
  const before = layout.overlay;
  layout.overlay = (...drawn) => {
    before?.(...drawn);
    current?.draw(...drawn);
  };
  layout.grid.addEventListener("dblclick", (event) => {
    const pane = layout.panes.find(({ host }) => host.contains(event.target));
    if (current && pane) current.place(pane, pane.pointAt(event.clientX, event.clientY));
  });
  layout.grid.addEventListener("pointermove", ({ clientX, clientY }) => (layout.pointer = { clientX, clientY }));
}

// By key: where the pointer is over a view, else in the middle of the active one. False where marks are not asked for.
export function placeByKey() {
  if (!current) return false;
  const over = layout.panes.find(({ host }) => host.matches(":hover"));
  const pane = over ?? layout.active;
  const { left, top, width, height } = pane.host.getBoundingClientRect();
  const { clientX, clientY } = (over && layout.pointer) ?? { clientX: left + width / 2, clientY: top + height / 2 };
  current.place(pane, pane.pointAt(clientX, clientY));
  return true;
}

export function marksField(question, id, changed) {
  const { minimum, maximum } = question;
  let marks = [];
  let locked = false;
  const list = make("ol", { className: "marks" });
  const add = make("button", { type: "button", className: "tool", id });
  add.append(say("Mark a place"), " ", make("kbd", { textContent: "B" }));
  add.setAttribute("aria-keyshortcuts", "B");
  add.addEventListener("click", placeByKey);
  const none = make("p", { className: "help", textContent: say("No mark: nothing found. Double-click on the image to mark a place.") });
  const element = make("div", {}, none, list, add);
  const rate = (mark) => {
    const value = parseNumber(mark.entry.value);
    return Number.isInteger(value) && value >= minimum && value <= maximum ? value : null;
  };

  const rebuild = () => {
    none.hidden = marks.length > 0;
    list.replaceChildren(...marks.map((mark, n) => row(mark, n)));
    layout.repaint();
  };
  const row = (mark, n) => {
    const number = { number: n + 1 };
    mark.entry.setAttribute("aria-label", say("Rating of mark {number}, {low} to {high}", { ...number, low: minimum, high: maximum }));
    const show = make("button", { type: "button", className: "tool", textContent: say("Image {image}", mark) });
    show.addEventListener("click", () => layout.goTo(framesOf()[mark.image - 1].url));
    const remove = make("button", { type: "button", className: "tool", textContent: say("Remove") });
    remove.setAttribute("aria-label", say("Remove mark {number}", number));
    remove.addEventListener("click", () => {
      marks = marks.filter((other) => other !== mark);
      rebuild();
      changed();
      add.focus();
    });
    for (const control of [mark.entry, remove]) control.disabled = locked;
    return make("li", {}, mark.entry, show, remove);
  };
  const made = ({ image, x, y, rating }) => {
    const entry = make("input", { type: "text", inputMode: "numeric", autocomplete: "off", maxLength: 5, value: rating ?? "" });
    entry.addEventListener("input", changed);
    return { image, x, y, entry };
  };

  const field = {
    element,
    get controls() {
      return [add, ...list.querySelectorAll("input, button")];
    },
    read: () => marks.map((mark) => ({ image: mark.image, x: mark.x, y: mark.y, rating: rate(mark) })),
    write: (answer) => {
      marks = (answer ?? []).map(made);
      rebuild();
    },
    lock: (on) => {
      locked = on;
      for (const control of field.controls) control.disabled = on;
    },
    check: () => (marks.some((mark) => rate(mark) === null) ? say("Please rate every mark from {low} to {high}.", { low: minimum, high: maximum }) : ""),
    focus: () => (marks.find((mark) => rate(mark) === null)?.entry ?? add).focus(),
    digit: () => false,
    place: (pane, { x, y }) => {
      const image = framesOf().findIndex(({ url }) => url === pane.frame?.url) + 1;
      const inside = pane.frame && x >= 0 && y >= 0 && x <= pane.frame.columns && y <= pane.frame.rows;
      if (locked || !image || !inside || marks.length >= LARGEST) return;
      const near = marks.find((mark) => mark.image === image && Math.hypot(mark.x - x, mark.y - y) * pane.matrix().a < GRIP);
      if (!near) marks.push(made({ image, x: Math.round(x * 100) / 100, y: Math.round(y * 100) / 100 }));
      rebuild();
      if (!near) changed();
      (near ?? marks.at(-1)).entry.focus();
    },
    draw: (context, matrix, frame) => {
      const image = framesOf().findIndex(({ url }) => url === frame.url) + 1;
      marks.forEach((mark, n) => mark.image === image && cross(context, matrix.transformPoint(new DOMPoint(mark.x, mark.y)), n + 1));
    },
    leave: () => {
      if (current === field) current = null;
    },
  };
  current = field;
  return field;
}

function cross(context, { x, y }, number) {
  context.save();
  context.font = "600 14px system-ui, sans-serif";
  for (const [colour, width] of [["#000", 4], ["#ffd166", 2]]) {
    Object.assign(context, { strokeStyle: colour, lineWidth: width, fillStyle: colour });
    context.beginPath();
    context.moveTo(x - ARM, y);
    context.lineTo(x + ARM, y);
    context.moveTo(x, y - ARM);
    context.lineTo(x, y + ARM);
    context.stroke();
  }
  context.lineWidth = 3;
  context.strokeStyle = "#000";
  context.strokeText(number, x + ARM, y - 4);
  context.fillText(number, x + ARM, y - 4);
  context.restore();
}
