// What the model says: only built where the server sent something, and every time it is shown or hidden is recorded.

import { make } from "./fields.js";

// From transparent over yellow to red: light enough over bone, and told apart by brightness alone too.
const RAMP = [
  [0, 255, 237, 160, 0],
  [0.25, 254, 217, 118, 60],
  [0.5, 253, 141, 60, 150],
  [0.75, 240, 59, 32, 210],
  [1, 189, 0, 38, 255],
];

export function rampColour(share) {
  const upper = Math.max(1, RAMP.findIndex(([place]) => share <= place));
  const [from, to] = [RAMP[upper - 1], RAMP[upper]];
  const part = (share - from[0]) / (to[0] - from[0]);
  return [1, 2, 3, 4].map((n) => Math.round(from[n] + (to[n] - from[n]) * part));
}

const percent = (share) => `${Math.round(share * 1000) / 10} %`;

async function colouredMap(url) {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok || response.redirected) throw new Error(`The server answered ${response.status}.`);
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const grey = await createImageBitmap(await response.blob(), options);
  const canvas = make("canvas", { width: grey.width, height: grey.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(grey, 0, 0);
  const image = context.getImageData(0, 0, grey.width, grey.height);
  const colours = Array.from({ length: 256 }, (_, value) => rampColour(value / 255));
  for (let p = 0; p < image.data.length; p += 4) image.data.set(colours[image.data[p]], p);
  context.putImageData(image, 0, 0);
  return canvas;
}

export class Assistance {
  #root;
  #expose;
  #shown = { probability: false, heatmap: false };
  #map = null;
  #opacity = 0.5;

  constructor(root, expose) {
    this.#root = root;
    this.#expose = expose;
  }

  // Ends the recorded exposures of the case before.
  close() {
    this.#setShown("probability", false);
    this.#setShown("heatmap", false);
    this.#viewport?.setLayer(null);
    this.#viewport = null;
    this.#map = null;
    this.#offered = null;
    this.#root.replaceChildren();
    this.#root.hidden = true;
  }

  #viewport = null;
  #offered = null;

  open(offered, viewport) {
    this.#offered = offered;
    if (!offered) return;
    this.#viewport = viewport;
    this.#root.hidden = false;
    const title = make("h2", { textContent: "Model" });
    const provenance = make("p", { className: "provenance", textContent: `Output of ${offered.algorithm}` });
    this.status = make("p", { className: "help" });
    this.status.setAttribute("role", "status");
    const figures = this.#probability(offered);
    const opacity = this.#heatmap(offered);
    const buttons = [this.#probabilityButton, this.#heatmapButton].filter(Boolean);
    this.#root.append(title, ...figures, make("div", { className: "toggles" }, ...buttons), ...opacity, this.status, provenance);
    if (this.#figures) this.toggle("probability");
  }

  #figures = null;
  #probabilityButton = null;

  #probability({ probability, operating_point: point, positive }) {
    this.#figures = null;
    this.#probabilityButton = null;
    if (probability === null) return [];
    const figure = make("p", { className: "probability" });
    figure.append(make("strong", { textContent: percent(probability) }), make("span", { textContent: " probability" }));
    const fill = make("div", { className: "meter-fill" });
    fill.style.width = `${probability * 100}%`;
    const meter = make("div", { className: "meter" }, fill);
    meter.setAttribute("aria-hidden", "true");
    this.#figures = make("div", { hidden: true }, figure, meter);
    // Without an operating point a probability has no sides.
    if (point !== null) {
      const tick = make("div", { className: "meter-point" });
      tick.style.left = `${point * 100}%`;
      meter.append(tick);
      const side = positive ? "Positive: at or above" : "Negative: below";
      const verdict = `${side} the operating point of ${percent(point)}`;
      this.#figures.append(make("p", { className: "verdict", textContent: verdict }));
    }
    this.#probabilityButton = this.#button("probability", "Probability", "M");
    return [this.#figures];
  }

  #heatmapButton = null;

  #heatmap({ heatmap }) {
    this.#heatmapButton = null;
    if (!heatmap) return [];
    this.#heatmapButton = this.#button("heatmap", "Heat map", "H");
    const slider = make("input", { type: "range", min: 10, max: 100, step: 5, value: this.#opacity * 100, id: "opacity" });
    slider.addEventListener("input", () => {
      this.#opacity = slider.value / 100;
      this.#drawLayer();
    });
    const label = make("label", { htmlFor: slider.id, textContent: "Opacity" });
    return [make("div", { className: "opacity" }, label, slider)];
  }

  #button(kind, label, key) {
    const hint = make("kbd", { textContent: key });
    const element = make("button", { type: "button", className: "tool toggle" }, make("span", { textContent: label }), hint);
    element.setAttribute("aria-pressed", "false");
    element.setAttribute("aria-keyshortcuts", key);
    element.addEventListener("click", () => this.toggle(kind));
    return element;
  }

  // True where there was something to toggle.
  toggle(kind) {
    if (kind === "probability" && this.#figures) {
      this.#setShown("probability", !this.#shown.probability);
      this.#figures.hidden = !this.#shown.probability;
      this.#probabilityButton.setAttribute("aria-pressed", this.#shown.probability);
      return true;
    }
    if (kind === "heatmap" && this.#offered?.heatmap) {
      this.#toggleMap(this.#offered);
      return true;
    }
    return false;
  }

  async #toggleMap(offered) {
    if (!this.#shown.heatmap && !this.#map) {
      try {
        this.#map = await colouredMap(offered.heatmap);
      } catch (error) {
        this.status.textContent = `The heat map could not be loaded. ${error.message}`;
        return;
      }
      // Another case may have come meanwhile.
      if (this.#offered !== offered) return (this.#map = null);
      this.status.textContent = "";
    }
    // Recorded only once the map can really be seen.
    this.#setShown("heatmap", !this.#shown.heatmap);
    this.#heatmapButton.setAttribute("aria-pressed", this.#shown.heatmap);
    this.#drawLayer();
  }

  #drawLayer() {
    const frame = this.#viewport.series.frames[0].url;
    this.#viewport.setLayer(this.#shown.heatmap ? { image: this.#map, opacity: this.#opacity, frame } : null);
  }

  // What is on the screen at this moment, so that a submission can say that it ends there.
  get visible() {
    return Object.keys(this.#shown).filter((kind) => this.#shown[kind]);
  }

  #setShown(kind, shown) {
    if (this.#shown[kind] === shown) return;
    this.#shown[kind] = shown;
    this.#expose(kind, shown ? "shown" : "hidden");
  }
}
