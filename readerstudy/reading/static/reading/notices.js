// Everything the page tells the reader besides the case: progress, save state, banner, breaks, the list of keys.

import { make } from "./fields.js";
import { helpLists } from "./keys.js";
import { tryNow } from "./sending.js";

const SAVE_STATES = {
  none: "Nothing entered yet",
  restored: "Your draft is restored",
  changed: "Not saved yet",
  saving: "Saving …",
  retrying: "Not saved – retrying",
  refused: "Not saved",
};
const clockTime = () => new Date().toLocaleTimeString("en-GB");
const BREAK_KEY = "reading-break";
const KEYS_KEY = "reading-single-keys";

export class Notices {
  constructor(root) {
    const find = (id) => root.querySelector(`#${id}`);
    this.root = root;
    this.banner = find("banner");
    this.state = find("save-state");
    this.help = find("help");
    this.breakPrompt = find("break");
    this.sinceBreak = find("since-break");
    this.announcer = find("announcer");
    this.counter = find("progress");
    this.meter = find("progress-bar");
    this.arm = find("arm");
    this.#prepareHelp(find);
    find("break-on").addEventListener("click", () => this.#goOn());
  }

  #prepareHelp(find) {
    find("help-keys").append(...helpLists(["Answers", "Model", "Image", "Stack", "Views", "Measure", "Mouse", "Page"]));
    const single = find("single-keys");
    single.checked = localStorage.getItem(KEYS_KEY) !== "off";
    single.addEventListener("change", () => localStorage.setItem(KEYS_KEY, single.checked ? "on" : "off"));
    find("help-open").addEventListener("click", () => this.openHelp());
    find("help-close").addEventListener("click", () => this.help.close());
    this.single = single;
  }

  get singleKeys() {
    return this.single.checked;
  }

  get helpIsOpen() {
    return this.help.open;
  }

  openHelp() {
    this.help.showModal();
  }

  onPause(pause) {
    this.breakPrompt.querySelector("#break-pause").addEventListener("click", pause);
  }

  progress({ progress, period, arm_label: arm }) {
    const place = Math.min(progress.done + 1, progress.total);
    this.counter.textContent = `${place} / ${progress.total}`;
    Object.assign(this.meter, { max: progress.total, value: progress.done });
    this.arm.textContent = `Period ${period} · ${arm}`;
    this.announcer.textContent = `Case ${place} of ${progress.total}, ${arm}`;
  }

  saveState(state, sentence = "") {
    this.state.textContent = state === "saved" ? `Saved ${clockTime()}` : `${SAVE_STATES[state]}${sentence ? `: ${sentence}` : ""}`;
    this.state.dataset.state = state;
  }

  // waiting: offers to try at once; way: where to go on instead.
  error(sentence, waiting = false, way = "") {
    const parts = [make("span", { textContent: sentence })];
    if (waiting) {
      const again = make("button", { type: "button", className: "tool", textContent: "Try now" });
      again.addEventListener("click", tryNow);
      parts.push(again);
    }
    if (way) parts.push(make("a", { href: way, className: "tool", textContent: "To your work list" }));
    // The same words again would not be announced again, and a button with the focus would lose it.
    if (this.banner.firstChild?.textContent === sentence && !this.banner.hidden) return;
    this.banner.replaceChildren(...parts);
    this.banner.hidden = false;
  }

  clear() {
    this.banner.hidden = true;
    this.banner.replaceChildren();
  }

  watchBreaks(activity, minutes) {
    this.activity = activity;
    const kept = Number(sessionStorage.getItem(BREAK_KEY));
    // The page of the pause, or any other, was a break where it was open for five minutes.
    const last = Number(sessionStorage.getItem(`${BREAK_KEY}-seen`));
    if (kept && Date.now() - last < 300_000) activity.breakStart = kept;
    const look = () => {
      const passed = activity.sinceBreak / 60_000;
      this.sinceBreak.textContent = `${Math.floor(passed)} min since a break`;
      this.breakPrompt.hidden = passed < minutes;
      sessionStorage.setItem(BREAK_KEY, activity.breakStart);
      sessionStorage.setItem(`${BREAK_KEY}-seen`, Date.now());
    };
    look();
    setInterval(look, 5000);
  }

  #goOn() {
    this.activity.breakStart = performance.timeOrigin + performance.now();
    this.breakPrompt.hidden = true;
  }
}
