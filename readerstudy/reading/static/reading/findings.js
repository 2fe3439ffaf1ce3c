// What the model found, as words and figures beside the image: probability, vertebrae, on which images.

import { make } from "./fields.js";
import { say } from "./say.js";

const percent = (share) => `${Math.round(share * 1000) / 10} %`;

// Of something that is not known: never none of it and never all.
export function likely(share) {
  if (share < 0.0005) return "<0.1 %";
  return share >= 0.9995 ? ">99.9 %" : percent(share);
}

function verdictOf({ operating_point: point, positive, uncertain, abstain }) {
  if (uncertain) return say("Uncertain: from {low} to {high} the model does not decide", { low: percent(abstain[0]), high: percent(abstain[1]) });
  const sentence = positive ? "Positive: at or above the operating point of {point}" : "Negative: below the operating point of {point}";
  return say(sentence, { point: percent(point) });
}

export function probabilityPanel(offered) {
  const { probability, operating_point: point } = offered;
  const figure = make("p", { className: "probability" });
  figure.append(make("strong", { textContent: likely(probability) }), make("span", { textContent: say(" probability") }));
  const fill = make("div", { className: "meter-fill" });
  fill.style.width = `${probability * 100}%`;
  const tick = make("div", { className: "meter-point" });
  tick.style.left = `${point * 100}%`;
  const meter = make("div", { className: "meter" }, fill, tick);
  meter.setAttribute("aria-hidden", "true");
  const verdict = make("p", { className: "verdict", textContent: verdictOf(offered) });
  return make("div", { hidden: true }, figure, meter, verdict);
}

// "images 4–6, 9 of T1W"; nothing where the case is a single image.
export function whereabouts(found, series) {
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

export function runs(numbers) {
  const spans = [];
  for (const number of numbers) {
    const last = spans.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else spans.push([number, number]);
  }
  return spans.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

// One row a vertebra; in a stack its row leads to its image.
export function levelTable(levels, layout) {
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
  const button = make("button", { type: "button", className: "tool", textContent: `${place + 1}` });
  button.setAttribute("aria-label", say("Go to image {number}, {label}", { number: place + 1, label }));
  button.addEventListener("click", () => layout.goTo(frame));
  return button;
}
