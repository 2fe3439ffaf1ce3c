// From the pointer to marks: what a press, a drag or a row of clicks means with the tool that is chosen.

import { isTurned } from "./facing.js";
import { brushEdge, drawn, named, nameOn, nextPoint, unfinished } from "./layer.js";
import { MaskPicture, MaskPictures } from "./masks.js";
import { handlesOf, isWithin, moved, nameOf, within } from "./moving.js";
import { faultOf, uncrossed } from "./outlines.js";
import { contains, distanceToSide, isClosed, KINDS, outlineOf, thinned } from "./shapes.js";
import { Steps } from "./steps.js";
import { say } from "./words.js";

// Pixels of the screen: how near a point or line is taken up, and what still is a click.
const NEAR = 9;
const STILL = 3;
const COLOURS = { own: [255, 209, 102], A: [127, 192, 242], B: [255, 140, 160], C: [150, 220, 150], model: [190, 160, 255] };
const OPACITY = 0.45;
// The server takes no more points of one outline.
const MOST_POINTS = 2000;
const pair = ({ x, y }) => [x, y];

export class Drawing extends EventTarget {
  tool = "select";
  label = "";
  radius = 6;
  hidden = false;
  shown = new Set();
  // Between press and release, when nothing else may change what is drawn on.
  holding = false;
  #attached = new WeakSet();
  // What is drawn click by click, and what a drag shows before it ends.
  #steps = null;
  #shape = null;
  #pointer = null;
  #painting = null;
  #pictures = new MaskPictures();

