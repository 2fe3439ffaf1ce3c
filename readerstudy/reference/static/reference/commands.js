// Tools and commands of the truthers' page as data: buttons, keys and the list of keys are made from them.

// key as event.key has it; shift where it must be held. Keys of the viewer itself are left alone.
export const TOOLS = [
  { tool: "select", key: "0", label: "Select" },
  { tool: "point", key: "1", label: "Point" },
  { tool: "box", key: "2", label: "Box" },
  { tool: "polygon", key: "3", label: "Polygon" },
  { tool: "freehand", key: "4", label: "Free hand" },
  { tool: "brush", key: "5", label: "Brush" },
  { tool: "eraser", key: "6", label: "Eraser" },
  { tool: "ellipse", key: "7", label: "Ellipse" },
  { tool: "line", key: "8", label: "Line" },
  { tool: "angle", key: "9", label: "Angle" },
  { tool: "vertebra", key: "q", label: "Vertebra, four corners", short: "Vertebra · 4" },
  { tool: "morphometry", key: "y", label: "Vertebra, six points", short: "Vertebra · 6" },
];

export const COMMANDS = [
  { command: "undo", key: "z", ctrl: true, shown: "Ctrl + Z", label: "Undo" },
  { command: "redo", key: "y", ctrl: true, shown: "Ctrl + Y", label: "Redo" },
  { command: "redo", key: "z", ctrl: true, shift: true },
  { command: "copy", key: "k", shown: "K", label: "Copy to the next image", short: "Copy to next" },
  { command: "copy back", key: "k", shift: true, shown: "Shift + K", label: "Copy to the image before" },
  { command: "interpolate", key: "m", shown: "M", label: "Fill the images between", short: "Fill between" },
  { command: "chain", key: "l", shown: "L", label: "Name the rest from this", short: "Name the rest" },
  { command: "remove", key: "x", shown: "X", label: "Remove the mark", short: "Remove" },
  { command: "remove", key: "Backspace" },
  { command: "remove", key: "Delete" },
  { command: "next", key: "n", shown: "N", label: "Next mark" },
  { command: "previous", key: "n", shift: true, shown: "Shift + N", label: "Mark before" },
  { command: "hide", key: "h", shown: "H", label: "Hide or show all marks", short: "Hide or show" },
  { command: "smaller", key: "g", shift: true, shown: "Shift + G", label: "Smaller brush" },
  { command: "larger", key: "g", shown: "G", label: "Larger brush" },
  { command: "accept", key: "y", shift: true, shown: "Shift + Y", label: "Accept the model's next mark" },
  { command: "reject", key: "x", shift: true, shown: "Shift + X", label: "Reject the model's next mark" },
  { command: "finish", key: "Enter", shown: "Enter", label: "Close the polygon" },
  { command: "cancel", key: "Escape", shown: "Esc", label: "Give up what is being drawn" },
  { command: "name", key: "b", shown: "B", label: "Type the name" },
];

// Keys on a mark of the list.
export const ON_A_MARK = [
  { shown: "← → ↑ ↓", label: "Move the mark, or the chosen point, by a pixel; with Shift by ten" },
  { shown: ", .", label: "Choose the point before or after" },
];
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const isText = ({ tagName, type }) =>
  tagName === "TEXTAREA" || tagName === "SELECT" || (tagName === "INPUT" && !["radio", "checkbox", "range"].includes(type));

// {tool} or {command} of a key press, or null where the key means something else.
export function meaningOf(event) {
  if (event.altKey || event.metaKey || event.isComposing || isText(event.target)) return null;
  if (event.key === "Enter" && ["BUTTON", "A", "SUMMARY", "INPUT"].includes(event.target.tagName)) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const tool = TOOLS.find((one) => one.key === key && !event.ctrlKey && !event.shiftKey);
  if (tool) return { tool: tool.tool };
  const found = COMMANDS.find(
    (one) => one.key === key && Boolean(one.ctrl) === event.ctrlKey && Boolean(one.shift) === event.shiftKey,
  );
  return found ? { command: found.command } : null;
}
