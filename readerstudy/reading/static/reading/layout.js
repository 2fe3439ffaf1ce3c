// The viewports of one case side by side, with the bar of tools above them and the commands that keys and buttons share.

import { make } from "./fields.js";
import { isPlaced, nearestSlice, patientPoint } from "./geometry.js";
import { Toolbar } from "./keys.js";
import { drawCuts, locate, oneSpace, scrollWith, stackOf, windowWith } from "./linking.js";
import { Measures } from "./measure.js";
import { columnsOf, hang, hasPlanes, Volume } from "./planes.js";
import { attachPointer, Magnifier } from "./pointer.js";
import { say } from "./say.js";
import { known, Viewport } from "./viewport.js";

const PAN_STEP = 40;

export class Layout extends EventTarget {
  #mode = "window";
  #rule = null;
  #chooser = null;
  #volumes = new Map();

  constructor(root, store) {
    super();
    this.store = store;
    this.panes = [];
    this.toolbar = new Toolbar((action, number) => this.run(action, number));
    this.bar = this.toolbar.element;
    this.grid = make("div", { className: "panes" });
    this.magnifier = new Magnifier();
    this.measures = new Measures(() => this.#mode);
    root.append(this.bar, this.grid);
    this.#mark();
  }

  // Shows the series of a case as the study's rule hangs them; the same series again change nothing, so that a prefetched
  // case is drawn only once.
  show(series, rule = this.#rule) {
    const key = JSON.stringify([series, rule]);
    if (key === this.key) return;
    this.key = key;
    this.series = series;
    this.#rule = rule;
    this.linked = true;
    this.volume = null;
    for (const volume of this.#volumes.values()) volume.dropped = true;
    this.#volumes = new Map();
    this.measures.clear();
    this.magnifier.hide();
    this.store.turnTo(new Set(series.flatMap((one) => one.frames.map((frame) => frame.url))));
    const views = this.#hung();
    this.#arrange(views, columnsOf(views.length, rule));
    this.#offerChoice();
    this.prefetch(series, 0);
  }

  #hung() {
    return hang(this.series, this.#rule).map(({ series, plane, window, lacks }) => {
      return { series: plane ? this.#volumeOf(series).inPlane(plane) : series, window, lacks };
    });
  }

  // Planes of a stack grow while its images arrive.
  #volumeOf(series) {
    if (!this.#volumes.has(series)) {
      const volume = new Volume(series, this.store);
      this.#volumes.set(series, volume);
      volume.addEventListener("grown", () => {
        for (const pane of this.panes) if (pane.series.source === volume) pane.go(pane.index, true);
      });
    }
    return this.#volumes.get(series);
  }