  // overlays: [{ owner, marks }] of the model or of other truthers; shown holds the owners that are seen.
  constructor(layout, board, overlays = []) {
    super();
    Object.assign(this, { layout, board, overlays });
    for (const { owner } of overlays) this.shown.add(owner);
    layout.addEventListener("painted", () => this.#attachAll());
    for (const name of ["changed", "selected"]) board.addEventListener(name, () => this.repaint());
    // Points that were taken back are given again only before anything else is done.
    board.addEventListener("changed", () => this.#steps?.begun || (this.#steps = null));
    this.#attachAll();
    this.repaint();
  }

  #attachAll() {
    for (const pane of this.layout.panes) {
      if (this.#attached.has(pane)) continue;
      this.#attached.add(pane);
      this.#attach(pane);
    }
  }

  #attach(pane) {
    const layer = pane.addLayer("annotation");
    pane.grips.push((event, point) => this.#held(this.#grip(pane, event, point)));
    pane.painters.push((context, matrix) => this.#paintMasks(pane, context, matrix));
    for (const name of ["painted", "refreshed"]) pane.addEventListener(name, () => this.#redraw(pane, layer));
    pane.addEventListener("hovered", ({ detail }) => {
      this.#pointer = detail ? { pane, point: detail.point } : null;
      if (["steps", "brush"].includes(KINDS[this.kind]?.draws)) this.#redraw(pane, layer);
    });
    pane.host.addEventListener("dblclick", () => this.finish());
    pane.refresh();
  }

  // The tool as a kind of mark; brush and eraser both work on masks.
  get kind() {
    return this.tool === "brush" || this.tool === "eraser" ? "mask" : this.tool;
  }

  // Where a viewport stands, as places in the case; null on a plane that was made of a stack.
  placeOf(pane) {
    const series = this.layout.series?.indexOf(pane.series) ?? -1;
    return series < 0 || !pane.frame || pane.series.frames[pane.index] !== pane.frame ? null : { series, slice: pane.index };
  }

  // A tool draws something new, under the name that the column shows then; brush and eraser go on with the chosen mask.
  choose(tool) {
    const again = tool === this.tool;
    this.cancel();
    this.tool = tool;
    const { mark } = this.board;
    const masked = this.kind === "mask" && mark?.kind === "mask";
    if (masked) this.label = again ? "" : mark.label;
    if (tool !== "select" && (!masked || again)) this.board.select("");
    this.dispatchEvent(new Event("chosen"));
    this.repaint();
  }

  repaint() {
    this.layout.repaint();
  }

  #refuse(sentence, values) {
    this.dispatchEvent(new CustomEvent("refused", { detail: { sentence, values } }));
  }

  #held(grip) {
    if (!grip) return grip;
    this.holding = true;
    const end = (...event) => {
      this.holding = false;
      grip.end?.(...event);
    };
    return { ...grip, end };
  }

  // How many points of a mark are clicked, and what the next one is called.
  get next() {
    const number = this.#steps?.points.length ?? 0;
    return { number: number + 1, name: nameOf({ kind: this.kind }, number) };
  }

  get can() {
    return { stepBack: Boolean(this.#steps?.begun), stepOn: Boolean(this.#steps?.canGoOn) };
  }

  #stepped(done) {
    if (done) this.repaint();
    this.dispatchEvent(new Event("stepped"));
    return done;
  }

  // What is being drawn, given up, the last point first; and given again.
  stepBack() {
    return this.#stepped(Boolean(this.#steps?.back()));
  }

  stepOn() {
    return this.#stepped(Boolean(this.#steps?.again()));
  }

  cancel() {
    const { stepBack } = this.can;
    this.#steps = null;
    return this.#stepped(stepBack);
  }

  finish() {
    const steps = this.#steps;
    if (!steps?.begun || steps.kind !== "polygon") return false;
    if (steps.points.length < 3) this.#refuse("A polygon has at least three corners.");
    else if (this.#add(steps.place, "polygon", steps.points)) this.#steps = null;
    return this.#stepped(true);
  }

  // Null, and the sentence why, where the mark cannot stand.
  #add(place, kind, points, more = {}) {
    const fault = faultOf({ kind, points });
    if (fault) return this.#refuse(fault) ?? null;
    const made = this.board.add({ ...place, kind, label: this.label, points, ...more });
    if (isTurned(made, this.board.frames(place.series, place.slice))) this.#refuse("The front of this vertebra lies behind its back, or its top below: check the order of the points.");
    return made;
  }

  #grip(pane, event, point) {
    const place = this.placeOf(pane);
    if (!place || this.hidden) {
      // The drag is the viewer's own then, which in other planes points to a place.
      if (this.tool !== "select") this.#refuse(place ? "All marks are hidden; show them to draw." : "Marks are drawn on the images themselves, not on planes made of them.");
      return null;
    }
    const start = pair(point);
    if (this.tool === "select") return this.#taking(pane, place, event, start);
    const { draws } = KINDS[this.kind];
    if (draws !== "brush" && !isWithin(start, pane.frame)) return this.#refuse("That is outside the image.") ?? {};
    return {
      press: () => this.#pressing(pane, place, start),
      drag: () => this.#dragging(pane, place, start),
      path: () => this.#tracing(pane, place, start),
      steps: () => this.#stepping(pane, place, start),
      brush: () => this.#brushing(pane, place, point),
    }[draws]();
  }

  #pressing(pane, place, start) {
    let point = start;
    return {
      move: (_, to) => (point = within(pair(to), pane.frame)),
      end: () => this.#add(place, "point", [point]),
    };
  }

  #preview(pane, points) {
    this.#shape = points && { pane, points };
    pane.refresh();
  }

  #dragging(pane, place, start) {
    const { kind } = this;
    let last = start;
    return {
      move: (_, to) => {
        last = within(pair(to), pane.frame);
        this.#preview(pane, kind === "line" ? [start, last] : [...outlineOf({ kind, points: [start, last] })]);
      },
      end: () => {
        this.#preview(pane, null);
        if (this.#onScreen(pane, start, last) > STILL) this.#add(place, kind, [start, last]);
      },
    };
  }

