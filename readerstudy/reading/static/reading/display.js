// The display check: which of five steps of grey next to black and next to white can be told apart here and now.

// In percent of the whole range, from plain to faint.
const STEPS = [8, 5, 3, 2, 1];
const SIDE = 100;
const GAP = 20;

const find = (id) => document.getElementById(id);
const grey = (percent) => `rgb(${Array(3).fill(Math.round(2.55 * percent)).join(" ")})`;

function drawSteps(canvas, base, sign) {
  const digits = STEPS.map(() => 1 + Math.floor(Math.random() * 9));
  const context = canvas.getContext("2d");
  Object.assign(context, { font: "600 64px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
  STEPS.forEach((step, n) => {
    context.fillStyle = grey(base);
    context.fillRect(n * (SIDE + GAP), 0, SIDE, SIDE);
    context.fillStyle = grey(base + sign * step);
    context.fillText(digits[n], n * (SIDE + GAP) + SIDE / 2, SIDE / 2 + 4);
  });
  return digits;
}

// The faintest step up to which every digit was read; 0 where not even the first was.
export function faintest(typed, digits) {
  const wrong = digits.findIndex((digit, n) => typed[n] !== String(digit));
  const read = wrong < 0 ? digits.length : wrong;
  return read ? STEPS[read - 1] : 0;
}

const form = find("display");
if (form) {
  const rows = [
    ["dark", drawSteps(find("dark-steps"), 0, 1)],
    ["bright", drawSteps(find("bright-steps"), 100, -1)],
  ];
  const measured = { width: screen.width, height: screen.height, ratio: devicePixelRatio };
  for (const [name, value] of Object.entries(measured)) form.elements[name].value = value;
  const pixels = (length) => Math.round(length * measured.ratio);
  find("screen").textContent = `${pixels(screen.width)} × ${pixels(screen.height)}`;
  const look = () => {
    for (const [name, digits] of rows) {
      const read = find(`${name}-read`).value.trim();
      // Nothing typed is no result; none of the digits is.
      form.elements[name].value = read && faintest(read, digits);
    }
    const typed = rows.every(([name]) => find(`${name}-read`).value);
    const faint = rows.some(([name]) => !(Number(form.elements[name].value) >= 1 && Number(form.elements[name].value) <= 2));
    find("faint").hidden = !(typed && faint);
  };
  for (const [name] of rows) find(`${name}-read`).addEventListener("input", look);
  look();
}
