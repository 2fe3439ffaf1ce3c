// Everything the page tells the reader besides the case: progress, save state, banner, breaks, the list of keys.

import { button, make } from "./fields.js";
import { helpLists } from "./keys.js";
import { say } from "./say.js";
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
    this.withheld = find("withheld");
    this.back = find("back");
    [this.lesson, this.verdict, this.told] = [find("lesson"), find("lesson-verdict"), find("lesson-told")];
    this.submit = root.querySelector("#submit span");
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

  // Keys belong to what lies over the page.
  get helpIsOpen() {
    return this.help.open;
  }

  openHelp() {
    this.help.showModal();
  }

  onPause(pause) {
    this.breakPrompt.querySelector("#break-pause").addEventListener("click", pause);
  }

  progress({ progress, period, arm_label: arm, stage, training, withheld, revised, previous }) {
    const { done, total } = progress;
    const place = revised ? done : Math.min(done + 1, total);
    this.counter.textContent = `${place} / ${total}`;
    Object.assign(this.meter, { max: total, value: done });
    this.arm.textContent = `${training ? say("Training") : say("Period {period}", { period })} · ${arm}`;
    this.announcer.textContent = say("Case {place} of {total}, {arm}", { place, total, arm });
    const label = revised ? "Store the change" : stage === "first" ? "Commit your answer" : "Submit and next";
    this.submit.textContent = say(label);
    this.withheld.hidden = !withheld;
    this.back.hidden = !previous;
    if (previous) this.back.href = new URL(`../${previous}/`, location.href);
  }

  goBack() {
    this.back.click();
  }

  // After a training case: each question that has a truth, as it was answered and as it is.
  feedback(lesson) {
    this.lesson.hidden = !lesson;
    if (!lesson) return;
    const { correct, told } = lesson;
    this.verdict.textContent = say(correct ? "Correct." : "Not correct.");
    const rows = told.map(({ name: textContent, given, reference, right }) => {
      // The question of a grid stands above its rows.
      if (!given) return make("tr", {}, make("th", { scope: "rowgroup", colSpan: 4, textContent }));
      const cells = [given, reference, right === null ? "" : right ? "✓" : "✗"].map((words) => make("td", { textContent: words }));
      return make("tr", { className: right === false ? "wrong" : "" }, make("th", { scope: "row", textContent }), ...cells);
    });
    this.told.replaceChildren(...rows);
    this.submit.textContent = say("Go on");
    this.lesson.focus();
  }

  saveState(state, sentence = "") {
    const told = say(SAVE_STATES[state] ?? "");
    this.state.textContent = state === "saved" ? say("Saved {time}", { time: clockTime() }) : sentence ? `${told}: ${sentence}` : told;
    this.state.dataset.state = state;
  }

  // waiting: offers to try at once; way: where to go on instead.
  error(sentence, waiting = false, way = "") {
    const parts = [make("span", { textContent: sentence })];
    if (waiting) parts.push(button(say("Try now"), tryNow));
    if (way) parts.push(make("a", { href: way, className: "tool", textContent: say("To your work list") }));
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
      this.sinceBreak.textContent = say("{minutes} min since a break", { minutes: Math.floor(passed) });
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
