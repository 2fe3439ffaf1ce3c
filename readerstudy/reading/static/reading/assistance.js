// What the model says: only built where the server sent something, and every time it is shown or hidden is recorded.

import { make } from "./fields.js";
import { FRACTURED, OTHER, coloured, drawMap, drawMarked, drawOutline, greyOf, outlineOf } from "./overlays.js";
import { say } from "./say.js";
import { levelTable, likely, probabilityPanel, whereabouts } from "./findings.js";

// In the order in which they are drawn. `pictures` are fetched, the others are in the case itself.
const LAYERS = [
  { kind: "heatmap", field: "heatmaps", label: "Heat map", key: "H", none: "Nothing supports the positive answer.", missing: "The heat map could not be loaded.", pictures: coloured },
  { kind: "mask", field: "masks", label: "Outline", key: "K", none: "The model outlines nothing in this case.", missing: "The outline could not be loaded.", pictures: outlined },
  { kind: "boxes", field: "boxes", label: "Boxes", key: "X", none: "The model puts no box in this case." },
  { kind: "levels", field: "levels", label: "Levels", key: "L", none: "The model names no vertebra in this case." },
];

function outlined(grey) {
  return { width: grey.width, height: grey.height, lines: outlineOf(grey) };
}

export class Assistance {
  #root;
  #expose;
  #layout;
  #offered = null;
  #shown = new Set();
  #buttons = new Map();
  #parts = new Map();
  #pictures = new Map();
  #opacity = 0.5;

  constructor(root, expose, layout) {
    this.#root = root;
    this.#expose = expose;
    this.#layout = layout;
    layout.overlay = (context, matrix, frame) => this.#draw(context, matrix, frame);
  }

