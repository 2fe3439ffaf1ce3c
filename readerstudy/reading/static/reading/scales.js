// Fields with many buttons: scales of points, several choices, grids.

import { choiceField, confidenceField, keyHint, keysOf, make, numberField, rangeFor, textField } from "./fields.js";
import { marksField } from "./marks.js";
import { say } from "./say.js";

// One button a point, with its words where the protocol gives some; points that contradict the decision are closed.
function pointsField(question, id, changed) {
  const { minimum, maximum, choices = [] } = question;
  const points = Array.from({ length: maximum - minimum + 1 }, (_, n) => minimum + n);
  const options = points.map((value, n) => ({ value, label: choices[n]?.label ?? String(value) }));
  const field = choiceField({ ...question, choices: options }, id, changed);
  const note = make("p", { className: "note" });
  note.setAttribute("role", "status");
  let range = [minimum, maximum];
  const isOpen = (value) => value >= range[0] && value <= range[1];
  return {
    ...field,
    element: make("div", {}, field.element, note),
    digit: (n) => isOpen(points[keysOf(options).indexOf(String(n))]) && field.digit(n),
    agree: (decision, label) => {
      range = rangeFor(question, decision);
      field.controls.forEach((radio, n) => radio.toggleAttribute("data-closed", !isOpen(points[n])));
      field.controls.forEach((radio, n) => (radio.disabled = !isOpen(points[n])));
      const before = field.read();
      note.textContent = "";
      if (before === undefined || isOpen(before)) return;
      field.write(undefined);
      const values = { rating: options[before - minimum].label, decision: label, low: range[0], high: range[1] };
      note.textContent = say("Rating {rating} cleared: “{decision}” needs {low} to {high}.", values);
    },
  };
}

function choicesField(question, id, changed) {
  const { choices, required } = question;
  const boxes = choices.map((_, n) => make("input", { type: "checkbox", id: `${id}-${n}` }));
  const keys = keysOf(choices);
  const labels = choices.map(({ label }, n) =>
    make("label", { className: "choice", htmlFor: boxes[n].id }, boxes[n], make("span", { textContent: label }), keyHint(keys[n])),
  );
  const element = make("div", { className: "choices long" }, ...labels);
  element.addEventListener("change", changed);
  const read = () => {
    const chosen = choices.filter((_, n) => boxes[n].checked).map(({ value }) => value);
    return chosen.length ? chosen : undefined;
  };
  return {
    element,
    controls: boxes,
    read,
    write: (answer) => boxes.forEach((box, n) => (box.checked = (answer ?? []).includes(choices[n].value))),
    check: () => (required && !read() ? say("Please choose at least one answer.") : ""),
    focus: () => boxes[0].focus(),
    digit: (n) => {
      const box = boxes[keys.indexOf(String(n))];
      if (!box) return false;
      box.click();
      return "stay";
    },
  };
}

// A row for each vertebra or feature, a column for each grade. A digit answers the row in hand and goes to the next.
function gridField(question, id, changed) {
  const { items, choices, required, text } = question;
  const rows = items.map((item, row) =>
    choices.map((choice, column) => {
      const radio = make("input", { type: "radio", name: `${id}-${row}`, id: `${id}-${row}-${column}`, value: choice.value });
      radio.setAttribute("aria-label", `${item.label}: ${choice.label}`);
      return radio;
    }),
  );
  const keys = keysOf(choices);
  // Where the answers are digits they are their own keys.
  const heads = choices.map(({ label }, n) =>
    make("th", { scope: "col" }, label, ...(keys[n] && keys[n] !== label ? [" ", keyHint(keys[n])] : [])),
  );
  const head = make("thead", {}, make("tr", {}, make("td"), ...heads));
  const body = items.map(({ label }, row) =>
    make("tr", {}, make("th", { scope: "row", textContent: label }), ...rows[row].map((radio) => make("td", {}, radio))),
  );
  const caption = make("caption", { className: "visually-hidden", textContent: text });
  const table = make("table", { className: "grid-answer" }, caption, head, make("tbody", {}, ...body));
  const rest = make("button", { type: "button", className: "tool" });
  rest.textContent = say("“{answer}” for all open rows", { answer: choices[0].label });
  const element = make("div", {}, table, rest);
  const isOpen = (row) => !rows[row].some((radio) => radio.checked);
  const firstOpen = () => items.findIndex((_, row) => isOpen(row));
  rest.addEventListener("click", () => {
    rows.forEach((radios, row) => isOpen(row) && (radios[0].checked = true));
    changed();
  });
  table.addEventListener("change", changed);
  const focusRow = (row) => (rows[row].find((radio) => radio.checked) ?? rows[row][0]).focus();
  const read = () => {
    const given = items.flatMap(({ value }, row) => rows[row].filter((radio) => radio.checked).map((radio) => [value, radio.value]));
    return given.length ? Object.fromEntries(given) : undefined;
  };
  return {
    element,
    controls: [...rows.flat(), rest],
    read,
    isOpen: () => firstOpen() >= 0,
    write: (answer) => rows.forEach((radios, row) => radios.forEach((radio) => (radio.checked = answer?.[items[row].value] === radio.value))),
    check: () => {
      const open = firstOpen();
      return required && open >= 0 ? say("Please answer every row; open is {row}.", { row: items[open].label }) : "";
    },
    focus: () => focusRow(Math.max(0, firstOpen())),
    digit: (n) => {
      const inHand = rows.findIndex((radios) => radios.includes(document.activeElement));
      const row = inHand >= 0 ? inHand : firstOpen();
      const radio = rows[row]?.[keys.indexOf(String(n))];
      if (!radio) return false;
      radio.checked = true;
      changed();
      if (firstOpen() < 0) return true;
      focusRow(isOpen(row + 1 < rows.length ? row + 1 : 0) ? row + 1 : firstOpen());
      return "stay";
    },
  };
}

export const FIELDS = {
  decision: choiceField,
  choice: choiceField,
  level: choiceField,
  choices: choicesField,
  confidence: (question, ...rest) => (question.scale === "points" ? pointsField : confidenceField)(question, ...rest),
  grid: gridField,
  number: numberField,
  marks: marksField,
  text: textField,
};

// Those whose many controls are named by a legend.
export const isGroup = ({ kind, scale }) => !["text", "number", "confidence"].includes(kind) || scale === "points";
