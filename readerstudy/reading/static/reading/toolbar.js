// The bar of tools above the images: what can be done as data, with the key of each beside its name.

import { keyOf } from "./keys.js";
import { say } from "./say.js";

const GROUPS = [
  { label: "Drag", tools: [["mode:window", "Window"], ["mode:pan", "Pan"], ["mode:zoom", "Zoom"], ["mode:locate", "Locate"]] },
  {
    label: "Measure",
    menu: true,
    tools: [
      ["mode:length", "Length"],
      ["mode:angle", "Angle"],
      ["mode:cobb", "Cobb angle"],
      ["mode:heights", "Heights"],
      ["mode:region", "Region"],
      ["removeMeasure", "Remove the last"],
      ["clearMeasures", "Remove all"],
    ],
  },
  { label: "Image", tools: [["invert", "Invert"], ["fit", "Fit"], ["actual", "1:1"], ["reset", "Reset"], ["magnifier", "Magnify"]] },
  {
    label: "Turn",
    menu: true,
    tools: [["turnRight", "To the right"], ["turnLeft", "To the left"], ["mirror", "Left to right"], ["upend", "Top to bottom"]],
  },
  { label: "Views", tools: [["link", "Link"], ["planes", "Planes"], ["alone", "Only this"]] },
];
// What is to be done with a measuring tool.
const HINTS = {
  length: "Drag from one end to the other.",
  angle: "Three points, the corner in the middle.",
  cobb: "Drag along one endplate, then along the other.",
  heights: "Drag the anterior, the middle, then the posterior height.",
  region: "Drag across the region.",
  locate: "Drag to a place; the other views follow.",
};

function button(action, label, shown = keyOf(action)) {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className: "tool", textContent: say(label) });
  element.dataset.action = action;
  if (!shown) return element;
  const key = document.createElement("kbd");
  key.textContent = shown.replace("Shift + ", "⇧");
  element.append(" ", key);
  return element;
}

function group({ label, tools, menu }) {
  const element = document.createElement(menu ? "details" : "div");
  element.className = menu ? "tool-menu" : "tool-group";
  const list = menu ? document.createElement("div") : element;
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", say(label));
  list.append(...tools.map(([action, name]) => button(action, name)));
  if (!menu) return element;
  const summary = document.createElement("summary");
  Object.assign(summary, { className: "tool", textContent: say(label) });
  element.append(summary, list);
  return element;
}

export class Toolbar {
  // run(action, number): what a tool does.
  constructor(run) {
    this.element = document.createElement("div");
    this.element.className = "tools";
    this.presets = group({ label: "Presets", menu: true, tools: [] });
    this.hint = Object.assign(document.createElement("p"), { className: "hint", role: "status" });
    this.value = Object.assign(document.createElement("output"), { className: "value" });
    this.element.append(...GROUPS.map(group), this.presets, this.hint, this.value);
    this.element.addEventListener("click", ({ target }) => this.#clicked(target.closest("button"), run));
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.#close(event));
    document.addEventListener("pointerdown", ({ target }) => {
      for (const menu of this.#open) if (!menu.contains(target)) menu.open = false;
    });
  }

  get #open() {
    return this.element.querySelectorAll("details[open]");
  }

  #clicked(pressed, run) {
    if (!pressed) return;
    run(pressed.dataset.action, Number(pressed.dataset.number));
    this.#close();
  }

  // The focus must not vanish with the menu.
  #close(event) {
    for (const menu of this.#open) {
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
      event?.stopPropagation();
    }
  }

  offer(presets) {
    const choices = presets.slice(0, 9).map((preset, n) => {
      const choice = button("preset", preset.label, `Shift + ${n + 1}`);
      choice.dataset.number = n + 1;
      return choice;
    });
    this.presets.lastChild.replaceChildren(...choices);
    this.presets.hidden = !choices.length;
  }

  // pressed: actions that are on; absent: those that make no sense here.
  mark(mode, pressed, absent, notice) {
    const toggles = ["invert", "magnifier", "link", "planes", "alone"];
    for (const tool of this.element.querySelectorAll("button")) {
      const { action } = tool.dataset;
      tool.hidden = absent.includes(action);
      if (action.startsWith("mode:")) tool.setAttribute("aria-pressed", action === `mode:${mode}`);
      if (toggles.includes(action)) tool.setAttribute("aria-pressed", pressed.includes(action));
    }
    this.hint.textContent = notice || (HINTS[mode] ? say(HINTS[mode]) : "");
  }
}
