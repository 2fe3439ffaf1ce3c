// The truthers' page: the viewer, the marks above it, the column beside it, and the opinion that is sent with the marks.

import { mount } from "../reading/preview.js";
import { Board } from "./board.js";
import { meaningOf } from "./commands.js";
import { Drawing } from "./drawing.js";
import { Panel } from "./panel.js";
import { Saving } from "./saving.js";
import { say } from "./words.js";

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
    this.panel = new Panel(document.getElementById("annotation"), {
      board,
      drawing: this.drawing,
      run: (command, value) => this.run(command, value),
      others: desk.others,
      source: desk.proposal?.source ?? "",
      differences: desk.differences,
    });
    this.#restore(desk.work);
    this.saving = new Saving({
      url: viewer.dataset.draftUrl,
      csrf: this.form.elements.csrfmiddlewaretoken.value,
      revision: desk.revision,
      work: () => this.work(),
      state: (name, sentence) => this.#tell(name, sentence),
    });
    this.#listen();
  }

  #restore({ verdict, note, place }) {
    if (verdict) this.form.elements.verdict.value = verdict;
    this.form.elements.note.value = note;
    if (place) this.goTo(place);
  }

  #listen() {
    this.board.addEventListener("changed", () => this.saving.changed());
    this.form.addEventListener("input", () => this.saving.changed());
    document.addEventListener("keydown", (event) => {
      const meaning = meaningOf(event);
      if (!meaning) return;
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
    this.saving.changed();
    if (!(await this.saving.flush())) return;
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
    const { form, board, drawing, layout } = this;
    return {
      marks: board.marks,
      rejected: board.rejected,
      verdict: form.elements.verdict.value,
      note: form.elements.note.value,
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
    const chosen = board.selected;
    const commands = {
      undo: () => drawing.stepBack() || board.history.undo(),
      redo: () => board.history.redo(),
      copy: () => this.#copy(),
      interpolate: () => this.#said(board.interpolate(chosen), "Nothing lies between two marks of this name."),
      chain: () => this.#said(board.chain(chosen, this.panel.counts), "The names do not reach that far; check the counts."),
      remove: () => board.remove(chosen),
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
    };
    commands[command]();
  }

  #said(done, sentence) {
    this.panel.hint.textContent = done ? "" : say(sentence);
  }

  #copy() {
    const { mark } = this.board;
    const made = mark && this.board.copy(mark.key, mark.slice + 1);
    this.#said(made, "There is no next image of the same size.");
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

  #rename(label) {
    const { board, drawing, panel } = this;
    if (!board.mark) drawing.label = label;
    else if (!board.name(board.selected, label)) {
      panel.show();
      this.#said(false, "That name is taken on this image.");
    }
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
