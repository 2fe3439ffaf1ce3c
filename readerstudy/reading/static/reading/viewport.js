// One viewport: which frame of a series it shows and how (window, zoom, position, turn, inversion).
//
// What other modules build on (marks, measurements, annotation):
//   frame                    what is shown: url, rows, columns, spacing [row, column], calibrated, position, orientation,
//                            slope, intercept, window; null before the first image. index, series: where it stands.
//   matrix()                 image points to device pixels, for canvases; screenMatrix() to CSS pixels of the pane.
//   toScreen({x, y})         an image point in CSS pixels of the pane; pointAt(clientX, clientY) the image point there.
//   addLayer(className)      an SVG group in CSS pixels of the pane, above the pixels, never mirrored nor scaled; it takes
//                            pointer events only where its style says so.
//   painters                 functions (context, matrix, frame) that draw under the layers, in device pixels.
//   grips                    functions (event, point) asked at a press of the pointer, last added first: null, or
//                            { move(event, point), end(event, point) } that then gets the whole drag.
//   levels                   the pixels: levels[0] = { pixels, rows, columns }, smaller copies after it.
//   events                   "painted" after each drawing (redraw layers then), "refreshed" where layers alone are to be
//                            redrawn, "scrolled" and "windowed" when somebody changed the image or the window here,
//                            "hovered" (detail: { point, clientX, clientY }, or null where the pointer left).
// A series may have a source of its own for its frames: { peek(frame), load(frame, priority) }, as PixelStore has.
// Image points count from the corner of the first pixel, whose centre is (0.5, 0.5), as in DICOM SCOORD.

import { Captions } from "./captions.js";
import { made, make } from "./fields.js";
import { Dropped, previewOf } from "./pixels.js";
import { draw, levelFor, windowTable } from "./raster.js";
import { say } from "./say.js";

const SHARPEN_AFTER = 80;
const RETRY_AFTER = 3000;

const held = (value, least, most) => Math.max(least, Math.min(most, value));
// Of what comes from outside; also NaN and what is no number at all.
export const known = (value, otherwise) => (Number.isFinite(value) ? value : otherwise);

// Pixels need not be square: everything is measured in units of the column spacing.
const tallOf = (frame) => (frame.spacing ? frame.spacing[0] / frame.spacing[1] : 1);

// How an image lies on the screen: zoom, place, quarter turns and mirroring, in one affine map.
class View {
  turns = 0;
  mirrored = false;

  constructor() {
    this.fit();
  }

  fit() {
    this.zoom = 1;
    this.centre = { x: 0.5, y: 0.5 };
  }

  reset() {
    this.fit();
    this.turns = 0;
    this.mirrored = false;
  }

  turn(quarters) {
    this.turns = (this.turns + quarters + 4) % 4;
  }

  // Left and right of the screen change places, however the image is turned; with across false, top and bottom do.
  flip(across) {
    this.turns = (across ? 4 - this.turns : 6 - this.turns) % 4;
    this.mirrored = !this.mirrored;
  }

  // Device pixels for an image column when the whole image is seen.
  fitting(frame, width, height) {
    const [wide, high] = [frame.columns, frame.rows * tallOf(frame)];
    return this.turns % 2 ? Math.min(width / high, height / wide) : Math.min(width / wide, height / high);
  }

  // Image points (from the corner of the first pixel) to pixels of a screen of that size.
  matrix(frame, width, height) {
    const scale = this.fitting(frame, width, height) * this.zoom;
    return new DOMMatrix()
      .translateSelf(width / 2, height / 2)
      .rotateSelf(90 * this.turns)
      .scaleSelf(this.mirrored ? -scale : scale, scale * tallOf(frame))
      .translateSelf(-frame.columns * this.centre.x, -frame.rows * this.centre.y);
  }

  // The centre of the screen never leaves the image, so that it cannot be lost.
  moveBy(frame, dx, dy) {
    this.centre.x = held(this.centre.x + dx / frame.columns, 0, 1);
    this.centre.y = held(this.centre.y + dy / frame.rows, 0, 1);
  }

  zoomBy(factor) {
    this.zoom = held(this.zoom * factor, 0.1, 64);
  }

  takeUp({ zoom, centre, turns, mirrored }) {
    this.zoom = held(known(zoom, 1), 0.1, 64);
    this.centre = { x: held(known(centre?.x, 0.5), 0, 1), y: held(known(centre?.y, 0.5), 0, 1) };
    this.turns = known(turns, 0) & 3;
    this.mirrored = mirrored === true;
  }
}

export class Viewport extends EventTarget {
  #store;
  #context;
  #overlayContext;
  #drawing = 0;
  #sharpening = 0;
  #table = { key: "" };