  #arrange(views, columns) {
    for (const empty of this.grid.querySelectorAll(".empty")) empty.remove();
    const hung = views.filter(({ series }) => series);
    while (this.panes.length < hung.length) this.#addPane();
    while (this.panes.length > hung.length) this.panes.pop().host.remove();
    Object.assign(this.grid.dataset, { panes: views.length, columns, rows: Math.ceil(views.length / columns) });
    this.grid.classList.remove("alone");
    for (const pane of this.panes) pane.located = null;
    views.forEach((view, place) => {
      const host = view.lacks ? this.#emptyPlace(view.lacks) : this.panes[hung.indexOf(view)].host;
      // Panes stay where they are in the page, so that none loses the focus.
      host.style.order = place;
    });
    hung.forEach(({ series, ...how }, n) => this.panes[n].show(series, how));
    // Linked from the first image on; the one that comes up at a place of its own leads.
    const lead = this.panes[hung.findIndex(({ index }) => index >= 0)] ?? this.panes[0];
    if (this.linked) scrollWith(lead, this.panes);
    this.activate(this.panes[0]);
  }

  #emptyPlace(series) {
    const empty = make("p", { className: "empty", textContent: say("This case has no {series}.", { series }) });
    this.grid.append(empty);
    return empty;
  }

  // More series than hang: the active viewport shows the one chosen here.
  #offerChoice() {
    this.#chooser?.remove();
    this.#chooser = null;
    if (this.series.length <= this.panes.length) return;
    this.#chooser = make("select", { className: "series", ariaLabel: say("Series in the active view") });
    const named = (one, n) => one.label || say("Series {number}", { number: n + 1 });
    this.series.forEach((one, n) => this.#chooser.add(new Option(named(one, n), n)));
    this.#chooser.addEventListener("change", () => this.#exchange(this.series[this.#chooser.value]));
    this.bar.append(this.#chooser);
    this.#choose();
  }

  #choose() {
    const shown = this.series?.indexOf(this.active?.series) ?? -1;
    if (this.#chooser && shown >= 0) this.#chooser.value = shown;
  }

  // Another series in the active viewport, at the same place of the patient where it has one there.
  #exchange(series) {
    const pane = this.active;
    const before = pane.frame;
    const place = isPlaced(before) && oneSpace(stackOf(pane), series) ? patientPoint(before, { x: before.columns / 2, y: before.rows / 2 }) : null;
    const index = (place && nearestSlice(series.frames, place)) ?? undefined;
    pane.show(series, { index });
    this.presetsOf = null;
    this.activate(pane);
  }

  #addPane() {
    const pane = new Viewport(this.store);
    // What a model found lies above the pixels; who looks unaided has nobody to draw it.
    pane.painters.push((...drawn) => this.overlay?.(...drawn));
    this.grid.append(pane.host);
    this.panes.push(pane);
    attachPointer(pane, { mode: () => this.#mode, activate: () => this.activate(pane) });
    const cuts = pane.addLayer("cuts");
    pane.grips.push((_, point) => this.#locating(pane, point));
    this.measures.attach(pane);
    // So do the marks of readers.
    pane.grips.push((_, point) => this.grip?.(pane, point));
    pane.addEventListener("hovered", ({ detail }) => {
      this.#readValue(detail ? pane.valueAt(detail.point) : null);
      this.magnifier.over(pane, detail);
    });
    pane.addEventListener("scrolled", () => this.linked && scrollWith(pane, this.panes));
    pane.addEventListener("windowed", () => this.linked && windowWith(pane, this.panes, pane.hurried));
    pane.addEventListener("painted", () => {
      this.magnifier.draw(pane);
      drawCuts(pane, this.panes, cuts);
      // Where this one stands now is a line in the others; they need no new pixels for it.
      if (pane.drawnAt !== pane.frame) for (const other of this.panes) if (other !== pane) other.refresh();
      pane.drawnAt = pane.frame;
      this.dispatchEvent(new Event("painted"));
    });
    pane.addEventListener("refreshed", () => drawCuts(pane, this.panes, cuts));
  }

  #locating(pane, point) {
    if (this.#mode !== "locate") return null;
    const move = (_, to) => {
      locate(pane, to, this.panes);
      pane.refresh();
    };
    move(null, point);
    return { move };
  }

  #readValue(value) {
    this.toolbar.value.textContent = value === null ? "" : `${Number(value.toFixed(2))} ${this.active.series.unit}`.trim();
  }

  activate(pane) {
    if (this.active === pane && this.presetsOf === pane.series) return;
    this.active = pane;
    this.presetsOf = pane.series;
    for (const other of this.panes) other.host.classList.toggle("active", other === pane);
    this.toolbar.offer(pane.series.presets);
    this.#choose();
    this.#mark();
  }

  // Frames nearest to the one shown come first; the next case waits behind all of this one.
  prefetch(series, base) {
    const wanted = series.flatMap(({ frames }) => {
      const middle = (frames.length - 1) >> 1;
      return frames.map((frame, n) => ({ frame, priority: base - Math.abs(n - middle) }));
    });
    return this.store.foresee(wanted);
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

  // Of all series, in the order of their numbers from 1.
  get frames() {
    return this.series.flatMap(({ frames }) => frames);
  }

  // 0 of a plane that is made of others.
  numberOf(url) {
    return this.frames.findIndex((frame) => frame.url === url) + 1;
  }

  // Every viewport shows its frame at full resolution.
  get complete() {
    return this.panes.length > 0 && this.panes.every((pane) => pane.host.dataset.painted && pane.complete);
  }

  // True where the command was one about images.
  run(action, number) {
    const pane = this.active;
    if (!pane) return false;
    if (action.startsWith("mode:")) this.mode = action.slice(5);
    else if (COMMANDS[action]) {
      this.notice = "";
      COMMANDS[action](pane, number, this);
      pane.paint(pane.hurried);
    } else return false;
    this.#mark();
    return true;
  }

  get mode() {
    return this.#mode;
  }

  // What a drag with the left button does; a tool of another module takes its own name and a grip of the viewports.
  set mode(mode) {
    this.#mode = mode;
    this.measures.stop(this.active);
    this.#mark();
  }

  nextPane() {
    const next = this.panes[(this.panes.indexOf(this.active) + 1) % this.panes.length];
    this.activate(next);
    next.host.focus();
    if (this.grid.classList.contains("alone")) next.paint();
  }

  nextSeries() {
    const here = this.series.indexOf(this.active.series);
    this.#exchange(this.series[(here + 1) % this.series.length]);
  }

  alone() {
    this.grid.classList.toggle("alone");
  }

  link() {
    this.linked = !this.linked;
    if (this.linked) scrollWith(this.active, this.panes);
  }

  clearMeasures() {
    this.measures.clear();
    this.repaint();
  }

  // The three planes of the active stack, and back to how the study hangs it.
  planes() {
    if (!this.volume) return this.#openPlanes();
    const { series } = this.volume;
    this.volume = null;
    const views = this.#hung();
    const own = views.find((view) => view.series === series);
    if (own) own.index = this.panes[0].index;
    this.#mode = "window";
    this.#arrange(views, columnsOf(views.length, this.#rule));
  }

  #openPlanes({ series, index, window } = this.active) {
    if (!hasPlanes(series)) {
      this.notice = say("These images form no even stack, so no planes can be made of them.");
      return;
    }
    const volume = this.#volumeOf(series);
    this.volume = volume;
    this.#mode = "locate";
    const views = [{ series, index }, ...volume.others.map((other) => ({ series: other }))];
    this.#arrange(views.map((view) => ({ ...view, window: window ?? undefined })), 2);
  }

  // How the images stand, to come up alike after a reload; a plane made of a stack has no number among the series.
  get state() {
    const numbered = (pane) => ({ series: this.series.indexOf(pane.series), ...pane.state });
    return {
      panes: this.panes.map(numbered),
      volume: this.series.indexOf(this.volume?.series),
      active: this.panes.indexOf(this.active),
      alone: this.grid.classList.contains("alone"),
      linked: this.linked,
    };
  }

  // From outside: whatever does not fit this case stays as the study hangs it.
  takeUp({ panes, volume, active, alone, linked }) {
    const stack = this.series[known(volume)];
    if (hasPlanes(stack)) this.#openPlanes({ series: stack });
    this.panes.forEach((pane, n) => {
      const kept = panes?.[n] ?? {};
      const series = this.series[known(kept.series)] ?? pane.series;
      if (series !== pane.series) pane.show(series);
      pane.takeUp(kept);
    });
    this.grid.classList.toggle("alone", alone === true);
    this.linked = linked !== false;
    this.activate(this.panes[known(active)] ?? this.active);
    this.#mark();
  }

  #mark() {
    const { active } = this;
    const pressed = {
      [`mode:${this.#mode}`]: true,
      invert: active?.inverted,
      magnifier: this.magnifier.on,
      link: this.linked,
      planes: this.volume,
      alone: this.grid.classList.contains("alone"),
    };
    const single = this.panes.length < 2;
    const absent = [
      ...(single ? ["link", "alone", "mode:locate"] : []),
      ...(active?.series.frames.length > 1 ? [] : ["mode:scroll"]),
      ...(this.volume || hasPlanes(active?.series) ? [] : ["planes"]),
    ];
    this.toolbar.mark(this.#mode, pressed, absent, this.notice);
  }
}

