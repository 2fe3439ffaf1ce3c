// The truthers' page: the viewer, the marks above it, the column beside it, and the opinion that is sent with the marks.

import { mount } from "../reading/preview.js";
import { Board, fits } from "./board.js";
import { meaningOf } from "./commands.js";
import { Drawing } from "./drawing.js";
import { Kept } from "./kept.js";
import { handlesOf, nameOf } from "./moving.js";
import { Panel } from "./panel.js";
import { Saving } from "./saving.js";
import { isVertebra } from "./shapes.js";
import { say } from "./words.js";

const KEEP_AFTER = 300;
const STATES = { saving: "Saving …", saved: "Saved", retrying: "Not saved yet; it is tried again.", refused: "Not saved." };

class Page {
  constructor(viewer, layout, desk) {
    Object.assign(this, { viewer, layout, desk });
    this.form = document.getElementById("opinion");
    this.state = document.getElementById("save-state");
    const proposed = desk.proposal?.marks ?? [];
    const frames = (series, slice) => layout.series[series]?.frames[slice];
    this.board = new Board(desk.work, { frames, proposed });
    const { board } = this;
    const overlays = desk.others.map(({ name, marks }) => ({ owner: name, marks }));
    if (proposed.length) overlays.push({ owner: "model", get marks() { return board.undecided; } });
    this.drawing = new Drawing(layout, board, overlays);
    // As large on a film as on a slice.
    this.drawing.radius = Math.max(this.drawing.radius, Math.round((frames(0, 0)?.columns ?? 0) / 80));
    this.panel = new Panel(document.getElementById("annotation"), {
      board,
      drawing: this.drawing,
      run: (command, value) => this.run(command, value),
      others: desk.others,
      source: desk.proposal?.source ?? "",
      differences: desk.differences,
    });
    this.saving = new Saving({
      url: viewer.dataset.draftUrl,
      csrf: this.form.elements.csrfmiddlewaretoken.value,
      revision: desk.revision,
      work: () => this.work(),
      state: (name, sentence) => this.#tell(name, sentence),
      done: () => this.#saved(),
    });
    this.kept = new Kept(desk.keep);
    this.#restore(desk.work);
    this.#listen();
  }

