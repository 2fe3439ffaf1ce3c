// The key map as data: the help page and the bar of tools are made from it, so that no key is hidden and none is promised
// in vain.

import { make } from "./fields.js";
import { say } from "./say.js";

// By group: [action, key, what it does, class, how the key is shown]. Where nothing else is said it is a letter, with Shift
// where it is a capital; of other keys those with Shift are shown so. The class decides where a key must stay with the
// field that has the focus.
const MAP = {
  Answers: [
    ["answer", "", "Choose the answer with this number", "digit", "0 … 9"],
    ["submit", "Enter", "Submit the case", "enter", "Enter"],
    ["decide:no", "n", "Decide: negative"],
    ["decide:yes", "y", "Decide: positive"],
    ["mark", "b", "Mark a place, where marks are asked for"],
    ["unreadable", "N", "The case is not readable"],
    ["nextField", "q", "Go to the next open question"],
    ["leaveField", "Escape", "Back to the image", "escape", "Esc"],
  ],
  Model: [
    ["heatmap", "h", "Show or hide the heat map"],
    ["probability", "m", "Show or hide the probability"],
    ["mask", "k", "Show or hide the outline"],
    ["boxes", "x", "Show or hide the boxes"],
    ["levels", "l", "Show or hide the vertebrae"],
    ["output", "g", "Ask for the model output; go to the next image with it"],
  ],
  Image: [
    ["preset", "", "Window preset", "digit", "Shift + 1 … 9"],
    ["mode:window", "w", "Drag changes the window"],
    ["mode:pan", "p", "Drag moves the image"],
    ["mode:zoom", "z", "Drag zooms"],
    ["invert", "i", "Invert black and white"],
    ["fit", "f", "Fit into the window"],
    ["actual", "o", "One image pixel on one screen pixel"],
    ["reset", "r", "As it came up first"],
    ["magnifier", "u", "Magnifying glass"],
    ["turnRight", "t", "Turn to the right"],
    ["turnLeft", "T", "Turn to the left"],
    ["mirror", "v", "Mirror left to right"],
    ["upend", "V", "Mirror top to bottom"],
    ["zoomIn", "+", "Zoom in", "symbol", "+"],
    ["zoomOut", "-", "Zoom out", "symbol", "−"],
    ["darker", ",", "Darker", "symbol", ","],
    ["brighter", ".", "Brighter", "symbol", "."],
    ["narrower", "[", "More contrast", "symbol", "["],
    ["wider", "]", "Less contrast", "symbol", "]"],
    ["panUp", "ArrowUp", "Move the image by steps", "arrow", "Shift + ↑ ↓ ← →"],
    ["panDown", "ArrowDown", "", "arrow", "Shift"],
    ["panLeft", "ArrowLeft", "", "arrow", "Shift"],
    ["panRight", "ArrowRight", "", "arrow", "Shift"],
  ],
  Stack: [
    ["previous", "ArrowUp", "Image before", "arrow", "↑ or wheel up"],
    ["next", "ArrowDown", "Image after", "arrow", "↓ or wheel down"],
    ["back5", "PageUp", "Five images back", "page", "Page ↑"],
    ["on5", "PageDown", "Five images on", "page", "Page ↓"],
    ["first", "Home", "First image", "page", "Home"],
    ["last", "End", "Last image", "page", "End"],
    ["mode:scroll", "W", "Drag scrolls the stack"],
  ],
  Views: [
    ["series", "s", "The next view"],
    ["nextSeries", "S", "The next series in this view"],
    ["link", "j", "Scroll and window the series of a plane together"],
    ["planes", "P", "Three planes through the stack"],
    ["mode:locate", "c", "Drag points to a place in all views"],
    ["alone", "F", "Only this view, or all"],
  ],
  Measure: [
    ["mode:length", "d", "Measure a length"],
    ["mode:angle", "a", "Measure an angle"],
    ["mode:cobb", "A", "Measure a Cobb angle"],
    ["mode:heights", "D", "Measure heights of a vertebra"],
    ["mode:region", "e", "Measure a region"],
    ["removeMeasure", "Delete", "Remove the measurement at the pointer, or the last", "delete", "Del"],
    ["clearMeasures", "Delete", "Remove all measurements", "delete", "Shift + Del"],
  ],
  Page: [
    ["goBack", "Z", "Back to the case before, where the protocol allows it"],
    ["pause", "B", "Break: pause reading"],
    ["help", "?", "This list", "symbol", "?"],
  ],
};

export const KEYS = Object.entries(MAP).flatMap(([group, entries]) =>
  entries.map(([action, key, does, kind = "letter", shown = key < "a" ? `Shift + ${key}` : key.toUpperCase()]) => {
    const shift = shown.startsWith("Shift");
    return { action, class: kind, key: kind === "letter" ? key.toLowerCase() : key, shift, shown, does, group };
  }),
);

// How the help page shows the key of an action; empty where it has none.
const keyOf = (action) => KEYS.find((entry) => entry.action === action)?.shown ?? "";

