// The column beside the images: tools, the name to draw under, lists of marks, what the model and others have drawn.

import { ARROWS, COMMANDS, ON_A_MARK, TOOLS } from "./commands.js";
import { button, made } from "./elements.js";
import { heightsTable } from "./heights.js";
import { chainOf } from "./levels.js";
import { isVertebra, KIND_NAMES, KINDS, textOf } from "./shapes.js";
import { say } from "./words.js";

const VERDICTS = { positive: "Positive", negative: "Negative", undecided: "Cannot decide" };
const BUTTONS = ["undo", "redo", "copy", "interpolate", "chain", "remove", "hide"];
const HINTS = {
  polygon: "Click the corners; Enter, a double click or a click on the first corner closes it.",
  angle: "Click the end of one arm, the corner, the end of the other arm.",
  brush: "Draw over the area; the name below is the mask's. The tool once more begins another mask.",
  eraser: "Draw over what is too much of the mask.",
};

export class Panel {
  // run(command), board, drawing: what the buttons act on.
  constructor(root, { board, drawing, run, others, source, differences }) {
    Object.assign(this, { board, drawing, run, others, source });
    this.tools = made("div", { className: "tool-buttons" });
    this.tools.setAttribute("role", "group");
    this.tools.setAttribute("aria-label", say("Tools"));
    for (const { tool, key, label, short } of TOOLS) {
      const facts = { shown: key.toUpperCase(), pressed: false, title: short && label };
      const one = button(short ?? label, () => drawing.choose(tool), facts);
      one.dataset.tool = tool;
      this.tools.append(one);
    }
    this.hint = made("p", { className: "tool-hint" });
    this.hint.setAttribute("role", "status");
    this.news = made("p", { className: "news" });
    this.news.setAttribute("role", "status");
    this.commands = made("div", { className: "tool-buttons commands" });
    this.commands.setAttribute("role", "group");
    this.commands.setAttribute("aria-label", say("Commands"));
    for (const name of BUTTONS) {
      const { label, short, shown } = COMMANDS.find(({ command }) => command === name);
      const one = button(short ?? label, () => run(name), { shown, title: short && label });
      this.commands.append(Object.assign(one, { name }));
    }
    this.marks = made("ul", { className: "marks" });
    this.model = made("section", { className: "model" });
    this.heights = made("div");
    this.rows = new Map();
    const means = made("div", { className: "means" }, this.tools, this.hint, this.#naming(), this.commands);
    root.append(means, this.#others(differences), this.model);
    root.append(made("h2", {}, say("Marks")), this.marks, this.heights, this.#keys(), this.news);
    // What was said of the step before does not hold after the next one.
    board.addEventListener("changed", () => this.tell(""));
    for (const name of ["changed", "selected"]) board.addEventListener(name, () => this.show());
    drawing.addEventListener("chosen", () => {
      this.show();
      // What a tool asks for stands at the top.
      if (this.hint.textContent) root.scrollTo(0, 0);
    });
    drawing.addEventListener("stepped", () => {
      this.#enable(board.mark);
      this.#showHint();
    });
    this.show();
  }

  #naming() {
    this.name = made("input", { type: "text", maxLength: 40, id: "mark-name", autocomplete: "off" });
    this.name.setAttribute("list", "mark-names");
    this.name.addEventListener("change", () => this.run("rename", this.name.value.trim()));
    this.names = made("datalist", { id: "mark-names" });
    const count = (id, values, chosen) => {
      const options = values.map((value) => new Option(value, value, value === chosen, value === chosen));
      return made("select", { id }, ...options);
    };
    this.thoracic = count("thoracic-count", [11, 12, 13], 12);
    this.lumbar = count("lumbar-count", [4, 5, 6], 5);
    this.size = made("input", { type: "range", id: "brush-size", min: 1, max: Math.max(60, 10 * this.drawing.radius), value: this.drawing.radius });
    this.size.addEventListener("input", () => (this.drawing.radius = Number(this.size.value)));
    const field = (label, input) => made("p", {}, made("label", { htmlFor: input.id }, say(label)), input);
    // Shown with the tools and marks that they concern.
    this.counting = [field("Thoracic vertebrae", this.thoracic), field("Lumbar vertebrae", this.lumbar)];
    this.sizing = field("Size of the brush", this.size);
    return made("div", { className: "naming" }, field("Name", this.name), this.names, ...this.counting, this.sizing);
  }

  get counts() {
    return { thoracic: Number(this.thoracic.value), lumbar: Number(this.lumbar.value) };
  }

  #others(differences) {
    const section = made("section");
    if (!this.others.length) return section;
    section.append(made("h2", {}, say("The truthers")));
    if (differences.length) section.append(made("ul", { className: "differences" }, ...differences.map((one) => made("li", {}, one))));
    for (const { name, verdict, note, marks } of this.others) {
      const box = made("input", { type: "checkbox", checked: true, id: `show-${name}` });
      box.addEventListener("change", () => {
        if (box.checked) this.drawing.shown.add(name);
        else this.drawing.shown.delete(name);
        this.drawing.repaint();
      });
      const said = [say(VERDICTS[verdict]), note].filter(Boolean).join(": ");
      section.append(made("p", { className: `owner ${name}` }, box, " ", made("label", { htmlFor: box.id }, `${name}: ${said}`)));
      const list = made("ul", { className: "marks" });
      for (const mark of marks) {
        const take = button("Take over", () => this.board.take([mark]));
        list.append(this.#row(mark, () => this.run("goTo", mark), take));
      }
      section.append(list);
      if (marks.length > 1) section.append(button("Take over all", () => this.board.take(marks)));
    }
    return section;
  }

  #keys() {
    const rows = [...TOOLS.map(({ key, label }) => [key.toUpperCase(), label])];
    rows.push(...[...COMMANDS, ...ON_A_MARK].filter(({ shown }) => shown).map(({ shown, label }) => [shown, label]));
    const list = made("dl", { className: "keys" });
    for (const [shown, label] of rows) list.append(made("dt", {}, made("kbd", {}, shown)), made("dd", {}, say(label)));
    return made("details", {}, made("summary", {}, say("Keys of the tools")), list);
  }

  tell(sentence, values) {
    this.news.textContent = say(sentence, values);
  }

  wordsOf(mark) {
    const image = say("image {number}", { number: mark.slice + 1 });
    return [mark.label || say("without a name"), say(KIND_NAMES[mark.kind]), image].join(" · ");
  }

  #row(mark, act, ...more) {
    const text = made("button", { type: "button", className: "mark-row", onclick: act });
    this.#fill(text, mark);
    return made("li", {}, text, ...more);
  }

