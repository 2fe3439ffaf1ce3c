// One field for each kind of question. All fields speak alike: read() gives the answer or undefined, write(answer)
// shows one, check() gives a sentence where something is wrong, focus() and, where digits answer it, digit(n) take it by
// keyboard. digit(n) is false where the digit means nothing here, and "stay" where the field wants more.

import { say } from "./say.js";

export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// The same in SVG.
export function made(name, facts, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(facts)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// act: what a press does; key: the key that does the same.
export function button(words, act, key) {
  const element = make("button", { type: "button", className: "tool" }, make("span", { textContent: words }));
  element.addEventListener("click", act);
  if (key) {
    element.append(make("kbd", { textContent: key }));
    element.ariaKeyShortcuts = key;
  }
  return element;
}

// "12,5" is how half of Europe writes 12.5; anything that is not one plain number is none.
export function parseNumber(text) {
  const plain = text.trim().replace(",", ".");
  return /^[+-]?\d+(\.\d+)?$/.test(plain) ? Number(plain) : NaN;
}

// A decision is true or false. The part of the scale that agrees with a decision; the whole scale while there is none.
function rangeFor({ minimum, maximum, threshold }, decision) {
  if (decision === undefined || threshold === null || threshold === undefined) return [minimum, maximum];
  const lowestPositive = Math.ceil(threshold);
  return decision ? [lowestPositive, maximum] : [minimum, lowestPositive - 1];
}

// The key of each answer: its own digit where all answers are single digits (grade 0 is the key 0), else its number.
function keysOf(choices) {
  const own = choices.every(({ label }) => /^\d$/.test(label));
  return choices.map(({ label }, n) => (own ? label : n < 9 ? String(n + 1) : ""));
}

const keyHint = (textContent) => make("kbd", { textContent, ariaHidden: true });

// The button of an answer in its label, beside the key that presses it.
export function option(name, { value, label }, key = "", type = "radio") {
  return make("label", { className: "choice" }, make("input", { type, name, value }), make("span", { textContent: label }), keyHint(key));
}

export const entryOf = (facts) => make("input", { type: "text", inputMode: "numeric", autocomplete: "off", ...facts });

// One button for each choice: decisions, choices, levels, and several choices.
export function choiceField(question, id, changed) {
  const { choices, kind, required } = question;
  const many = kind === "choices";
  const keys = keysOf(choices);
  const labels = choices.map((choice, n) => option(id, choice, keys[n], many ? "checkbox" : "radio"));
  const controls = labels.map(({ control }) => control);
  const short = !many && choices.every(({ label }) => label.length <= 6);
  const shape = kind === "decision" ? "decision" : short ? "short" : "long";
  const element = make("div", { className: `choices ${shape}` }, ...labels);
  element.addEventListener("change", changed);
  const read = () => {
    const chosen = choices.filter((_, n) => controls[n].checked).map(({ value }) => value);
    return many && chosen.length ? chosen : chosen[0];
  };
  const choose = (n) => {
    controls[n]?.click();
    return n >= 0 && (many ? "stay" : true);
  };
  return {
    element,
    controls,
    read,
    write: (answer) => controls.forEach((control) => (control.checked = [answer].flat().some((one) => `${one}` === control.value))),
    check: () => (required && read() === undefined ? say(many ? "Please choose at least one answer." : "Please choose an answer.") : ""),
    focus: () => (controls.find(({ checked }) => checked) ?? controls[0]).focus(),
    digit: (n) => choose(keys.indexOf(`${n}`)),
    decide: (positive) => choose(choices.findIndex(({ value }) => value === positive)),
  };
}

// Nothing is chosen beforehand: a slider that starts in the middle would suggest an answer.
export function confidenceField(question, id, changed) {
  const slider = make("input", { type: "range", id: `${id}-slider`, step: 1, className: "unset" });
  const entry = entryOf({ id, maxLength: 6 });
  const low = make("span");
  const high = make("span");
  const note = make("p", { className: "note", role: "status" });
  const ends = make("div", { className: "ends" }, low, high);
  slider.ariaLabel = say("{question}, slider", { question: question.text });
  const element = make("div", { className: "confidence" }, make("div", {}, slider, ends), entry, note);
  let range = rangeFor(question);

  const setRange = (decision) => {
    range = rangeFor(question, decision);
    Object.assign(slider, { min: range[0], max: range[1] });
    [low.textContent, high.textContent] = range;
  };
  const follow = () => {
    const value = parseNumber(entry.value);
    slider.classList.toggle("unset", Number.isNaN(value));
    if (!Number.isNaN(value)) slider.value = value;
    slider.ariaValueText = Number.isNaN(value) ? say("not rated yet") : entry.value;
  };
  const rated = () => {
    note.textContent = "";
    follow();
    changed();
  };
  slider.addEventListener("input", () => {
    entry.value = slider.value;
    rated();
  });
  // Choosing the place where the thumb rests already changes nothing for the browser, but is a rating all the same.
  const settle = () => entry.value !== slider.value && slider.dispatchEvent(new Event("input"));
  slider.addEventListener("pointerup", settle);
  slider.addEventListener("keyup", ({ key }) => /^(Arrow|Page|Home|End)/.test(key) && settle());
  entry.addEventListener("input", rated);
  setRange();
  follow();

  const check = () => {
    if (entry.value.trim() === "") return question.required ? say("Please give a rating.") : "";
    const value = parseNumber(entry.value);
    const [low, high] = range;
    if (!Number.isInteger(value)) return say("Please give a whole number from {low} to {high}.", { low, high });
    if (value >= low && value <= high) return "";
    const whole = low === question.minimum && high === question.maximum;
    const sentence = whole ? "The rating must lie from {low} to {high}." : "The rating must lie from {low} to {high} to agree with your decision.";
    return say(sentence, { low, high });
  };
  return {
    element,
    controls: [entry, slider],
    read: () => answerIn(entry),
    write: (answer) => {
      entry.value = answer ?? "";
      follow();
    },
    check,
    focus: () => {
      entry.focus();
      entry.select();
    },
    // Where the decision was changed, a rating that contradicts it goes, and the reader is told so.
    agree: (decision, label) => {
      const before = entry.value.trim();
      setRange(decision);
      if (before === "" || (Number(before) >= range[0] && Number(before) <= range[1])) return follow();
      entry.value = "";
      follow();
      note.textContent = cleared(before, label, range);
    },
  };
}

const cleared = (rating, decision, [low, high]) =>
  say("Rating {rating} cleared: “{decision}” needs {low} to {high}.", { rating, decision, low, high });

function answerIn(entry) {
  const value = parseNumber(entry.value);
  return Number.isNaN(value) ? undefined : value;
}

export function numberField(question, id, changed) {
  const { minimum, maximum, unit } = question;
  const entry = entryOf({ id, inputMode: "decimal", maxLength: 20 });
  const element = make("div", { className: "number" }, entry, make("span", { className: "unit", textContent: unit ?? "" }));
  entry.addEventListener("input", changed);
  const known = (limit, sentence) => ((limit ?? null) === null ? [] : [say(sentence, { limit })]);
  const limits = [...known(minimum, "at least {limit}"), ...known(maximum, "at most {limit}")];
  return {
    element,
    controls: [entry],
    read: () => answerIn(entry),
    write: (answer) => (entry.value = answer ?? ""),
    check: () => {
      if (entry.value.trim() === "") return question.required ? say("Please give a number.") : "";
      const value = answerIn(entry);
      if (value === undefined) return say("Please give a plain number, such as 12.5.");
      const outside = value < (minimum ?? -Infinity) || value > (maximum ?? Infinity);
      return outside ? say("The number must be {limits}.", { limits: limits.join(say(" and ")) }) : "";
    },
    focus: () => entry.focus(),
  };
}

export function textField(question, id, changed) {
  const entry = make("textarea", { id, rows: 3, maxLength: 4000 });
  entry.addEventListener("input", changed);
  return {
    element: entry,
    controls: [entry],
    read: () => entry.value.trim() || undefined,
    write: (answer) => (entry.value = answer ?? ""),
    check: () => (question.required && !entry.value.trim() ? say("Please write an answer.") : ""),
    focus: () => entry.focus(),
  };
}

// One button a point, with its words where the protocol gives some; points that contradict the decision are closed.
export function pointsField(question, id, changed) {
  const { minimum, maximum, choices = [] } = question;
  const points = Array.from({ length: maximum - minimum + 1 }, (_, n) => minimum + n);
  const options = points.map((value, n) => ({ value, label: choices[n]?.label ?? `${value}` }));
  const field = choiceField({ ...question, choices: options }, id, changed);
  const note = make("p", { className: "note", role: "status" });
  let range = [minimum, maximum];
  const isOpen = (value) => value >= range[0] && value <= range[1];
  return {
    ...field,
    element: make("div", {}, field.element, note),
    digit: (n) => isOpen(points[keysOf(options).indexOf(`${n}`)]) && field.digit(n),
    agree: (decision, label) => {
      range = rangeFor(question, decision);
      field.controls.forEach((radio, n) => (radio.disabled = !isOpen(points[n])));
      const before = field.read();
      note.textContent = "";
      if (before === undefined || isOpen(before)) return;
      field.write(undefined);
      note.textContent = cleared(options[before - minimum].label, label, range);
    },
  };
}

// A row for each vertebra or feature, a column for each grade. A digit answers the row in hand and goes to the next.
export function gridField(question, id, changed) {
  const { items, choices, required, text } = question;
  const rows = items.map((item, row) =>
    choices.map((choice) => {
      return make("input", { type: "radio", name: `${id}-${row}`, value: choice.value, ariaLabel: `${item.label}: ${choice.label}` });
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
  const rest = button(say("“{answer}” for all open rows", { answer: choices[0].label }), () => {
    for (const radios of rows) if (!given(radios)) radios[0].checked = true;
    changed();
  });
  const element = make("div", {}, table, rest);
  const given = (radios) => radios.find(({ checked }) => checked);
  const firstOpen = () => rows.findIndex((radios) => !given(radios));
  table.addEventListener("change", changed);
  const focusRow = (row) => (given(rows[row]) ?? rows[row][0]).focus();
  const read = () => {
    const answered = items.flatMap(({ value }, row) => (given(rows[row]) ? [[value, given(rows[row]).value]] : []));
    return answered.length ? Object.fromEntries(answered) : undefined;
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
      const radio = rows[row]?.[keys.indexOf(`${n}`)];
      if (!radio) return false;
      radio.checked = true;
      changed();
      if (firstOpen() < 0) return true;
      focusRow(rows[row + 1] && !given(rows[row + 1]) ? row + 1 : firstOpen());
      return "stay";
    },
  };
}
