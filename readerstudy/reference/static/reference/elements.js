// Elements of the column, with text content only.

import { say } from "./words.js";

export function made(name, facts = {}, ...children) {
  const element = Object.assign(document.createElement(name), facts);
  element.append(...children);
  return element;
}

export function button(label, act, { shown = "", pressed, title = "" } = {}) {
  const element = made("button", { type: "button", className: "button small", onclick: act, title: title && say(title) }, say(label));
  if (shown) element.append(" ", made("kbd", {}, shown));
  if (pressed !== undefined) element.setAttribute("aria-pressed", pressed);
  return element;
}