  // What the server has, and beyond it what this tab has kept of steps to undo and of work that did not arrive.
  #restore({ verdict, note, place, marks, rejected }) {
    const { board } = this;
    this.onServer = { state: board.history.state, form: { verdict, note } };
    const found = this.kept.read({ marks, rejected }, { verdict, note });
    if (found) {
      this.onServer.state = found.base;
      board.history.restore(found);
    }
    const form = found?.form ?? { verdict, note };
    if (form.verdict) this.form.elements.verdict.value = form.verdict;
    this.form.elements.note.value = form.note;
    // Without a place of their own truthers begin where something was drawn.
    const others = this.desk.others.flatMap((other) => other.marks);
    const first = place ?? [...marks, ...others, ...board.proposed][0];
    if (first) this.goTo(first);
    const { dropped } = this.kept;
    if (dropped) this.panel.tell("The oldest steps before the reload can no longer be undone: {count}.", { count: dropped });
    const same = form.verdict === verdict && form.note === note;
    if (found && (found.base !== board.history.state || !same)) this.saving.changed();
  }

  get #typed() {
    const { verdict, note } = this.form.elements;
    return { verdict: verdict.value, note: note.value };
  }

  #keep() {
    clearTimeout(this.keeping);
    this.kept.write(this.board.history.steps, this.onServer.state, { now: this.#typed, before: this.onServer.form });
  }

  #saved() {
    this.onServer = this.sending;
    this.#keep();
  }

  #changed() {
    this.saving.changed();
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.#keep(), KEEP_AFTER);
  }

  #listen() {
    this.board.addEventListener("changed", () => this.#changed());
    this.form.addEventListener("input", () => this.#changed());
    this.drawing.addEventListener("refused", ({ detail }) => this.panel.tell(detail.sentence, detail.values));
    addEventListener("pagehide", () => this.#keep());
    document.addEventListener("keydown", (event) => {
      const meaning = meaningOf(event);
      // Without a mark the key is the viewer's, which removes measurements with it.
      if (!meaning || (event.key === "Delete" && !this.board.mark)) return;
      event.preventDefault();
      event.stopPropagation();
      if (meaning.tool) this.drawing.choose(meaning.tool);
      else this.run(meaning.command);
    }, { capture: true });
    this.form.addEventListener("submit", (event) => this.#submit(event));
    addEventListener("beforeunload", (event) => {
      if (this.saving.dirty && !this.sent) event.preventDefault();
    });
  }

  async #submit(event) {
    event.preventDefault();
    if (this.submitting) return;
    this.submitting = true;
    this.saving.changed();
    this.submitting = await this.saving.flush();
    if (!this.submitting) return;
    this.form.elements.revision.value = this.saving.revision;
    this.sent = true;
    this.form.submit();
  }

  #tell(name, sentence = "") {
    this.state.dataset.state = name;
    this.state.textContent = [say(STATES[name]), sentence].filter(Boolean).join(" ");
  }

  // What is saved: marks without what only the page knows.
  work() {
    const { board, drawing, layout } = this;
    this.sending = { state: board.history.state, form: this.#typed };
    return {
      marks: board.marks,
      rejected: board.rejected,
      ...this.sending.form,
      place: layout.active ? drawing.placeOf(layout.active) : null,
    };
  }

  goTo({ series, slice, key }) {
    const { layout, board } = this;
    const frame = layout.series[series]?.frames[slice];
    if (frame) layout.goTo(frame.url);
    if (key && board.marks.some((mark) => mark.key === key)) board.select(key);
  }

  run(command, value) {
    const { board, drawing } = this;
    if (drawing.holding) return;
    const chosen = board.selected;
    const commands = {
      undo: () => drawing.stepBack() || board.history.undo(),
      redo: () => drawing.stepOn() || board.history.redo(),
      copy: () => this.#copy(1),
      "copy back": () => this.#copy(-1),
      interpolate: () => this.#fill(chosen),
      chain: () => this.#chain(chosen),
      remove: () => this.#remove(),
      next: () => this.#step(1),
      previous: () => this.#step(-1),
      hide: () => this.#hide(),
      smaller: () => this.#brush(0.8),
      larger: () => this.#brush(1.25),
      accept: () => board.accept(board.undecided[0]?.key),
      reject: () => board.reject(board.undecided[0]?.key),
      finish: () => drawing.finish(),
      cancel: () => drawing.cancel() || board.select(""),
      name: () => this.panel.name.focus(),
      rename: () => this.#rename(value),
      goTo: () => this.goTo(value),
      point: () => this.#choosePoint(value),
      nudge: () => this.#nudge(value),
    };
    commands[command]();
  }

  #said(done, sentence) {
    this.panel.tell(done ? "" : sentence);
  }

  #fill(chosen) {
    const { board, panel } = this;
    if (!board.mark) return panel.tell("Choose a mark first.");
    const count = board.interpolate(chosen);
    if (count) panel.tell("Images filled: {count}.", { count });
    else panel.tell("Nothing lies between two marks of this name.");
  }

  #chain(chosen) {
    const { board, panel } = this;
    if (!board.mark?.label || !isVertebra(board.mark)) return panel.tell("Choose a vertebra that has its name; the others follow.");
    const named = board.chain(chosen, panel.counts);
    if (named) panel.tell("Named from {first} to {last}; images: {images}.", named);
    else panel.tell("The names do not reach that far; check the counts.");
  }

  #remove() {
    const { mark } = this.board;
    if (!mark) return;
    this.board.remove(mark.key);
    this.panel.tell("Removed: {mark}. Undo brings it back.", { mark: this.panel.wordsOf(mark) });
  }

  #choosePoint(by) {
    const { board } = this;
    board.choosePoint(by);
    const { mark, point } = board;
    if (!mark?.points.length) return;
    const name = nameOf(mark, point);
    const values = { number: point + 1, count: handlesOf(mark).length, name: name && ` (${say(name)})` };
    this.panel.tell(point < 0 ? "The whole mark is moved." : "Point {number} of {count}{name}", values);
  }

  // Arrows follow the screen, however the image is turned.
  #nudge({ arrow: [right, down], far }) {
    const { board, layout } = this;
    if (!board.mark || !layout.active.frame) return;
    this.goTo(board.mark);
    const { a, b, c, d } = layout.active.matrix().inverse();
    const [dx, dy] = [a * right + c * down, b * right + d * down];
    const unit = (far ? 10 : 1) / Math.hypot(dx, dy);
    const fault = board.move([dx * unit, dy * unit]);
    if (fault) return this.panel.tell(fault);
    const [x, y] = handlesOf(board.mark)[Math.max(0, board.point)].map(Math.round);
    this.panel.tell("Moved to {x}, {y}.", { x, y });
  }

  #copy(by) {
    const { mark } = this.board;
    if (!mark) return this.panel.tell("Choose a mark first.");
    const made = this.board.copy(mark.key, mark.slice + by);
    this.#said(made, "There is no image of the same size.");
    if (made) this.goTo(made);
  }

  #step(by) {
    const { marks, mark } = this.board;
    if (!marks.length) return;
    const at = mark ? marks.indexOf(mark) : -1;
    this.goTo(marks.at((at + by + (mark ? 0 : by < 0)) % marks.length));
  }

  #hide() {
    this.drawing.hidden = !this.drawing.hidden;
    this.drawing.repaint();
  }

  #brush(factor) {
    const { size } = this.panel;
    const now = Number(size.value);
    size.value = factor > 1 ? Math.max(now + 1, Math.round(now * factor)) : Math.min(now - 1, Math.round(now * factor));
    this.drawing.radius = Number(size.value);
    this.drawing.repaint();
  }

  #rename(typed) {
    const { board, drawing, panel } = this;
    const { kind } = board.mark ?? drawing;
    const label = fits({ kind }, typed.toUpperCase()) && isVertebra({ kind }) ? typed.toUpperCase() : typed;
    if (!fits({ kind }, label)) {
      panel.show();
      this.#said(false, "A vertebra bears the name of a level, from C1 to S1.");
    } else if (!board.mark) drawing.label = label;
    else if (!board.name(board.selected, label)) {
      panel.show();
      this.#said(false, "That name is taken on this image.");
    } else if (kind === "mask" && drawing.kind === "mask") drawing.label = label;
  }
}

const viewer = document.getElementById("annotator");
viewer.dataset.caseUrl = viewer.dataset.imagesUrl;
const [layout, answer] = await Promise.all([mount(viewer), fetch(viewer.dataset.deskUrl, { credentials: "same-origin" })]);
if (layout && answer.ok) {
  const page = new Page(viewer, layout, await answer.json());
  viewer.dataset.ready = page.board.marks.length;
} else {
  document.getElementById("save-state").textContent = say("Your work could not be loaded. Please reload the page.");
}
