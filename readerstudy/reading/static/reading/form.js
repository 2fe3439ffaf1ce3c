// The questions of a case as a form: built from data, checked before it is sent, filled again from a draft.

import { FIELDS, make } from "./fields.js";

export class Form extends EventTarget {
  #root;
  #fields = new Map();

  constructor(root) {
    super();
    this.#root = root;
  }

  render(questions, answers) {
    this.#fields.clear();
    this.#root.replaceChildren(...questions.map((question, n) => this.#build(question, `q${n}`)));
    for (const [key, answer] of Object.entries(answers ?? {})) this.#fields.get(key)?.field.write(answer);
    for (const { question } of this.#fields.values()) this.#followDecision(question);
  }

  #build(question, id) {
    const field = FIELDS[question.kind](question, id, () => this.#changed(question));
    const many = question.kind === "decision" || question.kind === "choice";
    // A group of radio buttons is named by a legend, a single control by a label.
    const box = make(many ? "fieldset" : "div", { className: "question" });
    const title = make(many ? "legend" : "label", { textContent: question.text, id: `${id}-text` });
    if (!many) title.htmlFor = id;
    if (!question.required) title.append(make("span", { className: "optional", textContent: " (optional)" }));
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
      if (control.type !== "radio" && control.type !== "range") control.required = question.required;
    }
    this.#fields.set(question.key, { question, field, box, error });
    return box;
  }

  #changed(question) {
    this.#showError(question.key, "");
    for (const other of this.#fields.values()) {
      if (other.question.agrees_with === question.key) this.#followDecision(other.question);
    }
    this.dispatchEvent(new Event("change"));
  }

  #followDecision({ key, agrees_with: decisionKey }) {
    const decision = decisionKey && this.#fields.get(decisionKey);
    if (!decision) return;
    const value = decision.field.read();
    const label = decision.question.choices?.find((choice) => choice.value === value)?.label ?? value;
    this.#fields.get(key).field.agree(value, label);
  }

  // Questions without an answer are left out, so that "no answer" has one shape only.
  get answers() {
    const given = [...this.#fields].map(([key, { field }]) => [key, field.read()]);
    return Object.fromEntries(given.filter(([, answer]) => answer !== undefined));
  }

  // The faults by question; shows them, and puts the focus on the first.
  check() {
    const errors = {};
    for (const [key, { field }] of this.#fields) {
      const sentence = field.check();
      if (sentence) errors[key] = sentence;
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
    for (const control of field.controls) control.setAttribute("aria-invalid", Boolean(sentence));
  }

  // While an answer is on its way it stays readable and cannot be changed.
  lock(locked) {
    for (const { field } of this.#fields.values()) for (const control of field.controls) control.disabled = locked;
  }

  // The digit answers the question with the focus, else the first open one that digits can answer.
  digit(number) {
    const fields = [...this.#fields.values()];
    const focused = fields.find(({ box }) => box.contains(document.activeElement));
    const open = fields.find(({ field, question }) => field.read() === undefined && question.kind in { decision: 1, choice: 1 });
    const asked = focused ?? open;
    if (!asked?.field.digit(number)) return false;
    this.focusNext(asked);
    return true;
  }

  decide(positive) {
    const asked = [...this.#fields.values()].find(({ question }) => question.kind === "decision");
    if (!asked?.field.decide(positive)) return false;
    this.focusNext(asked);
    return true;
  }

  // On to the next question without an answer, so that a case needs no mouse and no Tab.
  focusNext(after) {
    const fields = [...this.#fields.values()];
    const start = after ? fields.indexOf(after) + 1 : 0;
    const order = [...fields.slice(start), ...fields.slice(0, start)];
    const next = order.find(({ field, question }) => question.required && field.read() === undefined);
    (next ?? after ?? fields[0])?.field.focus();
  }
}
