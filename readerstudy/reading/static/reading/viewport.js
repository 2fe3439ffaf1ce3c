// One viewport: which frame of a series it shows and how (window, zoom, position, inversion). It draws the pixels, an
// overlay in image coordinates, and what must stay upright and readable (texts, scale bar) as elements above them.

import { draw, levelFor, windowTable } from "./raster.js";
import { Dropped, previewOf } from "./pixels.js";

const SHARPEN_AFTER = 80;
const RETRY_AFTER = 3000;
const SCALE_BARS = [1, 2, 5, 10, 20, 50, 100, 200];

const part = (name, className) => Object.assign(document.createElement(name), { className });
const rounded = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString());

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
    this.host = part("div", "pane");
    this.host.tabIndex = 0;
    this.host.setAttribute("role", "group");
    this.canvas = part("canvas", "pixels");
    this.overlay = part("canvas", "pixels overlay");
    // Out of the flow even where the style sheet is missing: a canvas that widens its own frame would grow without end.
    for (const canvas of [this.canvas, this.overlay]) canvas.style.position = "absolute";
    this.caption = part("p", "caption");
    this.readout = part("p", "readout");
    this.message = part("p", "pane-message");
    this.message.setAttribute("role", "status");
    this.bar = part("p", "scale-bar");
    this.slider = Object.assign(part("input", "stack"), { type: "range", min: 1, step: 1, value: 1 });
    this.host.append(this.canvas, this.overlay, this.caption, this.readout, this.bar, this.message, this.slider);
    this.#context = this.canvas.getContext("2d", { alpha: false });
    this.#overlayContext = this.overlay.getContext("2d");
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value) - 1));
    this.#size();
    new ResizeObserver(() => {
      this.#size();
      this.paint();
    }).observe(this.host);
  }

  #size() {
    const ratio = devicePixelRatio || 1;
    const box = this.host.getBoundingClientRect();
    this.width = Math.max(1, Math.round(box.width * ratio));
    this.height = Math.max(1, Math.round(box.height * ratio));
    for (const canvas of [this.canvas, this.overlay]) Object.assign(canvas, { width: this.width, height: this.height });
    this.image = this.#context.createImageData(this.width, this.height);
    this.colours = new Uint32Array(this.image.data.buffer);
  }

  show(series) {
    this.series = series;
    this.frame = null;
    this.levels = null;
    this.complete = false;
    this.slider.max = series.frames.length;
    this.slider.hidden = series.frames.length < 2;
    this.slider.setAttribute("aria-label", `Image of ${series.label || "the series"}`);
    this.host.setAttribute("aria-label", `Image viewer: ${series.label || "series"}`);
    this.reset();
    this.clear();
    return this.go((series.frames.length - 1) >> 1);
  }

  clear() {
    this.colours.fill(0xff000000);
    this.#context.putImageData(this.image, 0, 0);
    this.#overlayContext.clearRect(0, 0, this.width, this.height);
    this.bar.hidden = true;
  }

  reset() {
    this.window = null;
    this.inverted = false;
    this.fit();
  }

  fit() {
    this.zoom = 1;
    this.centre = { x: 0.5, y: 0.5 };
    this.paint();
  }

  // One image column on one device pixel.
  actual() {
    this.zoom = 1 / this.#fitting();
    this.paint();
  }

  async go(index) {
    this.index = Math.max(0, Math.min(this.series.frames.length - 1, index));
    this.slider.value = this.index + 1;
    const frame = this.series.frames[this.index];
    const here = this.#store.peek(frame);
    if (here) return this.#take(frame, here);
    this.complete = false;
    this.host.dataset.painted = "";
    this.message.textContent = "Loading the image …";
    const preview = previewOf(frame);
    try {
      if (preview && !this.frame) {
        const coarse = this.#store.load(preview, 20);
        coarse.then((levels) => this.#wants(frame) && !this.complete && this.#take(frame, levels, false), () => {});
      }
      const levels = await this.#store.load(frame, 10);
      if (this.#wants(frame)) this.#take(frame, levels);
    } catch (error) {
      if (error instanceof Dropped || !this.#wants(frame)) return;
      this.message.textContent = `The image could not be loaded; it is tried again. ${error.message}`;
      setTimeout(() => this.#wants(frame) && this.go(this.index), RETRY_AFTER);
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
    this.message.textContent = complete ? "" : "Loading the full image …";
    this.paint();
  }

  // Pixels need not be square: everything is measured in units of the column spacing.
  get #tall() {
    const [row, column] = this.frame?.spacing ?? [1, 1];
    return row / column;
  }

  #fitting() {
    if (!this.frame) return 1;
    return Math.min(this.width / this.frame.columns, this.height / (this.frame.rows * this.#tall));
  }

  // Image points (from the corner of the first pixel) to device pixels.
  matrix() {
    const scale = this.#fitting() * this.zoom;
    return new DOMMatrix()
      .translateSelf(this.width / 2, this.height / 2)
      .scaleSelf(scale, scale * this.#tall)
      .translateSelf(-this.frame.columns * this.centre.x, -this.frame.rows * this.centre.y);
  }

  pointAt(clientX, clientY) {
    const ratio = devicePixelRatio || 1;
    const box = this.host.getBoundingClientRect();
    const onCanvas = new DOMPoint((clientX - box.left) * ratio, (clientY - box.top) * ratio);
    return this.matrix().inverse().transformPoint(onCanvas);
  }

  // Zooms so that the image point under the pointer stays there.
  zoomBy(factor, clientX, clientY) {
    if (!this.frame) return;
    const fixed = clientX === undefined ? null : this.pointAt(clientX, clientY);
    this.zoom = Math.max(0.1, Math.min(64, this.zoom * factor));
    if (fixed) {
      const moved = this.pointAt(clientX, clientY);
      this.centre.x += (fixed.x - moved.x) / this.frame.columns;
      this.centre.y += (fixed.y - moved.y) / this.frame.rows;
    }
    this.paint(true);
  }

  panBy(dx, dy) {
    if (!this.frame) return;
    const { a, d } = this.matrix();
    const ratio = devicePixelRatio || 1;
    // The centre of the screen never leaves the image, so that it cannot be lost.
    const held = (value) => Math.max(0, Math.min(1, value));
    this.centre.x = held(this.centre.x - (dx * ratio) / a / this.frame.columns);
    this.centre.y = held(this.centre.y - (dy * ratio) / d / this.frame.rows);
    this.paint(true);
  }

  windowBy(brighter, wider) {
    if (!this.window) return;
    const step = this.window.width / 400;
    const finest = Math.min(1, Math.abs(this.frame.slope));
    this.window.center -= brighter * step;
    this.window.width = Math.max(2 * finest, this.window.width * Math.exp(wider / 300));
    this.paint(true);
  }

  setWindow({ center, width }) {
    this.window = { center, width };
    this.paint();
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

  #paintNow() {
    const matrix = this.matrix();
    const back = matrix.inverse();
    const level = levelFor(this.levels, back.a);
    const k = 1 / level.scale;
    const toLevel = { a: back.a * k, b: 0, c: 0, d: back.d * k, e: back.e * k, f: back.f * k };
    draw(this.colours, this.width, this.height, level, toLevel, this.#colourTable(), !this.hurried);
    this.#context.putImageData(this.image, 0, 0);
    this.#overlayContext.clearRect(0, 0, this.width, this.height);
    // What a model found lies above the pixels; who looks unaided has nobody to draw it.
    this.painter?.(this.#overlayContext, matrix, this.frame);
    this.#describe(matrix);
    this.host.dataset.painted = this.complete ? this.frame.url : "";
    this.dispatchEvent(new Event("painted"));
  }

  #colourTable() {
    const { slope, intercept, inverted } = this.frame;
    const key = [slope, intercept, inverted !== this.inverted, this.window.center, this.window.width].join();
    if (this.#table.key !== key) {
      const pixels = { slope, intercept, inverted: inverted !== this.inverted };
      this.#table = { key, colours: windowTable(pixels, this.window) };
    }
    return this.#table.colours;
  }

  #describe(matrix) {
    const { frames, label, plane } = this.series;
    const count = frames.length > 1 ? `${this.index + 1} / ${frames.length}` : "";
    this.caption.textContent = [label, plane, count].filter(Boolean).join(" · ");
    const { center, width } = this.window;
    const percent = Math.round((matrix.a / (devicePixelRatio || 1)) * 100);
    this.readout.textContent = `C ${rounded(center)}  W ${rounded(width)}  ${percent} %${this.inverted ? "  inverted" : ""}`;
    this.#drawBar(matrix);
  }

  #drawBar(matrix) {
    const { spacing, calibrated } = this.frame;
    this.bar.hidden = !(spacing && calibrated);
    if (this.bar.hidden) return;
    const pixelsPerMillimetre = matrix.a / spacing[1] / (devicePixelRatio || 1);
    const longest = this.host.clientWidth / 4;
    const length = SCALE_BARS.findLast((bar) => bar * pixelsPerMillimetre <= longest) ?? SCALE_BARS[0];
    this.bar.style.width = `${length * pixelsPerMillimetre}px`;
    this.bar.textContent = `${length} mm`;
  }
}
