// A case that cannot be read is left with one of the protocol's reasons in place of its answers.

import { make } from "./fields.js";

export class Unreadable {
  #root;
  #radios = [];

  constructor(root) {
    this.#root = root;
    this.list = root.querySelector(".reasons");
    // Closed again: the case is readable after all.
    root.addEventListener("toggle", () => root.open || this.#clear());
  }

  offer(reasons = []) {
    this.#root.hidden = !reasons.length;
    this.#root.open = false;
    this.#radios = reasons.map((value, n) => make("input", { type: "radio", name: "unreadable", id: `unreadable-${n}`, value }));
    const labels = reasons.map((textContent, n) =>
      make("label", { className: "choice", htmlFor: this.#radios[n].id }, this.#radios[n], make("span", { textContent })),
    );
    this.list.replaceChildren(...labels);
  }

  // Opens the reasons with the first one in hand, or closes them; arrows choose, Enter submits.
  open() {
    if (this.#root.hidden) return false;
    this.#root.open = !this.#root.open;
    if (this.#root.open) {
      this.#radios[0].checked = true;
      this.#radios[0].focus();
    }
    return true;
  }

  get reason() {
    return this.#radios.find((radio) => radio.checked)?.value ?? "";
  }

  #clear() {
    for (const radio of this.#radios) radio.checked = false;
  }
}
