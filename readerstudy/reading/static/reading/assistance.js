// What the model says, and after a training case the reference: only built where the server sent something. Every time it
// is shown or hidden is recorded, and so is on which images it was really on the screen.

import { button, make } from "./fields.js";
import { FRACTURED, OTHER, OUTLINE, coloured, drawMap, drawMarked, drawOutline, greyOf, outlineOf } from "./overlays.js";
import { outlineOn, pictureOn } from "./planes.js";
import { say } from "./say.js";

// What flies past while the stack is scrolled was not looked at.
const REST = 200;
const KEPT_CUTS = 6;

// In the order in which they are drawn. Those with a `picture` are fetched, the others are in the case itself; field: what
// the case calls it, where that is not its kind.
const LAYERS = [
  { kind: "heatmap", field: "heatmaps", label: "Heat map", key: "H", none: "Nothing supports the positive answer.", missing: "The heat map could not be loaded.", picture: coloured, draw: drawMap },
  { kind: "mask", field: "masks", label: "Outline", key: "K", none: "The model outlines nothing in this case.", missing: "The outline could not be loaded.", picture: outlineOf, draw: drawOutline },
  { kind: "boxes", label: "Boxes", key: "X", none: "The model puts no box in this case.", draw: drawNamed },
  { kind: "levels", label: "Levels", key: "L", none: "The model names no vertebra in this case.", draw: drawNamed },
  { kind: "reference", label: "Reference", key: "X", none: "The reference standard marks no place in this case.", draw: drawNamed, colour: OUTLINE },
];

