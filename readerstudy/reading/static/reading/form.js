// The questions of a case as a form: built from data, checked before it is sent, filled again from a draft.

import { choiceField, confidenceField, gridField, make, numberField, option, pointsField, textField } from "./fields.js";
import { marksField } from "./marks.js";
import { say } from "./say.js";

const FIELDS = {
  decision: choiceField,
  choice: choiceField,
  level: choiceField,
  choices: choiceField,
  confidence: (question, ...rest) => (question.scale === "points" ? pointsField : confidenceField)(question, ...rest),
  grid: gridField,
  number: numberField,
  marks: marksField,
  text: textField,
};

// Those whose many controls are named by a legend.
const isGroup = ({ kind, scale }) => !["text", "number", "confidence"].includes(kind) || scale === "points";

const isOpen = ({ field }) => field.isOpen?.() ?? field.read() === undefined;
const same = (answer, values) => [answer].flat().some((one) => values.includes(one));

export class Form extends EventTarget {
  #root;
  #fields = new Map();

  constructor(root) {
    super();
    this.#root = root;
  }

  render(questions, answers) {
    for (const { field } of this.#fields.values()) field.leave?.();
    this.#fields.clear();
    this.#root.replaceChildren(...questions.map((question, n) => this.#build(question, `q${n}`)));
    for (const [key, answer] of Object.entries(answers ?? {})) this.#fields.get(key)?.field.write(answer);
    for (const { question } of this.#fields.values()) this.#followDecision(question);
    this.#branch();
  }

  #build(question, id) {
    const field = FIELDS[question.kind](question, id, () => this.#changed(question));
    const many = isGroup(question);
    // A group of buttons is named by a legend, a single control by a label.
    const box = make(many ? "fieldset" : "div", { className: "question" });
    const title = make(many ? "legend" : "label", { textContent: question.text, id: `${id}-text` });
    if (!many) title.htmlFor = id;
    if (!question.required) title.append(make("span", { className: "optional", textContent: say(" (optional)") }));
    const error = make("p", { className: "error", id: `${id}-error`, hidden: true });
    const described = [error.id];
    box.append(title);
    if (question.help) {
      box.append(make("p", { className: "help", id: `${id}-help`, textContent: question.help }));
      described.unshift(`${id}-help`);
    }
    box.append(field.element, error);
    for (const control of field.controls) {
      control.setAttribute("aria-describedby", described.join(" "));
      if (["text", "textarea"].includes(control.type)) control.required = question.required;
    }
    this.#fields.set(question.key, { question, field, box, error });
    return box;
  }

  #changed(question) {
    this.#showError(question.key, "");
    for (const other of this.#fields.values()) {
      if (other.question.agrees_with === question.key) this.#followDecision(other.question);
    }
    this.#branch();
    for (const other of this.#fields.values()) {
      // A decision that a branch took away no longer narrows its scale.
      if (this.#fields.get(other.question.agrees_with)?.box.hidden) this.#followDecision(other.question);
    }
    this.dispatchEvent(new Event("change"));
  }

  // A question that depends on another one is in sight after the answers that lead to it.
  #branch() {
    for (const { question, box } of this.#fields.values()) {
      const before = question.depends_on && this.#fields.get(question.depends_on);
      if (before) box.hidden = before.box.hidden || !same(before.field.read(), question.depends_on_values);
    }
  }

  get #inSight() {
    return [...this.#fields.values()].filter(({ box }) => !box.hidden);
  }

  #followDecision({ key, agrees_with: decisionKey }) {
    const decision = decisionKey && this.#fields.get(decisionKey);
    if (!decision) return;
    const value = decision.box.hidden ? undefined : decision.field.read();
    const label = decision.question.choices?.find((choice) => choice.value === value)?.label ?? value;
    this.#fields.get(key).field.agree(value, label);
  }

  // Questions without an answer are left out, so that "no answer" has one shape only.
  get answers() {
    const given = this.#inSight.map(({ question, field }) => [question.key, field.read()]);
    return Object.fromEntries(given.filter(([, answer]) => answer !== undefined));
  }

  // The faults by question; shows them, and puts the focus on the first.
  check() {
    const errors = {};
    for (const { question, field } of this.#inSight) {
      const sentence = field.check();
      if (sentence) errors[question.key] = sentence;
    }
    this.show(errors);
    return errors;
  }

  show(errors) {
    for (const key of this.#fields.keys()) this.#showError(key, errors[key] ?? "");
    const first = [...this.#fields.keys()].find((key) => errors[key]);
    if (first) this.#fields.get(first).field.focus();
  }

  #showError(key, sentence) {
    const { field, box, error } = this.#fields.get(key);
    error.textContent = sentence;
    error.hidden = !sentence;
    box.classList.toggle("faulty", Boolean(sentence));
    for (const control of field.controls) {
      if (control.type !== "button") control.ariaInvalid = Boolean(sentence) && !field.isRight?.(control);
    }
  }

  // While an answer is on its way it stays readable and cannot be changed.
  lock(locked) {
    this.#root.disabled = locked;
  }

  // The digit answers the question with the focus, else the first open one that digits can answer.
  digit(number) {
    const fields = this.#inSight;
    const focused = fields.find(({ box }) => box.contains(document.activeElement));
    const asked = focused ?? fields.find((one) => isOpen(one) && isGroup(one.question));
    const taken = asked?.field.digit?.(number);
    if (!taken) return false;
    if (taken !== "stay") this.focusNext(asked);
    else if (!focused) asked.field.focus();
    return true;
  }

  decide(positive) {
    const asked = this.#inSight.find(({ question }) => question.kind === "decision");
    if (!asked?.field.decide(positive)) return false;
    this.focusNext(asked);
    return true;
  }

  // On to the next question without an answer, so that a case needs no mouse and no Tab.
  focusNext(after) {
    const fields = this.#inSight;
    const start = after ? fields.indexOf(after) + 1 : 0;
    const order = [...fields.slice(start), ...fields.slice(0, start)];
    const next = order.find((one) => one.question.required && isOpen(one));
    (next ?? after ?? fields[0])?.field.focus();
  }
}

// A case that cannot be read is left with one of the protocol's reasons in place of its answers.
export class Unreadable {
  #root;

  constructor(root) {
    this.#root = root;
    this.list = root.querySelector(".reasons");
    // Closed again: the case is readable after all.
    root.addEventListener("toggle", () => root.open || this.list.querySelectorAll(":checked").forEach((one) => (one.checked = false)));
  }

  offer(reasons = []) {
    this.#root.hidden = !reasons.length;
    this.#root.open = false;
    this.list.replaceChildren(...reasons.map((value) => option("unreadable", { value, label: value })));
  }

  // Opens the reasons with the first one in hand, or closes them; arrows choose, Enter submits.
  open() {
    if (this.#root.hidden) return false;
    this.#root.open = !this.#root.open;
    if (this.#root.open) {
      const first = this.list.querySelector("input");
      first.checked = true;
      first.focus();
    }
    return true;
  }

  close() {
    this.#root.open = false;
  }

  get reason() {
    return this.list.querySelector(":checked")?.value ?? "";
  }
}
