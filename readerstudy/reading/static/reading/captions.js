// What stays upright and readable over an image however it is turned: its name, window, scale bar and orientation.

import { make } from "./fields.js";
import { lettersOf } from "./geometry.js";
import { unitOf } from "./measure.js";
import { say } from "./say.js";

const SCALE_BARS = [1, 2, 5, 10, 20, 50, 100, 200];
const EDGES = { left: [-1, 0], right: [1, 0], top: [0, -1], bottom: [0, 1] };

const part = (className) => make("p", { className });
const rounded = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString());

export class Captions {
  constructor(host) {
    this.caption = part("caption");
    this.readout = part("readout");
    this.bar = part("scale-bar");
    this.message = part("pane-message");
    this.message.role = "status";
    this.edges = Object.fromEntries(Object.keys(EDGES).map((side) => [side, part(`edge ${side}`)]));
    host.append(this.caption, this.readout, this.bar, this.message, ...Object.values(this.edges));
  }

  clear() {
    this.bar.hidden = true;
    for (const edge of Object.values(this.edges)) edge.textContent = "";
  }

  describe(viewport) {
    const { series, frame, index } = viewport;
    const { frames, label, plane } = series;
    const count = frames.length > 1 ? `${index + 1} / ${frames.length}` : "";
    this.caption.textContent = [label, plane && say(plane), count].filter(Boolean).join(" · ");
    const matrix = viewport.screenMatrix();
    const { center, width } = viewport.window;
    const percent = Math.round(Math.hypot(matrix.a, matrix.b) * 100);
    const { turns, mirrored } = viewport.view;
    const states = [viewport.inverted && say("inverted"), mirrored && say("mirrored"), turns && say("turned {degrees}°", { degrees: 90 * turns })];
    const readout = [`C ${rounded(center)}`, `W ${rounded(width)}`, `${percent} %`, ...states];
    this.readout.replaceChildren(...readout.filter(Boolean).map((words) => make("span", { textContent: `${words}  ` })));
    this.#drawBar(frame, Math.hypot(matrix.a, matrix.b), viewport.host.clientWidth / 4);
    this.#nameEdges(frame, matrix.inverse());
  }

  #drawBar(frame, perColumn, longest) {
    this.bar.hidden = !frame.spacing;
    if (this.bar.hidden) return;
    const perMillimetre = perColumn / frame.spacing[1];
    const length = SCALE_BARS.findLast((bar) => bar * perMillimetre <= longest) ?? SCALE_BARS[0];
    this.bar.style.width = `${length * perMillimetre}px`;
    this.bar.textContent = `${length} ${unitOf(frame)}`;
  }

  // Towards which part of the patient each edge of the screen lies.
  #nameEdges(frame, { a, b, c, d }) {
    for (const [side, [x, y]] of Object.entries(EDGES)) {
      this.edges[side].textContent = lettersOf(frame, { x: a * x + c * y, y: b * x + d * y });
    }
  }
}
