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

const find = (id) => document.getElementById(id);

export class Notices {
  constructor() {
    find("help-keys").append(...helpLists(["Answers", "Model", "Image", "Stack", "Views", "Measure", "Mouse", "Page"]));
    const single = find("single-keys");
    single.checked = localStorage.getItem(KEYS_KEY) !== "off";
    single.addEventListener("change", () => localStorage.setItem(KEYS_KEY, single.checked ? "on" : "off"));
    find("help-open").addEventListener("click", () => this.openHelp());
    find("help-close").addEventListener("click", () => find("help").close());
    find("break-on").addEventListener("click", () => this.#goOn());
  }

  get singleKeys() {
    return find("single-keys").checked;
  }

  // Keys belong to what lies over the page.
  get helpIsOpen() {
    return find("help").open;
  }

  openHelp() {
    find("help").showModal();
  }

  onPause(pause) {
    find("break-pause").addEventListener("click", pause);
  }

  progress({ progress, period, arm_label: arm, stage, training, withheld, revised, previous }) {
    const { done, total } = progress;
    const place = revised ? done : Math.min(done + 1, total);
    find("progress").textContent = `${place} / ${total}`;
    Object.assign(find("progress-bar"), { max: total, value: done });
    find("arm").textContent = `${training ? say("Training") : say("Period {period}", { period })} · ${arm}`;
    find("announcer").textContent = say("Case {place} of {total}, {arm}", { place, total, arm });
    const label = revised ? "Store the change" : stage === "first" ? "Commit your answer" : "Submit and next";
    this.#name(label);
    find("withheld").hidden = !withheld;
    const back = find("back");
    back.hidden = !previous;
    if (previous) back.href = `../${previous}/`;
  }

  // What the large button does.
  #name(label) {
    find("submit").firstChild.textContent = say(label);
  }

  goBack() {
    find("back").click();
  }

  // After a training case: each question that has a truth, as it was answered and as it is.
  feedback(lesson) {
    const part = find("lesson");
    part.hidden = !lesson;
    if (!lesson) return;
    const { correct, told } = lesson;
    find("lesson-verdict").textContent = say(correct ? "Correct." : "Not correct.");
    const rows = told.map(({ name: textContent, given, reference, right }) => {
      // The question of a grid stands above its rows.
      if (!given) return make("tr", {}, make("th", { scope: "rowgroup", colSpan: 4, textContent }));
      const cells = [given, reference, right === null ? "" : right ? "✓" : "✗"].map((words) => make("td", { textContent: words }));
      return make("tr", { className: right === false ? "wrong" : "" }, make("th", { scope: "row", textContent }), ...cells);
    });
    find("lesson-told").replaceChildren(...rows);
    this.#name("Go on");
    part.focus();
  }

  saveState(state, sentence = "") {
    const told = say(SAVE_STATES[state] ?? "");
    const place = find("save-state");
    place.textContent = state === "saved" ? say("Saved {time}", { time: clockTime() }) : sentence ? `${told}: ${sentence}` : told;
    place.dataset.state = state;
  }

  // waiting: offers to try at once; way: where to go on instead.
  error(sentence, waiting = false, way = "") {
    const parts = [make("span", { textContent: sentence })];
    if (waiting) parts.push(button(say("Try now"), tryNow));
    if (way) parts.push(make("a", { href: way, className: "tool", textContent: say("To your work list") }));
    // The same words again would not be announced again, and a button with the focus would lose it.
    const banner = find("banner");
    if (banner.firstChild?.textContent === sentence) return;
    banner.replaceChildren(...parts);
    banner.hidden = false;
  }

  clear() {
    find("banner").hidden = true;
    find("banner").replaceChildren();
  }

  watchBreaks(activity, minutes) {
    this.activity = activity;
    const kept = Number(sessionStorage.getItem(BREAK_KEY));
    // The page of the pause, or any other, was a break where it was open for five minutes.
    const last = Number(sessionStorage.getItem(`${BREAK_KEY}-seen`));
    if (kept && Date.now() - last < 300_000) activity.breakStart = kept;
    const look = () => {
      const passed = activity.sinceBreak / 60_000;
      find("since-break").textContent = say("{minutes} min since a break", { minutes: Math.floor(passed) });
      find("break").hidden = passed < minutes;
      sessionStorage.setItem(BREAK_KEY, activity.breakStart);
      sessionStorage.setItem(`${BREAK_KEY}-seen`, Date.now());
    };
    look();
    setInterval(look, 5000);
  }

  #goOn() {
    this.activity.breakStart = performance.timeOrigin + performance.now();
    find("break").hidden = true;
  }
}
