// The key map as data: the help page is made from it, so that no key is hidden and none is promised in vain.

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
    ["removeMeasure", "Delete", "Remove the last measurement", "delete", "Del"],
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
export const keyOf = (action) => KEYS.find((entry) => entry.action === action)?.shown ?? "";

export const POINTER = [
  { shown: "Left drag", does: "Window, pan or zoom as chosen above the image", group: "Mouse" },
  { shown: "Right drag", does: "Zoom", group: "Mouse" },
  { shown: "Middle or Shift + drag", does: "Move the image", group: "Mouse" },
  { shown: "Wheel", does: "Scroll the stack; zoom where there is one image", group: "Mouse" },
  { shown: "Ctrl + wheel", does: "Zoom at the pointer", group: "Mouse" },
];

// Which classes of keys a focused element keeps for itself.
const KEPT = {
  text: ["digit", "letter", "symbol", "arrow", "page", "delete"],
  area: ["digit", "letter", "symbol", "arrow", "page", "enter", "delete"],
  // Letters mean nothing in a number, so they go on working as commands while a rating is typed.
  numeric: ["digit", "symbol", "arrow", "delete"],
  range: ["arrow", "page"],
  radio: ["arrow"],
  list: ["letter", "arrow", "page", "enter"],
  button: ["enter"],
  other: [],
};

export function kindOf(element) {
  if (element.tagName === "TEXTAREA") return "area";
  if (element.tagName === "SELECT") return "list";
  if (["BUTTON", "A", "SUMMARY"].includes(element.tagName)) return "button";
  if (element.tagName !== "INPUT") return "other";
  if (element.type === "range" || element.type === "radio") return element.type;
  if (element.type === "checkbox") return "other";
  return element.inputMode === "numeric" || element.inputMode === "decimal" ? "numeric" : "text";
}

function pressed(entry, event) {
  if (entry.class === "digit") {
    // By place, not by sign: French keyboards need Shift for a digit, and Shift + 1 is "!" on others.
    return /^(Digit|Numpad)[0-9]$/.test(event.code) && event.shiftKey === Boolean(entry.shift);
  }
  if (entry.class === "letter") {
    const letter = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", "");
    return letter.toLowerCase() === entry.key && event.shiftKey === Boolean(entry.shift);
  }
  if (entry.class === "symbol") return event.key === entry.key;
  return event.key === entry.key && event.shiftKey === Boolean(entry.shift);
}

// The command of a key press, or null where the key belongs to the field, to the browser or to nobody.
export function commandOf(event, { singleKeys = true } = {}) {
  if (event.altKey || event.metaKey || event.isComposing) return null;
  if (event.ctrlKey) return event.key === "Enter" ? { action: "submit" } : null;
  const kept = KEPT[kindOf(event.target)];
  const entry = KEYS.find((candidate) => pressed(candidate, event) && !kept.includes(candidate.class));
  if (!entry) return null;
  if (!singleKeys && ["digit", "letter", "symbol"].includes(entry.class) && entry.action !== "help") return null;
  const number = entry.class === "digit" ? Number(event.code.at(-1)) : undefined;
  return number === undefined ? { action: entry.action } : { action: entry.action, number };
}

// The groups of the help page, as DOM; textContent only, so nothing in it can be markup.
export function helpLists(groups) {
  const rows = [...KEYS, ...POINTER].filter((entry) => entry.does && groups.includes(entry.group));
  return groups.map((group) => {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.textContent = say(group);
    const list = document.createElement("dl");
    list.className = "keys";
    for (const { shown, does } of rows.filter((entry) => entry.group === group)) {
      const term = document.createElement("dt");
      const key = document.createElement("kbd");
      key.textContent = say(shown);
      term.append(key);
      const meaning = document.createElement("dd");
      meaning.textContent = say(does);
      list.append(term, meaning);
    }
    section.append(title, list);
    return section;
  });
}