export const POINTER = [
  { shown: "Left drag", does: "Window, pan or zoom as chosen above the image", group: "Mouse" },
  { shown: "Right drag", does: "Zoom", group: "Mouse" },
  { shown: "Middle or Shift + drag", does: "Move the image", group: "Mouse" },
  { shown: "Wheel", does: "Scroll the stack; zoom where there is one image", group: "Mouse" },
  { shown: "Two fingers", does: "Move the image and zoom", group: "Mouse" },
  { shown: "Ctrl + wheel", does: "Zoom at the pointer", group: "Mouse" },
];

// Which classes of keys an element with the focus keeps for itself.
const KEPT = [
  ["textarea", "digit letter symbol arrow page delete enter"],
  ["select", "letter arrow page enter"],
  ["button, a, summary", "enter"],
  // On the slider of a stack a key means the same image as beside it.
  [":not(input), .stack, [type=checkbox]", ""],
  ["[type=range]", "arrow page"],
  ["[type=radio]", "arrow"],
  // Letters mean nothing in a number, so they go on working as commands while a rating is typed.
  ["[inputmode]", "digit symbol arrow delete"],
  ["input", "digit letter symbol arrow page delete"],
];

function pressed(entry, event) {
  if (entry.class === "symbol") return event.key === entry.key;
  if (event.shiftKey !== entry.shift) return false;
  // By place, not by sign: French keyboards need Shift for a digit, and Shift + 1 is "!" on others.
  if (entry.class === "digit") return /^(Digit|Numpad)[0-9]$/.test(event.code);
  if (entry.class !== "letter") return event.key === entry.key;
  const letter = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", "");
  return letter.toLowerCase() === entry.key;
}

// The command of a key press, or null where the key belongs to the field, to the browser or to nobody.
export function commandOf(event, { singleKeys = true } = {}) {
  if (event.altKey || event.metaKey || event.isComposing) return null;
  if (event.ctrlKey) return event.key === "Enter" ? { action: "submit" } : null;
  const [, kept] = KEPT.find(([which]) => event.target.matches(which));
  const entry = KEYS.find((candidate) => pressed(candidate, event) && !kept.includes(candidate.class));
  if (!entry) return null;
  if (!singleKeys && ["digit", "letter", "symbol"].includes(entry.class) && entry.action !== "help") return null;
  return { action: entry.action, number: entry.class === "digit" ? Number(event.code.at(-1)) : undefined };
}

// The groups of the help page, as DOM; textContent only, so nothing in it can be markup.
export function helpLists(groups) {
  const rows = [...KEYS, ...POINTER].filter((entry) => entry.does && groups.includes(entry.group));
  return groups.map((group) => {
    const list = make("dl", { className: "keys" });
    for (const { shown, does } of rows.filter((entry) => entry.group === group)) {
      const key = make("kbd", { textContent: say(shown) });
      list.append(make("dt", {}, key), make("dd", { textContent: say(does) }));
    }
    return make("section", {}, make("h3", { textContent: say(group) }), list);
  });
}

// What can be done with the images, in groups of tools: [action, name].
const GROUPS = [
  { label: "Drag", tools: [["mode:window", "Window"], ["mode:pan", "Pan"], ["mode:zoom", "Zoom"], ["mode:scroll", "Scroll"], ["mode:locate", "Locate"]] },
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
  const element = make("button", { type: "button", className: "tool", textContent: say(label) });
  element.dataset.action = action;
  element.title = say(HINTS[action.slice(5)] ?? "");
  if (!shown) return element;
  element.append(" ", make("kbd", { textContent: shown.replace("Shift + ", "⇧") }));
  return element;
}

function group({ label, tools, menu }) {
  const element = make(menu ? "details" : "div", { className: menu ? "tool-menu" : "tool-group" });
  const list = menu ? make("div") : element;
  Object.assign(list, { role: "group", ariaLabel: say(label) });
  list.append(...tools.map(([action, name]) => button(action, name)));
  if (!menu) return element;
  element.append(make("summary", { className: "tool", textContent: say(label) }), list);
  return element;
}

export class Toolbar {
  // run(action, number): what a tool does.
  constructor(run) {
    this.element = make("div", { className: "tools" });
    this.presets = group({ label: "Presets", menu: true, tools: [] });
    this.hint = make("p", { className: "hint", role: "status" });
    this.value = make("output", { className: "value" });
    this.element.append(...GROUPS.map(group), this.presets, this.hint, this.value);
    this.element.addEventListener("click", ({ target }) => this.#clicked(target.closest("button"), run));
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.#close(event));
    this.element.addEventListener("toggle", ({ target }) => this.#keepInside(target.lastChild), true);
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

  // A menu at the right end of a bar opens to the left.
  #keepInside(list) {
    list.style.marginLeft = 0;
    list.style.marginLeft = `${Math.min(0, this.element.getBoundingClientRect().right - list.getBoundingClientRect().right)}px`;
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

  // pressed: which actions are on, of those that can be; absent: those that make no sense here.
  mark(mode, pressed, absent, notice) {
    for (const tool of this.element.querySelectorAll("button")) {
      const { action } = tool.dataset;
      tool.hidden = absent.includes(action);
      if (action in pressed || action.startsWith("mode:")) tool.ariaPressed = Boolean(pressed[action]);
    }
    const words = notice || say(HINTS[mode] ?? "");
    // A new element each time, for after a while it goes by the style sheet.
    if (this.hint.textContent !== words) this.hint.replaceChildren(make("span", { textContent: words }));
  }
}
