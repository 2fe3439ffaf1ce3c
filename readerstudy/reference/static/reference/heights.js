// The table of what was measured at six points: heights and Genant's grade of each level, from the head down.

import { made } from "./elements.js";
import { EVERY_LEVEL } from "./levels.js";
import { measureOf, unitOf } from "./shapes.js";
import { say } from "./words.js";

// Heading, what it stands for, and whether the column holds numbers.
const COLUMNS = [
  ["Level", "", false],
  ["Image", "", true],
  ["Ha", "Anterior height", true],
  ["Hm", "Middle height", true],
  ["Hp", "Posterior height", true],
  ["Loss", "Loss of height", true],
  ["Genant", "Genant grade", false],
];

const rank = ({ label }) => (EVERY_LEVEL.indexOf(label) + EVERY_LEVEL.length + 1) % (EVERY_LEVEL.length + 1);

function cellsOf(mark, frame, marks) {
  const { heights, grade } = measureOf(mark, frame, marks);
  const said = grade ? [grade.grade, grade.kind && say(grade.kind)].filter((part) => part !== "").join(" · ") : "–";
  const loss = grade ? `${Math.round(100 * grade.loss)} %` : "–";
  const [front, middle, behind] = [heights.anterior, heights.middle, heights.posterior].map((height) => height.toFixed(1));
  return [mark.label || "–", mark.slice + 1, front, middle, behind, loss, said];
}

// "" where nothing was measured so; go(mark): shows its image.
export function heightsTable(marks, frames, go) {
  const rows = marks.filter(({ kind, series, slice }) => kind === "morphometry" && frames(series, slice));
  if (!rows.length) return "";
  const units = new Set(rows.map(({ series, slice }) => unitOf(frames(series, slice))));
  const heading = ([name, meaning, number]) =>
    made("th", { scope: "col", className: number ? "number" : "" }, meaning ? made("abbr", { title: say(meaning) }, say(name)) : say(name));
  const line = (mark) => {
    const [level, ...others] = cellsOf(mark, frames(mark.series, mark.slice), marks);
    const first = made("th", { scope: "row" }, made("button", { type: "button", className: "link", onclick: () => go(mark) }, level));
    return made("tr", {}, first, ...others.map((text, n) => made("td", { className: COLUMNS[n + 1][2] ? "number" : "" }, String(text))));
  };
  const sorted = rows.toSorted((one, other) => rank(one) - rank(other) || one.slice - other.slice);
  const caption = made("caption", {}, say("Heights in {unit}", { unit: [...units].join(", ") }));
  const head = made("thead", {}, made("tr", {}, ...COLUMNS.map(heading)));
  return made("table", { className: "heights" }, caption, head, made("tbody", {}, ...sorted.map(line)));
}