  #fill(text, mark) {
    const frame = this.board.frames(mark.series, mark.slice);
    const measure = frame ? textOf(mark, frame, this.board.marks) : "";
    const more = [measure, say(this.board.became(mark))].filter(Boolean).join(" · ");
    text.replaceChildren(this.wordsOf(mark), more && made("small", {}, ` ${more}`));
  }

  #showHint() {
    const { tool, next } = this.drawing;
    const { points } = KINDS[tool] ?? {};
    const which = { ...next, count: points, name: say(next.name) };
    this.hint.textContent = next.name ? say("Click point {number} of {count}: {name}", which) : say(HINTS[tool] ?? "");
  }

  show() {
    const { board, drawing } = this;
    for (const one of this.tools.children) one.setAttribute("aria-pressed", one.dataset.tool === drawing.tool);
    this.#showHint();
    const chosen = board.mark;
    const vertebra = chosen ? isVertebra(chosen) : isVertebra({ kind: drawing.kind });
    this.name.value = chosen ? chosen.label : drawing.label;
    const names = vertebra ? chainOf(this.counts) : [...new Set(board.marks.map(({ label }) => label).filter(Boolean))];
    this.names.replaceChildren(...names.map((name) => new Option(name)));
    for (const one of this.counting) one.hidden = !vertebra;
    this.sizing.hidden = drawing.kind !== "mask";
    this.#enable(chosen);
    this.#showMarks();
    this.heights.replaceChildren(heightsTable(board.marks, board.frames, (mark) => this.run("goTo", mark)));
    this.#showModel();
  }

  // Rows stay while their marks do, so that the one with the focus keeps it; else its neighbour takes the focus.
  #showMarks() {
    const { board, marks: list } = this;
    const rows = board.marks.map((mark) => this.#own(mark));
    const before = [...list.children];
    if (rows.length === before.length && rows.every((row, n) => row === before[n])) return;
    const held = before.findIndex((row) => row.contains(document.activeElement));
    list.replaceChildren(...rows);
    if (held >= 0) (rows.find((row) => row === before[held]) ?? rows[Math.min(held, rows.length - 1)] ?? this.commands).firstChild.focus();
    const keys = new Set(board.marks.map(({ key }) => key));
    for (const key of this.rows.keys()) if (!keys.has(key)) this.rows.delete(key);
  }

  #own(mark) {
    const { key } = mark;
    const row = this.rows.get(key) ?? this.#newRow(key, mark);
    this.#fill(row.firstChild, mark);
    row.firstChild.setAttribute("aria-pressed", key === this.board.selected);
    return row;
  }

  // To come to a mark by Tab selects it.
  #newRow(key, mark) {
    const go = () => this.run("goTo", this.board.marks.find((one) => one.key === key));
    const row = this.#row(mark, go);
    row.firstChild.addEventListener("focus", () => this.board.selected !== key && go());
    row.firstChild.addEventListener("keydown", (event) => this.#keyed(event));
    this.rows.set(key, row);
    return row;
  }

  #keyed(event) {
    const arrow = ARROWS[event.key];
    const by = { ",": -1, ".": 1 }[event.key];
    if ((!arrow && !by) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (by) this.run("point", by);
    else this.run("nudge", { arrow, far: event.shiftKey });
  }

  #enable(chosen) {
    const { board: { history }, drawing } = this;
    const [undo, redo] = [drawing.can.stepBack || history.canUndo, drawing.can.stepOn || history.canRedo];
    const can = { undo, redo, hide: true, chain: Boolean(chosen && isVertebra(chosen) && chosen.label) };
    for (const one of this.commands.children) one.disabled = !(can[one.name] ?? Boolean(chosen));
  }

  #showModel() {
    const { board } = this;
    this.model.replaceChildren();
    if (!board.proposed.length) return;
    const { undecided, refused } = board;
    this.model.append(made("h2", {}, say("Marks of {source}", { source: this.source })));
    const said = undecided.length ? "{count} to accept or reject; edit what you accepted." : "All are decided.";
    this.model.append(made("p", {}, say(said, { count: undecided.length })));
    const list = made("ul", { className: "marks" });
    for (const mark of undecided) {
      const accept = button("Accept", () => board.accept(mark.key));
      const reject = button("Reject", () => board.reject(mark.key));
      list.append(this.#row(mark, () => this.run("goTo", mark), accept, reject));
    }
    this.model.append(list);
    const all = [];
    if (undecided.length > 1) all.push(button("Accept all", () => board.acceptAll()), button("Reject all", () => board.rejectAll()));
    if (refused.length) all.push(button("Offer the rejected again", () => board.offerAgain(), { shown: refused.length }));
    if (all.length) this.model.append(made("p", { className: "all" }, ...all));
  }
}