  constructor(store) {
    super();
    this.#store = store;
    this.view = new View();
    this.painters = [];
    this.grips = [];
    this.#build();
    this.#size();
    new ResizeObserver(() => {
      this.#size();
      this.paint();
    }).observe(this.host);
  }

  #build() {
    this.host = make("div", { className: "pane", tabIndex: 0, role: "group" });
    this.canvas = make("canvas", { className: "pixels" });
    this.overlay = make("canvas", { className: "pixels overlay" });
    // Out of the flow even where the style sheet is missing: a canvas that widens its own frame would grow without end.
    for (const canvas of [this.canvas, this.overlay]) canvas.style.position = "absolute";
    this.svg = made("svg", { class: "pixels layers" });
    this.slider = make("input", { className: "stack", type: "range", min: 1, step: 1, value: 1 });
    this.host.append(this.canvas, this.overlay, this.svg);
    this.captions = new Captions(this.host);
    this.host.append(this.slider);
    this.#context = this.canvas.getContext("2d", { alpha: false });
    this.#overlayContext = this.overlay.getContext("2d");
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value) - 1));
  }

  #size() {
    const ratio = devicePixelRatio;
    const box = this.host.getBoundingClientRect();
    this.width = Math.max(1, Math.round(box.width * ratio));
    this.height = Math.max(1, Math.round(box.height * ratio));
    for (const canvas of [this.canvas, this.overlay]) Object.assign(canvas, { width: this.width, height: this.height });
    this.image = this.#context.createImageData(this.width, this.height);
    this.colours = new Uint32Array(this.image.data.buffer);
  }

  addLayer(className) {
    const layer = made("g", { class: className });
    this.svg.append(layer);
    return layer;
  }

  // window: the first one instead of the image's own; index: the first image instead of the middle one.
  show(series, { window = null, index = (series.frames.length - 1) >> 1 } = {}) {
    this.series = series;
    this.frame = null;
    this.levels = null;
    this.complete = false;
    this.index = index;
    this.firstWindow = window;
    this.slider.max = series.frames.length;
    this.slider.hidden = series.frames.length < 2;
    const name = series.label || say("the series");
    this.slider.ariaLabel = say("Image of {name}", { name });
    this.host.ariaLabel = say("Image viewer: {name}", { name });
    this.reset();
    const shown = this.go(index, true);
    if (this.frame) this.#paintNow();
    else this.clear();
    return shown;
  }

  clear() {
    this.colours.fill(0xff000000);
    this.#context.putImageData(this.image, 0, 0);
    this.#overlayContext.clearRect(0, 0, this.width, this.height);
    this.captions.clear();
  }

  // As the image came up first.
  reset() {
    const first = this.firstWindow ?? this.wanted?.window;
    this.window = first ? { ...first } : null;
    this.inverted = false;
    this.view.reset();
    this.paint();
  }

  get state() {
    const { index, window, inverted, view } = this;
    return { index, window, inverted, ...view };
  }

  // Such a state from outside, within what can be.
  takeUp(kept) {
    const { index, window, inverted } = kept;
    this.go(known(index, this.index) | 0, true);
    if (known(window?.width, 0) > 0 && Number.isFinite(window.center)) this.setWindow(window, { quiet: true });
    this.inverted = inverted === true;
    this.view.takeUp(kept);
  }

  // One image column on one device pixel.
  actual() {
    if (!this.frame) return;
    this.view.zoom = 1 / this.view.fitting(this.frame, this.width, this.height);
    this.paint();
  }

  // quiet: moved with another viewport, so that the two do not chase each other.
  async go(index, quiet = false) {
    this.index = Math.max(0, Math.min(this.series.frames.length - 1, index));
    this.slider.value = this.index + 1;
    if (!quiet) this.dispatchEvent(new Event("scrolled"));
    const frame = this.series.frames[this.index];
    const source = this.series.source ?? this.#store;
    const here = source.peek(frame);
    if (here) return this.#take(frame, here, !here.partial);
    this.complete = false;
    this.host.dataset.painted = "";
    this.captions.message.textContent = say("Loading the image …");
    const preview = previewOf(frame);
    try {
      if (preview && !this.frame) {
        const coarse = source.load(preview, 20);
        coarse.then((levels) => this.#wants(frame) && !this.complete && this.#take(frame, levels, false), () => {});
      }
      const levels = await source.load(frame, 10);
      if (this.#wants(frame)) this.#take(frame, levels);
    } catch (error) {
      if (error instanceof Dropped || !this.#wants(frame)) return;
      this.captions.message.textContent = say("The image could not be loaded; it is tried again.");
      setTimeout(() => this.#wants(frame) && this.go(this.index, true), RETRY_AFTER);
    }
  }

  // The frame that this viewport is turned to, whether or not its pixels are here yet.
  get wanted() {
    return this.series.frames[this.index];
  }

  #wants(frame) {
    return this.wanted === frame;
  }

  #take(frame, levels, complete = true) {
    this.frame = frame;
    this.levels = levels;
    this.complete = complete;
    this.window ??= { ...frame.window };
    this.captions.message.textContent = complete ? "" : say("Loading the full image …");
    this.paint();
  }

  matrix() {
    return this.view.matrix(this.frame, this.width, this.height);
  }

  screenMatrix() {
    const less = 1 / devicePixelRatio;
    return new DOMMatrix().scaleSelf(less, less).multiplySelf(this.matrix());
  }

  toScreen(point) {
    return this.screenMatrix().transformPoint(point);
  }

  // Where the pointer is, in CSS pixels of the pane.
  placeOf({ clientX, clientY }) {
    const { left, top } = this.host.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  pointAt(clientX, clientY) {
    return this.screenMatrix().inverse().transformPoint(this.placeOf({ clientX, clientY }));
  }

  // As a pointer there would be.
  get middle() {
    const { left, top, width, height } = this.host.getBoundingClientRect();
    return { clientX: left + width / 2, clientY: top + height / 2 };
  }

  // Zooms so that the image point under the pointer, or in the middle, stays there.
  zoomBy(factor, { clientX, clientY } = this.middle) {
    if (!this.frame) return;
    const fixed = this.pointAt(clientX, clientY);
    this.view.zoomBy(factor);
    const moved = this.pointAt(clientX, clientY);
    this.view.moveBy(this.frame, fixed.x - moved.x, fixed.y - moved.y);
    this.paint(true);
  }

  panBy(dx, dy) {
    if (!this.frame) return;
    const { a, b, c, d } = this.screenMatrix().inverse();
    this.view.moveBy(this.frame, -(a * dx + c * dy), -(b * dx + d * dy));
    this.paint(true);
  }

  windowBy(brighter, wider) {
    if (!this.window || !this.frame) return;
    const step = this.window.width / 400;
    const finest = Math.min(1, Math.abs(this.frame.slope));
    const width = Math.max(2 * finest, this.window.width * Math.exp(wider / 300));
    // A look-up table gives way to a line over its range; the shape of a curve stays.
    this.setWindow({ center: this.window.center - brighter * step, width, shape: this.window.shape }, { hurried: true });
  }

  setWindow({ center, width, shape, table }, { hurried = false, quiet = false } = {}) {
    this.window = { center, width, shape, table };
    this.paint(hurried);
    if (!quiet) this.dispatchEvent(new Event("windowed"));
  }

  // The shown value under a point, or null outside the image.
  valueAt({ x, y }) {
    const level = this.levels?.[0];
    if (!level || !this.complete || x < 0 || y < 0 || x >= level.columns || y >= level.rows) return null;
    return this.frame.slope * level.pixels[Math.floor(y) * level.columns + Math.floor(x)] + this.frame.intercept;
  }

  // hurried: nearest neighbour now, smooth as soon as the hand rests.
  paint(hurried = false) {
    clearTimeout(this.#sharpening);
    if (hurried) this.#sharpening = setTimeout(() => this.paint(), SHARPEN_AFTER);
    this.hurried = hurried;
    if (this.#drawing || !this.frame) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      if (this.frame) this.#paintNow();
    });
  }

  // The layers alone.
  refresh() {
    if (this.frame) this.dispatchEvent(new Event("refreshed"));
  }

  // What lies ready is drawn in the very task, a frame of the screen earlier.
  #paintNow() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
    const matrix = this.matrix();
    this.drawInto(this.colours, this.width, this.height, matrix.inverse(), !this.hurried);
    this.#context.putImageData(this.image, 0, 0);
    this.#overlayContext.clearRect(0, 0, this.width, this.height);
    for (const painter of this.painters) painter(this.#overlayContext, matrix, this.frame);
    this.captions.describe(this);
    this.host.dataset.painted = this.complete ? this.frame.url : "";
    this.dispatchEvent(new Event("painted"));
  }

  // The image through its window into packed colours; back: from their points to those of the image.
  drawInto(colours, width, height, back, smooth) {
    const level = levelFor(this.levels, Math.hypot(back.a, back.b));
    const toLevel = new DOMMatrix().scaleSelf(1 / level.scale).multiplySelf(back);
    draw(colours, width, height, level, toLevel, this.#colourTable(), smooth);
  }

  #colourTable() {
    const { slope, intercept, inverted } = this.frame;
    const { center, width, shape, table } = this.window;
    const key = [slope, intercept, inverted !== this.inverted, center, width, shape, table].join();
    if (this.#table.key !== key) {
      const pixels = { slope, intercept, inverted: inverted !== this.inverted };
      this.#table = { key, colours: windowTable(pixels, this.window, this.series.tables?.[table]) };
    }
    return this.#table.colours;
  }
}
