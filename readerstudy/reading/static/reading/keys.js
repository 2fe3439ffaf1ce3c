// The key map as data: the help page is made from it, so that no key is hidden and none is promised in vain.

import { say } from "./say.js";

// class: what kind of key it is, which decides where it must stay with the field that has the focus.
export const KEYS = [
  { action: "answer", class: "digit", shown: "1 … 9", does: "Choose the answer with this number", group: "Answers" },
  { action: "submit", class: "enter", key: "Enter", shown: "Enter", does: "Submit the case", group: "Answers" },
  { action: "decide:no", class: "letter", key: "n", shown: "N", does: "Decide: negative", group: "Answers" },
  { action: "decide:yes", class: "letter", key: "y", shown: "Y", does: "Decide: positive", group: "Answers" },
  { action: "mark", class: "letter", key: "b", shown: "B", does: "Mark a place, where marks are asked for", group: "Answers" },
  { action: "unreadable", class: "letter", key: "n", shift: true, shown: "Shift + N", does: "The case is not readable", group: "Answers" },
  { action: "nextField", class: "letter", key: "q", shown: "Q", does: "Go to the next open question", group: "Answers" },
  { action: "leaveField", class: "escape", key: "Escape", shown: "Esc", does: "Back to the image", group: "Answers" },
  { action: "heatmap", class: "letter", key: "h", shown: "H", does: "Show or hide the heat map", group: "Model" },
  { action: "probability", class: "letter", key: "m", shown: "M", does: "Show or hide the probability", group: "Model" },
  { action: "mask", class: "letter", key: "k", shown: "K", does: "Show or hide the outline", group: "Model" },
  { action: "boxes", class: "letter", key: "x", shown: "X", does: "Show or hide the boxes", group: "Model" },
  { action: "levels", class: "letter", key: "l", shown: "L", does: "Show or hide the vertebrae", group: "Model" },
  { action: "output", class: "letter", key: "g", shown: "G", does: "Ask for the model output; go to the next image with it", group: "Model" },
  { action: "preset", class: "digit", shift: true, shown: "Shift + 1 … 9", does: "Window preset", group: "Image" },
  { action: "mode:window", class: "letter", key: "w", shown: "W", does: "Drag changes the window", group: "Image" },
  { action: "mode:pan", class: "letter", key: "p", shown: "P", does: "Drag moves the image", group: "Image" },
  { action: "mode:zoom", class: "letter", key: "z", shown: "Z", does: "Drag zooms", group: "Image" },
  { action: "invert", class: "letter", key: "i", shown: "I", does: "Invert black and white", group: "Image" },
  { action: "fit", class: "letter", key: "f", shown: "F", does: "Fit into the window", group: "Image" },
  { action: "actual", class: "letter", key: "o", shown: "O", does: "One image pixel on one screen pixel", group: "Image" },
  { action: "reset", class: "letter", key: "r", shown: "R", does: "As it came up first", group: "Image" },
  { action: "magnifier", class: "letter", key: "u", shown: "U", does: "Magnifying glass", group: "Image" },
  { action: "turnRight", class: "letter", key: "t", shown: "T", does: "Turn to the right", group: "Image" },
  { action: "turnLeft", class: "letter", key: "t", shift: true, shown: "Shift + T", does: "Turn to the left", group: "Image" },
  { action: "mirror", class: "letter", key: "v", shown: "V", does: "Mirror left to right", group: "Image" },
  { action: "upend", class: "letter", key: "v", shift: true, shown: "Shift + V", does: "Mirror top to bottom", group: "Image" },
  { action: "zoomIn", class: "symbol", key: "+", shown: "+", does: "Zoom in", group: "Image" },
  { action: "zoomOut", class: "symbol", key: "-", shown: "−", does: "Zoom out", group: "Image" },
  { action: "darker", class: "symbol", key: ",", shown: ",", does: "Darker", group: "Image" },
  { action: "brighter", class: "symbol", key: ".", shown: ".", does: "Brighter", group: "Image" },
  { action: "narrower", class: "symbol", key: "[", shown: "[", does: "More contrast", group: "Image" },
  { action: "wider", class: "symbol", key: "]", shown: "]", does: "Less contrast", group: "Image" },
  { action: "panUp", class: "arrow", key: "ArrowUp", shift: true, shown: "Shift + ↑ ↓ ← →", does: "Move the image by steps", group: "Image" },
  { action: "panDown", class: "arrow", key: "ArrowDown", shift: true },
  { action: "panLeft", class: "arrow", key: "ArrowLeft", shift: true },
  { action: "panRight", class: "arrow", key: "ArrowRight", shift: true },
  { action: "previous", class: "arrow", key: "ArrowUp", shown: "↑ or wheel up", does: "Image before", group: "Stack" },
  { action: "next", class: "arrow", key: "ArrowDown", shown: "↓ or wheel down", does: "Image after", group: "Stack" },
  { action: "back5", class: "page", key: "PageUp", shown: "Page ↑", does: "Five images back", group: "Stack" },
  { action: "on5", class: "page", key: "PageDown", shown: "Page ↓", does: "Five images on", group: "Stack" },
  { action: "first", class: "page", key: "Home", shown: "Home", does: "First image", group: "Stack" },
  { action: "last", class: "page", key: "End", shown: "End", does: "Last image", group: "Stack" },
  { action: "series", class: "letter", key: "s", shown: "S", does: "The next view", group: "Views" },
  { action: "nextSeries", class: "letter", key: "s", shift: true, shown: "Shift + S", does: "The next series in this view", group: "Views" },
  { action: "link", class: "letter", key: "j", shown: "J", does: "Scroll and window the series of a plane together", group: "Views" },
  { action: "planes", class: "letter", key: "p", shift: true, shown: "Shift + P", does: "Three planes through the stack", group: "Views" },
  { action: "mode:locate", class: "letter", key: "c", shown: "C", does: "Drag points to a place in all views", group: "Views" },
  { action: "alone", class: "letter", key: "f", shift: true, shown: "Shift + F", does: "Only this view, or all", group: "Views" },
  { action: "mode:length", class: "letter", key: "d", shown: "D", does: "Measure a length", group: "Measure" },
  { action: "mode:angle", class: "letter", key: "a", shown: "A", does: "Measure an angle", group: "Measure" },
  { action: "mode:cobb", class: "letter", key: "a", shift: true, shown: "Shift + A", does: "Measure a Cobb angle", group: "Measure" },
  { action: "mode:heights", class: "letter", key: "d", shift: true, shown: "Shift + D", does: "Measure heights of a vertebra", group: "Measure" },
  { action: "mode:region", class: "letter", key: "e", shown: "E", does: "Measure a region", group: "Measure" },
  { action: "removeMeasure", class: "delete", key: "Delete", shown: "Del", does: "Remove the last measurement", group: "Measure" },
  { action: "clearMeasures", class: "delete", key: "Delete", shift: true, shown: "Shift + Del", does: "Remove all measurements", group: "Measure" },
  { action: "goBack", class: "letter", key: "z", shift: true, shown: "Shift + Z", does: "Back to the case before, where the protocol allows it", group: "Page" },
  { action: "pause", class: "letter", key: "b", shift: true, shown: "Shift + B", does: "Break: pause reading", group: "Page" },
  { action: "help", class: "symbol", key: "?", shown: "?", does: "This list", group: "Page" },
];

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
  return element.inputMode === "numeric" || element.inputMode === "decimal" ? "numeric" : "text";
}

function pressed(entry, event) {
  if (entry.class === "digit") {
    // By place, not by sign: French keyboards need Shift for a digit, and Shift + 1 is "!" on others.
    return /^(Digit|Numpad)[1-9]$/.test(event.code) && event.shiftKey === Boolean(entry.shift);
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