function drawNamed(context, matrix, _, { points, label, probability, positive, colour }, written) {
  const words = [label, probability === null ? "" : likely(probability)].filter(Boolean).join(" ");
  drawMarked(context, matrix, points, words, colour ?? (positive ? FRACTURED : OTHER), positive === false, written);
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
  #cuts = new Map();
  // In percent; a heat map hides what lies under it.
  #opacity = { heatmap: 50, mask: 100, boxes: 100, levels: 100, reference: 100 };
  #sights = new Map();
  #coming = "";
  #resting = 0;

  constructor(root, expose, layout) {
    this.#root = root;
    this.#expose = expose;
    this.#layout = layout;
    layout.overlay = (context, matrix, frame) => this.#draw(context, matrix, frame);
    layout.addEventListener("painted", () => this.#look());
    document.addEventListener("visibilitychange", () => this.#look());
  }

  // Ends the recorded exposures of the case before.
  close() {
    for (const kind of [...this.#shown]) this.#setShown(kind, false);
    this.#offered = null;
    for (const known of [this.#pictures, this.#cuts, this.#buttons, this.#parts]) known.clear();
    this.#look();
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
    this.status = make("p", { className: "help", role: "status" });
    const { algorithm } = offered;
    this.switches = make("div", { className: "switches" });
    const figures = this.#figures(offered);
    const parts = LAYERS.flatMap((layer) => this.#layerParts(layer));
    const title = make("h2", { textContent: say(algorithm ? "Model" : "Reference") });
    this.#root.append(title, ...figures, this.switches, ...parts, ...this.#guide(), this.status);
    if (algorithm) this.#root.append(make("p", { className: "provenance", textContent: say("Output of {algorithm}", offered) }));
    // A heat map hides what lies under it: the protocol may let it wait until it is asked for.
    const waits = (kind) => kind === "heatmap" && !offered.heatmap_at_once;
    for (const kind of ["probability", ...LAYERS.map(({ kind }) => kind)]) if (!waits(kind)) this.toggle(kind);
  }

  #offerRequest(request) {
    this.#root.hidden = false;
    this.#root.append(make("div", { className: "toggles" }, button(say("Show the model's output"), request, "G")));
  }

  #figures(offered) {
    if (typeof offered.probability !== "number") return [];
    const panel = probabilityPanel(offered);
    this.#parts.set("probability", panel);
    this.#addButton("probability", say("Probability"), "M");
    return [panel];
  }

  #layerParts({ kind, field = kind, label, key, none }) {
    const found = this.#offered[field];
    if (!found) return [];
    if (!found.length) return [make("p", { className: "help", textContent: say(none) })];
    this.#addButton(kind, say(label), key);
    this.switches.append(this.#slider(kind, say("Opacity: {label}", { label: say(label) })));
    const part = make("div", { hidden: true });
    if (kind === "levels") part.append(levelTable(found, this.#layout));
    const where = whereabouts(found, this.#layout.series);
    if (where) part.append(make("p", { className: "help", textContent: say("{label} on {where}", { label: say(label), where }) }));
    this.#parts.set(kind, part);
    return [part];
  }

  #slider(kind, title) {
    const slider = make("input", { type: "range", min: 10, max: 100, step: 5, value: this.#opacity[kind], title, ariaLabel: title });
    slider.addEventListener("input", () => {
      this.#opacity[kind] = Number(slider.value);
      this.#layout.repaint();
    });
    // Once the hand lets go of it.
    slider.addEventListener("change", () => this.#exposeShown(kind));
    return slider;
  }

  // Of figures, which have no opacity, it is left out on the way.
  #exposeShown(kind) {
    this.#expose(kind, "shown", { opacity: this.#opacity[kind] });
  }

  #addButton(kind, label, key) {
    const toggle = button(label, () => this.toggle(kind), key);
    toggle.ariaPressed = false;
    this.#buttons.set(kind, toggle);
    this.switches.append(toggle);
  }

  // In a stack the output may lie on an image that is not in sight.
  #guide() {
    if (!this.#places().length || this.#layout.frames.length < 2) return [];
    const words = this.#offered.algorithm ? "Next image with output" : "Next image with a mark";
    return [make("div", { className: "toggles" }, button(say(words), () => this.goOn(), "G"))];
  }

  #places() {
    const found = new Set(LAYERS.flatMap(({ kind, field = kind }) => this.#offered[field] ?? []).map(({ frame }) => frame));
    return this.#layout.frames.map(({ url }) => url).filter((url) => found.has(url));
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
    if (layer?.picture && !this.#shown.has(kind)) this.#showPictures(layer, this.#offered);
    else this.#setShown(kind, !this.#shown.has(kind));
    return true;
  }

  // Recorded only once the pictures of what is in sight can really be seen.
  async #showPictures(layer, offered) {
    const inSight = new Set(this.#layout.panes.map((pane) => pane.wanted.url));
    const wanted = offered[layer.field];
    try {
      await Promise.all(wanted.filter(({ frame }) => inSight.has(frame)).map((one) => this.#fetch(layer, one)));
    } catch {
      if (this.#offered !== offered) return;
      this.status.textContent = say(layer.missing);
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
    const entry = {};
    entry.coming = greyOf(url).then((grey) => {
      Object.assign(entry, grey, { picture: layer.picture(grey) });
      this.#cuts.clear();
      this.#layout.repaint();
    });
    entry.coming.catch(() => this.#pictures.delete(url));
    this.#pictures.set(url, entry);
    return entry.coming;
  }

  // What lies on a frame, layer by layer, of what is switched on and here; on a plane what lies on the slices it cuts.
  #on(frame) {
    const layers = this.#offered ? LAYERS.filter(({ kind }) => this.#shown.has(kind)) : [];
    return layers.map((layer) => ({ ...layer, found: this.#found(layer, frame) })).filter(({ found }) => found.length);
  }

  #found(layer, frame) {
    const offered = this.#offered[layer.field ?? layer.kind];
    const here = (frame.cut?.stack ?? [frame]).flatMap(({ url }, slice) => {
      return offered.filter((one) => one.frame === url).map((one) => ({ ...one, slice, ...this.#pictures.get(one.url) }));
    });
    if (!layer.picture) {
      const drawn = here.map((one) => ({ ...one, colour: layer.colour, points: frame.cut ? outlineOn(frame, one) : one.points }));
      return drawn.filter(({ points }) => points.length);
    }
    const come = here.filter(({ picture }) => picture);
    return frame.cut && come.length ? this.#cut(layer, frame, come) : come;
  }

  #cut({ kind, picture }, frame, pictures) {
    const key = kind + frame.url;
    if (this.#cuts.size > KEPT_CUTS) this.#cuts.clear();
    if (!this.#cuts.has(key)) {
      const grey = pictureOn(frame, pictures);
      this.#cuts.set(key, grey.grey.some(Boolean) ? [{ ...grey, picture: picture(grey) }] : []);
    }
    return this.#cuts.get(key);
  }

  #draw(context, matrix, frame) {
    const written = [];
    for (const { kind, draw, found } of this.#on(frame)) {
      context.globalAlpha = this.#opacity[kind] / 100;
      for (const one of found) draw(context, matrix, frame, one, written);
    }
    context.globalAlpha = 1;
  }

  // On which images what is on the screen.
  #look() {
    const now = new Map();
    for (const { frame, host } of document.hidden ? [] : this.#layout.panes) {
      // Another view may have the whole screen.
      if (!frame || !host.clientWidth) continue;
      const { plane, position, stack } = frame.cut ?? { stack: [frame] };
      for (const { kind } of this.#on(frame)) {
        const one = { kind, image: this.#layout.numberOf(stack[0].url), plane, position };
        now.set(Object.values(one).join(), one);
      }
    }
    for (const [key, one] of this.#sights) if (!now.has(key)) this.#see(key, one, "hidden");
    const coming = [...now.keys()].join();
    if (coming === this.#coming) return;
    this.#coming = coming;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      for (const [key, one] of now) if (!this.#sights.has(key)) this.#see(key, one, "shown");
    }, REST);
  }

  #see(key, one, event) {
    const { kind, ...at } = one;
    if (event === "shown") this.#sights.set(key, one);
    else this.#sights.delete(key);
    this.#expose(kind, event, at);
  }

  // What is on the screen at this moment, so that a submission can say that it ends there.
  get visible() {
    return [...this.#sights.values(), ...[...this.#shown].map((kind) => ({ kind }))];
  }

  #setShown(kind, shown) {
    if (this.#shown.has(kind) === shown) return;
    if (shown) this.#shown.add(kind);
    else this.#shown.delete(kind);
    this.#buttons.get(kind).ariaPressed = shown;
    this.#parts.get(kind).hidden = !shown;
    this.#layout.repaint();
    if (shown) this.#exposeShown(kind);
    else this.#expose(kind, "hidden");
  }
}

// What was found, as words and figures beside the image: probability, vertebrae, on which images.

// One decimal, a half rounded up, as the pages of the server have it.
const percent = (share) => `${(Math.round(share * 1000) / 10).toFixed(1)} %`;

// Of something that is not known: never none of it and never all.
function likely(share) {
  if (share < 0.0005) return "<0.1 %";
  return share >= 0.9995 ? ">99.9 %" : percent(share);
}

function verdictOf({ operating_point: point, positive, uncertain, abstain }) {
  if (uncertain) return say("Uncertain: from {low} to {high} the model does not decide", { low: percent(abstain[0]), high: percent(abstain[1]) });
  const sentence = positive ? "Positive: at or above the operating point of {point}" : "Negative: below the operating point of {point}";
  return say(sentence, { point: percent(point) });
}

function probabilityPanel(offered) {
  const { probability, operating_point: point } = offered;
  const figure = make("p", { className: "probability" });
  figure.append(make("strong", { textContent: likely(probability) }), make("span", { textContent: say(" probability") }));
  const fill = make("div", { className: "meter-fill" });
  fill.style.width = `${probability * 100}%`;
  const tick = make("div", { className: "meter-point" });
  tick.style.left = `${point * 100}%`;
  const meter = make("div", { className: "meter", ariaHidden: true }, fill, tick);
  const verdict = make("p", { className: "verdict", textContent: verdictOf(offered) });
  return make("div", { hidden: true }, figure, meter, verdict);
}

// "images 4–6, 9 of T1W"; nothing where the case is a single image.
function whereabouts(found, series) {
  if (series.length === 1 && series[0].frames.length === 1) return "";
  const urls = new Set(found.map(({ frame }) => frame));
  const parts = series.map(({ label, frames }, n) => {
    const numbers = frames.flatMap(({ url }, place) => (urls.has(url) ? [place + 1] : []));
    if (!numbers.length) return "";
    const values = { numbers: runs(numbers), series: label || say("Series {number}", { number: n + 1 }) };
    if (series.length > 1) return say(numbers.length > 1 ? "images {numbers} of {series}" : "image {numbers} of {series}", values);
    return say(numbers.length > 1 ? "images {numbers}" : "image {numbers}", values);
  });
  return parts.filter(Boolean).join("; ");
}

function runs(numbers) {
  const spans = [];
  for (const number of numbers) {
    const last = spans.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else spans.push([number, number]);
  }
  return spans.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

// One row a vertebra; in a stack its row leads to its image.
function levelTable(levels, layout) {
  const figures = levels.some(({ probability }) => probability !== null);
  const stack = layout.series.some(({ frames }) => frames.length > 1);
  const names = [say("Level"), ...(figures ? [say("Probability"), say("Decision")] : []), ...(stack ? [say("Image")] : [])];
  const head = make("tr", {}, ...names.map((textContent) => make("th", { textContent, scope: "col" })));
  const body = levels.map(({ label, probability, positive, frame }) => {
    const cells = figures ? [likely(probability), positive ? say("positive") : say("negative")] : [];
    const row = make("tr", {}, make("th", { textContent: label, scope: "row" }), ...cells.map((textContent) => make("td", { textContent })));
    if (positive) row.className = "positive";
    if (stack) row.append(make("td", {}, wayTo(frame, label, layout)));
    return row;
  });
  const caption = make("caption", { className: "visually-hidden", textContent: say("Vertebrae named by the model") });
  return make("table", { className: "levels" }, caption, make("thead", {}, head), make("tbody", {}, ...body));
}

function wayTo(frame, label, layout) {
  const place = layout.series.map(({ frames }) => frames.findIndex(({ url }) => url === frame)).find((n) => n >= 0);
  const way = button(place + 1, () => layout.goTo(frame));
  way.ariaLabel = say("Go to image {number}, {label}", { number: place + 1, label });
  return way;
}
