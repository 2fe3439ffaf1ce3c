// The viewports of one case side by side, with the bar of tools above them and the commands that keys and buttons share.

import { attachPointer } from "./pointer.js";
import { Viewport } from "./viewport.js";

const MOST_PANES = 4;
const MODES = [
  ["window", "Window"],
  ["pan", "Pan"],
  ["zoom", "Zoom"],
];
const BUTTONS = [
  ["invert", "Invert"],
  ["fit", "Fit"],
  ["actual", "1:1"],
  ["reset", "Reset"],
];
const PAN_STEP = 40;

function button(action, label) {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className: "tool", textContent: label });
  element.dataset.action = action;
  return element;
}

function group(label, ...children) {
  const element = document.createElement("div");
  element.className = "tool-group";
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
  element.append(...children);
  return element;
}

export class Layout extends EventTarget {
  #mode = "window";

  constructor(root, store) {
    super();
    this.store = store;
    this.panes = [];
    this.bar = document.createElement("div");
    this.bar.className = "tools";
    this.grid = document.createElement("div");
    this.grid.className = "panes";
    this.presets = group("Window presets");
    this.value = document.createElement("output");
    this.value.className = "value";
    const modes = group("Drag", ...MODES.map(([mode, label]) => button(`mode:${mode}`, label)));
    const actions = group("Image", ...BUTTONS.map(([action, label]) => button(action, label)));
    this.bar.append(modes, actions, this.presets, this.value);
    root.append(this.bar, this.grid);
    this.bar.addEventListener("click", ({ target }) => this.#clicked(target.closest("button")));
    this.#mark();
  }

  #clicked(pressed) {
    if (!pressed) return;
    this.run(pressed.dataset.action, Number(pressed.dataset.number));
  }

  // Shows the series of a case; the same series again changes nothing, so that a prefetched case is drawn only once.
  show(series) {
    const key = JSON.stringify(series);
    if (key === this.key) return;
    this.key = key;
    const count = Math.min(MOST_PANES, series.length);
    while (this.panes.length < count) this.#addPane();
    while (this.panes.length > count) this.panes.pop().host.remove();
    this.grid.dataset.panes = count;
    this.series = series;
    this.#chooser?.remove();
    if (series.length > count) this.#offerChoice();
    this.store.dropWaitingExcept(new Set(series.flatMap((one) => one.frames.map((frame) => frame.url))));
    this.panes.forEach((pane, n) => pane.show(series[n]));
    this.activate(this.panes[0]);
    this.prefetch(series, 0);
  }

  #chooser = null;

  // More series than fit: the last viewport shows the one chosen here.
  #offerChoice() {
    this.#chooser = document.createElement("select");
    this.#chooser.className = "series";
    this.#chooser.setAttribute("aria-label", "Series in the active view");
    this.series.forEach((one, n) => this.#chooser.add(new Option(one.label || `Series ${n + 1}`, n)));
    this.#chooser.addEventListener("change", () => this.active.show(this.series[this.#chooser.value]));
    this.bar.append(this.#chooser);
  }

  #addPane() {
    const pane = new Viewport(this.store);
    // What a model found lies above the pixels; who looks unaided has nobody to draw it.
    pane.painters.push((...drawn) => this.overlay?.(...drawn));
    this.grid.append(pane.host);
    this.panes.push(pane);
    attachPointer(pane, {
      mode: () => this.#mode,
      activate: () => this.activate(pane),
    });
    pane.addEventListener("hovered", ({ detail }) => this.#readValue(detail ? pane.valueAt(detail.point) : null));
    pane.addEventListener("painted", () => this.dispatchEvent(new Event("painted")));
  }

  #readValue(value) {
    this.value.textContent = value === null ? "" : `${Number(value.toFixed(2))} ${this.active.series.unit}`.trim();
  }

  activate(pane) {
    if (this.active === pane && this.presetsOf === pane.series) return;
    this.active = pane;
    this.presetsOf = pane.series;
    for (const other of this.panes) other.host.classList.toggle("active", other === pane);
    this.presets.replaceChildren(
      ...pane.series.presets.slice(0, 9).map((preset, n) => {
        const choice = button("preset", preset.label);
        choice.dataset.number = n + 1;
        return choice;
      }),
    );
    this.#mark();
  }

  // Frames nearest to the one shown come first; the next case waits behind all of this one.
  prefetch(series, base) {
    for (const { frames } of series) {
      const middle = (frames.length - 1) >> 1;
      frames.forEach((frame, n) => this.store.load(frame, base - Math.abs(n - middle)));
    }
  }

  repaint() {
    for (const pane of this.panes) pane.paint();
  }

  // Shows one frame, in the viewport that has its series or else in the active one.
  goTo(url) {
    const series = this.series.find(({ frames }) => frames.some((frame) => frame.url === url));
    if (!series) return;
    const pane = this.panes.find((one) => one.series === series) ?? this.active;
    if (pane.series !== series) pane.show(series);
    this.activate(pane);
    pane.go(series.frames.findIndex((frame) => frame.url === url));
  }

  // Every viewport shows its frame at full resolution.
  get complete() {
    return this.panes.length > 0 && this.panes.every((pane) => pane.host.dataset.painted && pane.complete);
  }

  // True where the command was one about images.
  run(action, number) {
    const pane = this.active;
    if (!pane) return false;
    const commands = {
      invert: () => {
        pane.inverted = !pane.inverted;
        pane.paint();
      },
      fit: () => {
        pane.view.fit();
        pane.paint();
      },
      actual: () => pane.actual(),
      reset: () => pane.reset(),
      zoomIn: () => pane.zoomBy(1.25),
      zoomOut: () => pane.zoomBy(0.8),
      darker: () => pane.windowBy(-10, 0),
      brighter: () => pane.windowBy(10, 0),
      narrower: () => pane.windowBy(0, -30),
      wider: () => pane.windowBy(0, 30),
      panUp: () => pane.panBy(0, PAN_STEP),
      panDown: () => pane.panBy(0, -PAN_STEP),
      panLeft: () => pane.panBy(PAN_STEP, 0),
      panRight: () => pane.panBy(-PAN_STEP, 0),
      previous: () => pane.go(pane.index - 1),
      next: () => pane.go(pane.index + 1),
      back5: () => pane.go(pane.index - 5),
      on5: () => pane.go(pane.index + 5),
      series: () => this.#nextPane(),
      preset: () => this.#preset(pane, number),
    };
    if (action.startsWith("mode:")) this.#mode = action.slice(5);
    else if (commands[action]) commands[action]();
    else return false;
    this.#mark();
    return true;
  }

  #preset(pane, number) {
    const preset = pane.series.presets[number - 1];
    if (preset) pane.setWindow(preset);
  }

  #nextPane() {
    const next = this.panes[(this.panes.indexOf(this.active) + 1) % this.panes.length];
    this.activate(next);
    next.host.focus();
  }

  #mark() {
    for (const tool of this.bar.querySelectorAll("button")) {
      const { action } = tool.dataset;
      if (action.startsWith("mode:")) tool.setAttribute("aria-pressed", action === `mode:${this.#mode}`);
      if (action === "invert") tool.setAttribute("aria-pressed", Boolean(this.active?.inverted));
    }
  }
}