  #tracing(pane, place, start) {
    const points = [start];
    return {
      move: (_, to) => {
        points.push(within(pair(to), pane.frame));
        this.#preview(pane, points);
      },
      end: () => {
        this.#preview(pane, null);
        let kept = thinned(points, 0.5);
        for (let least = 1; kept.length > MOST_POINTS; least *= 2) kept = thinned(points, least);
        // A path that ends where it began is a click.
        if (kept.length > 2) this.#add(place, "freehand", uncrossed(kept));
      },
    };
  }

  #stepping(pane, place, start) {
    const { kind } = this;
    if (!this.#steps?.begun) this.#steps = new Steps(place, kind);
    const steps = this.#steps;
    if (!steps.isOn(place)) {
      this.#refuse("Image {number} holds what you are drawing: finish it there, or give it up with Esc.", { number: steps.place.slice + 1 });
      return {};
    }
    // The second press of a double click, or a hand that trembles, is no other corner.
    if (steps.begun && this.#onScreen(pane, steps.points.at(-1), start) < STILL) return {};
    const closes = kind === "polygon" && steps.points.length > 2 && this.#onScreen(pane, steps.points[0], start) < NEAR;
    if (closes) {
      this.finish();
      return {};
    }
    steps.add(start);
    const at = steps.points.length - 1;
    return {
      move: (_, to) => {
        steps.points[at] = within(pair(to), pane.frame);
        pane.refresh();
      },
      end: () => {
        if (this.#steps === steps && steps.points.length === KINDS[kind].points) {
          if (this.#add(place, kind, steps.points)) this.#steps = null;
          else steps.points.pop();
        }
        this.#stepped(true);
      },
    };
  }

  #onScreen(pane, one, other) {
    const [a, b] = [one, other].map(([x, y]) => pane.toScreen({ x, y }));
    return Math.hypot(a.x - b.x, a.y - b.y);
  }

  // The mask of the chosen name on this image, or a new one; a whole stroke is one step of undo.
  #brushing(pane, place, point) {
    const value = this.tool === "brush" ? 1 : 0;
    if (this.board.mark?.kind === "mask") this.label = this.board.mark.label;
    const here = this.board.on(place.series, place.slice).filter(({ kind }) => kind === "mask");
    const under = value ? undefined : here.findLast((one) => this.#hits(pane, one, pair(point)));
    const mark = here.find(({ label }) => label === this.label) ?? under;
    if (!mark && !value) return this.#refuse("There is no mask to erase here.") ?? {};
    const old = mark && this.#pictures.of(mark, pane.frame, COLOURS.own);
    const picture = new MaskPicture(pane.frame, COLOURS.own, old?.bitmap.slice());
    this.#painting = { ...place, picture, of: mark };
    let last = point;
    const paint = (to) => {
      picture.paint(last, to, this.radius, value);
      last = to;
      pane.paint(true);
    };
    paint(point);
    return {
      move: (_, to) => paint(to),
      end: () => {
        this.#painting = null;
        this.#keep(place, mark, picture);
      },
    };
  }

  #keep(place, mark, picture) {
    const { runs } = picture;
    if (runs.length < 2) {
      if (mark) this.board.remove(mark.key);
      else this.repaint();
      return;
    }
    const made = mark ? this.board.put({ ...mark, runs }) : this.#add(place, "mask", [], { runs });
    const kept = this.board.marks.find(({ key }) => key === made.key);
    this.#pictures.adopt(kept, picture);
    this.board.select(kept.key);
  }

  // A point of the selected mark, or any mark under the pointer; else the viewer's own drag.
  #taking(pane, place, event, start) {
    const { board } = this;
    const here = board.on(place.series, place.slice).toReversed();
    const chosen = board.mark;
    const first = chosen && here.includes(chosen) ? [chosen, ...here.filter((one) => one !== chosen)] : here;
    for (const mark of first) {
      const at = handlesOf(mark).findIndex((point) => this.#onScreen(pane, point, start) < NEAR);
      if (at >= 0) return this.#moving(pane, mark, start, at);
    }
    const hit = first.find((mark) => this.#hits(pane, mark, start));
    if (!hit) return null;
    return this.#moving(pane, hit, start, -1);
  }

  #hits(pane, mark, start) {
    if (mark.kind === "mask") {
      const { bitmap, frame } = this.#pictures.of(mark, pane.frame, COLOURS.own);
      const [x, y] = start.map(Math.floor);
      return x >= 0 && y >= 0 && x < frame.columns && y < frame.rows && bitmap[y * frame.columns + x] === 1;
    }
    const corners = outlineOf(mark);
    if (isClosed(mark) && contains(corners, start)) return true;
    const [middle, ...others] = [start, ...corners].map(([x, y]) => pane.toScreen({ x, y })).map(pair);
    return others.some((corner, n) => n && distanceToSide(middle, others[n - 1], corner) < NEAR);
  }

  // at: the handle that is moved; below 0 the whole mark.
  #moving(pane, mark, start, at) {
    this.board.select(mark.key);
    if (mark.kind === "mask") return {};
    return {
      move: (_, to) => {
        if (!this.changing && this.#onScreen(pane, start, pair(to)) < STILL) return;
        this.changing = { ...mark, points: moved(mark, at, [to.x - start[0], to.y - start[1]], pane.frame) };
        pane.refresh();
      },
      end: () => {
        const { changing } = this;
        this.changing = null;
        const fault = changing ? faultOf(changing) : "";
        if (fault) this.#refuse(fault);
        if (changing && !fault) this.board.put(changing);
        pane.refresh();
      },
    };
  }

  #paintMasks(pane, context, matrix) {
    const place = this.placeOf(pane);
    if (!place || this.hidden) return;
    for (const { owner, marks } of this.overlays.filter((one) => this.shown.has(one.owner))) {
      for (const mark of marks.filter((one) => one.kind === "mask" && one.series === place.series && one.slice === place.slice)) {
        this.#pictures.of(mark, pane.frame, COLOURS[owner] ?? COLOURS.C).draw(context, matrix, OPACITY);
      }
    }
    const painting = this.#painting?.series === place.series && this.#painting.slice === place.slice ? this.#painting : null;
    for (const mark of this.board.on(place.series, place.slice)) {
      if (mark.kind !== "mask" || painting?.of === mark) continue;
      this.#pictures.of(mark, pane.frame, COLOURS.own).draw(context, matrix, OPACITY);
    }
    painting?.picture.draw(context, matrix, OPACITY);
  }

  #redraw(pane, layer) {
    const place = this.placeOf(pane);
    if (!place || this.hidden) return layer.replaceChildren();
    const seen = this.#seen(place);
    const elements = seen.filter(({ mark }) => mark.kind !== "mask").map(({ mark, facts }) => drawn(pane, mark, facts));
    elements.push(...named(pane, seen.map(({ mark, facts }) => nameOn(pane, mark, facts)).filter(Boolean)));
    const pointer = this.#pointer?.pane === pane ? this.#pointer.point : null;
    const steps = this.#steps;
    if (steps?.begun && steps.isOn(place)) elements.push(unfinished(pane, steps.points, pointer && pair(pointer)));
    if (this.#shape?.pane === pane) elements.push(unfinished(pane, this.#shape.points, null));
    if (pointer && this.next.name) elements.push(nextPoint(pane, pointer, say(this.next.name)));
    if (pointer && KINDS[this.kind]?.draws === "brush") elements.push(brushEdge(pane, pointer, this.radius));
    return layer.replaceChildren(...elements);
  }

  // All marks of an image, those of others first, with what their drawing needs to know.
  #seen(place) {
    const { board, changing } = this;
    const now = (mark) => (changing?.key === mark.key ? changing : mark);
    const others = this.overlays.filter(({ owner }) => this.shown.has(owner)).flatMap(({ owner, marks }) =>
      marks.filter((mark) => isHere(mark, place)).map((mark) => ({ mark, facts: { owner, marks } })),
    );
    const marks = board.marks.map(now);
    const own = marks.filter((mark) => isHere(mark, place)).map((mark) => {
      const selected = mark.key === board.selected;
      return { mark, facts: { selected, marks, point: selected ? board.point : -1 } };
    });
    return [...others, ...own];
  }
}

const isHere = (mark, place) => mark.series === place.series && mark.slice === place.slice;