  // Ends the recorded exposures of the case before.
  close() {
    for (const kind of [...this.#shown]) this.#setShown(kind, false);
    this.#offered = null;
    for (const known of [this.#pictures, this.#buttons, this.#parts]) known.clear();
    this.#layout.repaint();
    this.#root.replaceChildren();
    this.#root.hidden = true;
  }

  // request: asks the server for the output where the arm shows it on request.
  open(offered, request) {
    this.#offered = offered;
    if (!offered && request) this.#offerRequest(request);
    if (!offered) return;
    this.#root.hidden = false;
    this.status = make("p", { className: "help" });
    this.status.setAttribute("role", "status");
    const figures = this.#figures(offered);
    const toggles = make("div", { className: "toggles" });
    const parts = LAYERS.flatMap((layer) => this.#layerParts(layer));
    toggles.append(...this.#buttons.values());
    const provenance = make("p", { className: "provenance", textContent: say("Output of {algorithm}", offered) });
    const title = make("h2", { textContent: say("Model") });
    this.#root.append(title, ...figures, toggles, ...parts, ...this.#guide(), this.status, provenance);
    // A heat map hides what lies under it: the protocol may let it wait until it is asked for.
    const waits = (kind) => kind === "heatmap" && !offered.heatmap_at_once;
    for (const kind of ["probability", ...LAYERS.map(({ kind }) => kind)]) if (!waits(kind)) this.toggle(kind);
  }

  #offerRequest(request) {
    const ask = make("button", { type: "button", className: "tool toggle" });
    ask.append(make("span", { textContent: say("Show the model's output") }), make("kbd", { textContent: "G" }));
    ask.setAttribute("aria-keyshortcuts", "G");
    ask.addEventListener("click", request);
    this.#root.hidden = false;
    this.#root.append(make("div", { className: "toggles" }, ask));
  }

  #figures(offered) {
    if (offered.probability === null) return [];
    const panel = probabilityPanel(offered);
    this.#parts.set("probability", panel);
    this.#addButton("probability", say("Probability"), "M");
    return [panel];
  }

  #layerParts({ kind, field, label, key, none }) {
    const found = this.#offered[field];
    if (!found) return [];
    if (!found.length) return [make("p", { className: "help", textContent: say(none) })];
    this.#addButton(kind, say(label), key);
    const part = make("div", { hidden: true });
    if (kind === "heatmap") part.append(this.#slider());
    if (kind === "levels") part.append(levelTable(found, this.#layout));
    const where = whereabouts(found, this.#layout.series);
    if (where) part.append(make("p", { className: "help", textContent: say("{label} on {where}", { label: say(label), where }) }));
    this.#parts.set(kind, part);
    return [part];
  }

  #slider() {
    const slider = make("input", { type: "range", min: 10, max: 100, step: 5, value: this.#opacity * 100, id: "opacity" });
    slider.addEventListener("input", () => {
      this.#opacity = slider.value / 100;
      this.#layout.repaint();
    });
    const label = make("label", { htmlFor: slider.id, textContent: say("Opacity") });
    return make("div", { className: "opacity" }, label, slider);
  }

  #addButton(kind, label, key) {
    const hint = make("kbd", { textContent: key });
    const element = make("button", { type: "button", className: "tool toggle" }, make("span", { textContent: label }), hint);
    element.setAttribute("aria-pressed", "false");
    element.setAttribute("aria-keyshortcuts", key);
    element.addEventListener("click", () => this.toggle(kind));
    this.#buttons.set(kind, element);
  }

  // In a stack the output may lie on an image that is not in sight.
  #guide() {
    const places = this.#places();
    const count = this.#layout.series.reduce((sum, { frames }) => sum + frames.length, 0);
    if (!places.length || count < 2) return [];
    const hint = make("kbd", { textContent: "G" });
    const go = make("button", { type: "button", className: "tool toggle" }, make("span", { textContent: say("Next image with output") }), hint);
    go.setAttribute("aria-keyshortcuts", "G");
    go.addEventListener("click", () => this.goOn());
    return [make("div", { className: "toggles" }, go)];
  }

  #places() {
    const found = new Set(LAYERS.flatMap(({ field }) => this.#offered[field] ?? []).map(({ frame }) => frame));
    return this.#layout.series.flatMap(({ frames }) => frames.map(({ url }) => url)).filter((url) => found.has(url));
  }

  goOn() {
    const places = this.#offered ? this.#places() : [];
    if (!places.length) return false;
    const here = places.indexOf(this.#layout.active.wanted.url);
    this.#layout.goTo(places[(here + 1) % places.length]);
    return true;
  }

  // True where there was something to toggle.
  toggle(kind) {
    if (!this.#buttons.has(kind)) return false;
    const layer = LAYERS.find((one) => one.kind === kind);
    if (layer?.pictures && !this.#shown.has(kind)) this.#showPictures(layer, this.#offered);
    else this.#setShown(kind, !this.#shown.has(kind));
    return true;
  }

  // Recorded only once the pictures of what is in sight can really be seen.
  async #showPictures(layer, offered) {
    const inSight = new Set(this.#layout.panes.map((pane) => pane.wanted.url));
    const wanted = offered[layer.field];
    try {
      await Promise.all(wanted.filter(({ frame }) => inSight.has(frame)).map((one) => this.#fetch(layer, one)));
    } catch (error) {
      if (this.#offered !== offered) return;
      this.status.textContent = `${say(layer.missing)} ${error.message}`;
      return;
    }
    // Another case may have come meanwhile.
    if (this.#offered !== offered || this.#shown.has(layer.kind)) return;
    this.status.textContent = "";
    this.#setShown(layer.kind, true);
    for (const one of wanted) this.#fetch(layer, one).catch(() => this.#pictures.delete(one.url));
  }

  #fetch(layer, { url }) {
    const known = this.#pictures.get(url);
    if (known) return known.coming;
    const entry = { picture: null };
    entry.coming = greyOf(url).then((grey) => {
      entry.picture = layer.pictures(grey);
      this.#layout.repaint();
    });
    entry.coming.catch(() => this.#pictures.delete(url));
    this.#pictures.set(url, entry);
    return entry.coming;
  }

  #draw(context, matrix, frame) {
    if (!this.#offered) return;
    const here = (field) => (this.#offered[field] ?? []).filter((one) => one.frame === frame.url);
    const pictures = (field) => here(field).map(({ url }) => this.#pictures.get(url)?.picture).filter(Boolean);
    if (this.#shown.has("heatmap")) for (const map of pictures("heatmaps")) drawMap(context, matrix, frame, map, this.#opacity);
    if (this.#shown.has("mask")) for (const lines of pictures("masks")) drawOutline(context, matrix, frame, lines);
    for (const field of ["boxes", "levels"].filter((kind) => this.#shown.has(kind))) {
      for (const { points, label, probability, positive } of here(field)) {
        const words = [label, probability === null ? "" : likely(probability)].filter(Boolean).join(" ");
        drawMarked(context, matrix, points, words, positive ? FRACTURED : OTHER, positive === false);
      }
    }
  }

  // What is on the screen at this moment, so that a submission can say that it ends there.
  get visible() {
    return [...this.#shown];
  }

  #setShown(kind, shown) {
    if (this.#shown.has(kind) === shown) return;
    if (shown) this.#shown.add(kind);
    else this.#shown.delete(kind);
    this.#buttons.get(kind)?.setAttribute("aria-pressed", shown);
    const part = this.#parts.get(kind);
    if (part) part.hidden = !shown;
    this.#layout.repaint();
    this.#expose(kind, shown ? "shown" : "hidden");
  }
}