// After each the viewport is drawn anew.
const COMMANDS = {
  invert: (pane) => (pane.inverted = !pane.inverted),
  fit: (pane) => pane.view.fit(),
  turnRight: (pane) => pane.view.turn(1),
  turnLeft: (pane) => pane.view.turn(-1),
  mirror: (pane) => pane.view.flip(true),
  upend: (pane) => pane.view.flip(false),
  actual: (pane) => pane.actual(),
  // What follows its window follows it back.
  reset: (pane) => {
    pane.reset();
    if (pane.window) pane.setWindow(pane.window);
  },
  zoomIn: (pane) => pane.zoomBy(1.25),
  zoomOut: (pane) => pane.zoomBy(0.8),
  darker: (pane) => pane.windowBy(-10, 0),
  brighter: (pane) => pane.windowBy(10, 0),
  narrower: (pane) => pane.windowBy(0, -30),
  wider: (pane) => pane.windowBy(0, 30),
  panUp: (pane) => pane.panBy(0, PAN_STEP),
  panDown: (pane) => pane.panBy(0, -PAN_STEP),
  panLeft: (pane) => pane.panBy(PAN_STEP, 0),
  panRight: (pane) => pane.panBy(-PAN_STEP, 0),
  previous: (pane) => pane.go(pane.index - 1),
  next: (pane) => pane.go(pane.index + 1),
  back5: (pane) => pane.go(pane.index - 5),
  on5: (pane) => pane.go(pane.index + 5),
  first: (pane) => pane.go(0),
  last: (pane) => pane.go(Infinity),
  preset: (pane, number) => pane.series.presets[number - 1] && pane.setWindow(pane.series.presets[number - 1]),
  magnifier: (pane, _, layout) => layout.magnifier.toggle(pane),
  removeMeasure: (pane, _, layout) => layout.measures.removeLast(pane),
  clearMeasures: (_, __, layout) => layout.clearMeasures(),
  series: (_, __, layout) => layout.nextPane(),
  nextSeries: (_, __, layout) => layout.nextSeries(),
  alone: (_, __, layout) => layout.alone(),
  link: (_, __, layout) => layout.link(),
  planes: (_, __, layout) => layout.planes(),
};
