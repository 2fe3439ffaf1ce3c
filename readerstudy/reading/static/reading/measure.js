// Lengths, angles, heights and regions, drawn on the image and measured from its geometry. They belong to the eye of the
// reader alone: nothing of them is sent, and they go with the case.

import { made } from "./fields.js";
import { angleAt, cobb, distance, ellipseStatistics } from "./geometry.js";
import { say } from "./say.js";

// Pixels of the screen: what still is a click, and how near a point must be to be taken up.
const STILL = 4;
const NEAR = 9;

const line = (from, to) => made("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y });
const pairs = (points) => points.flatMap((point, n) => (n % 2 ? [[points[n - 1], point]] : []));
export const unitOf = ({ spacing, calibrated }) => (spacing ? `mm${calibrated ? "" : ` ${say("(uncalibrated)")}`}` : "px");
const short = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1));

function heightsText(frame, points) {
  const heights = pairs(points).map(([from, to]) => distance(frame, from, to));
  const [anterior, middle, posterior] = heights.map(short);
  const share = Math.round((100 * Math.min(...heights)) / Math.max(...heights));
  return `Ha ${anterior}  Hm ${middle}  Hp ${posterior} ${unitOf(frame)}  ${share} %`;
}

function regionText(frame, points, { levels, series, complete }) {
  // The preview has a quarter of the rows, a plane that still loads has empty ones.
  if (!complete) return "…";
  const found = ellipseStatistics(frame, levels[0], points);
  if (!found) return "";
  const unit = series.unit ? ` ${series.unit}` : "";
  const area = frame.spacing ? unitOf(frame).replace("mm", "mm²") : "px²";
  return [
    `${say("mean")} ${short(found.mean)} ± ${short(found.deviation)}${unit}`,
    `${short(found.least)} … ${short(found.most)}${unit}`,
    `${short(found.area)} ${area}`,
  ].join("; ");
}

// How many points each takes, how they are joined, and what they say.
export const MEASURES = {
  length: { points: 2, text: (frame, [from, to]) => `${short(distance(frame, from, to))} ${unitOf(frame)}` },
  angle: { points: 3, text: (frame, points) => `${angleAt(frame, points).toFixed(1)}°` },
  cobb: { points: 4, text: (frame, points) => `${cobb(frame, points).toFixed(1)}°` },
  heights: { points: 6, text: heightsText },
  region: { points: 2, text: regionText },
};

export class Measures {
  #byImage = new Map();
  #draft = null;
  #floating = null;
  #pointer = null;

  // mode(): the tool that is chosen.
  constructor(mode) {
    this.mode = mode;
  }

  attach(viewport) {
    const layer = viewport.addLayer("measures");
    viewport.grips.push((event, point) => this.#grip(viewport, event, point));
    viewport.addEventListener("painted", () => this.#draw(viewport, layer));
    viewport.addEventListener("hovered", ({ detail }) => {
      this.#pointer = detail;
      if (!this.#draft || this.#draft.url !== viewport.frame?.url || !detail) return;
      this.#floating = detail.point;
      this.#draw(viewport, layer);
    });
    viewport.host.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.stop(viewport);
    });
  }

  #of(viewport) {
    const { url } = viewport.frame ?? {};
    if (!this.#byImage.has(url)) this.#byImage.set(url, []);
    return this.#byImage.get(url);
  }

  clear() {
    this.#byImage.clear();
    this.#draft = this.#floating = null;
  }

  stop(viewport) {
    this.#draft = this.#floating = null;
    viewport?.paint();
  }

  // What is being drawn goes first, then what has a point under the pointer, then the latest of this image.
  removeLast(viewport) {
    const all = this.#of(viewport);
    const near = this.#pointer && this.#near(viewport, this.#pointer);
    if (!this.#draft) all.splice(all.findIndex(({ points }) => points.includes(near)), 1);
    this.stop(viewport);
  }

  #near(viewport, event) {
    const { x, y } = viewport.placeOf(event);
    return this.#of(viewport).flatMap(({ points }) => points).find((point) => {
      const shown = viewport.toScreen(point);
      return Math.hypot(shown.x - x, shown.y - y) < NEAR;
    });
  }

  #grip(viewport, event, point) {
    const held = this.#draft ? null : this.#near(viewport, event);
    if (held) {
      return {
        move: (_, { x, y }) => {
          Object.assign(held, { x, y });
          viewport.paint();
        },
      };
    }
    const kind = this.mode();
    if (!MEASURES[kind]) return null;
    if (this.#draft?.kind !== kind || this.#draft.url !== viewport.frame.url) {
      this.#draft = { kind, url: viewport.frame.url, points: [] };
    }
    this.#add(viewport, point);
    // A second finger makes a pinch of it.
    const cancel = () => {
      this.#draft ??= this.#of(viewport).pop();
      this.#draft.points.pop();
      viewport.paint();
    };
    // A drag sets two points, a click one.
    const end = ({ clientX, clientY }, to) => {
      if (this.#draft && Math.hypot(clientX - event.clientX, clientY - event.clientY) >= STILL) this.#add(viewport, to);
    };
    return { cancel, end };
  }

  #add(viewport, point) {
    const { kind, points } = this.#draft;
    points.push(point);
    if (points.length === MEASURES[kind].points) {
      this.#of(viewport).push(this.#draft);
      this.#draft = null;
    }
    this.#floating = null;
    viewport.paint();
  }

  #draw(viewport, layer) {
    const done = this.#of(viewport).map((measure) => this.#shape(viewport, measure, true));
    if (this.#draft && this.#draft.url === viewport.frame.url) {
      const points = [...this.#draft.points, ...(this.#floating ? [this.#floating] : [])];
      const whole = points.length === MEASURES[this.#draft.kind].points;
      done.push(this.#shape(viewport, { ...this.#draft, points }, whole));
    }
    layer.replaceChildren(...done);
  }

  #shape(viewport, { kind, points }, whole) {
    const shown = points.map((point) => viewport.toScreen(point));
    const group = made("g", { class: "measure" });
    if (kind === "region" && shown.length > 1) group.append(ellipse(viewport, points));
    else if (kind === "angle") group.append(...shown.slice(1).map((point, n) => line(shown[n], point)));
    else group.append(...pairs(shown).map(([from, to]) => line(from, to)));
    group.append(...shown.map(({ x, y }) => made("circle", { cx: x, cy: y, r: 3 })));
    if (whole && viewport.levels) group.append(label(viewport, shown, MEASURES[kind].text(viewport.frame, points, viewport)));
    return group;
  }
}

// Drawn through points of the image, so that it turns with it.
function ellipse(viewport, [from, to]) {
  const [x, y, rx, ry] = [(from.x + to.x) / 2, (from.y + to.y) / 2, (to.x - from.x) / 2, (to.y - from.y) / 2];
  const around = Array.from({ length: 64 }, (_, n) => {
    const turn = (n * Math.PI) / 32;
    const point = viewport.toScreen({ x: x + rx * Math.cos(turn), y: y + ry * Math.sin(turn) });
    return `${point.x.toFixed(1)},${point.y.toFixed(1)}`;
  });
  return made("polygon", { points: around.join(" ") });
}

function label(viewport, shown, words) {
  const right = shown.reduce((best, point) => (point.x > best.x ? point : best));
  const most = viewport.host.clientWidth - 8 * words.length - 40;
  return made("text", { x: Math.max(4, Math.min(right.x + 10, most)), y: Math.max(16, right.y - 8) }, words);
}
