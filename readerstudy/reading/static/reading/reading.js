// The reading page: one case at a time, swapped in place, and never the next one before the last is stored.

import { Activity } from "./activity.js";
import { Assistance } from "./assistance.js";
import { Form, Unreadable } from "./form.js";
import { commandOf } from "./keys.js";
import { Layout } from "./layout.js";
import { attachMarks, placeByKey } from "./marks.js";
import { Notices } from "./notices.js";
import { PixelStore } from "./pixels.js";
import { say } from "./say.js";
import { Drafts, forget, keep, keepFor, readKept, sendUntilAnswered, unsentSlots } from "./sending.js";

const NEXT_CASE = -100_000;
// The reason of a change is asked like a question, under a key that no question of a study has.
const REASON = "__reason";

class ReadingPage {
  constructor(root) {
    const { caseUrl, slot, csrf, decodeWorker, idleSeconds, reader } = root.dataset;
    keepFor(reader);
    Object.assign(this, { root, csrf, slot, caseUrl: new URL(caseUrl, location.href) });
    this.busy = false;
    this.notices = new Notices();
    this.activity = new Activity({ idleAfter: 1000 * Number(idleSeconds || 30) });
    this.layout = new Layout(root.querySelector("#viewer"), new PixelStore(decodeWorker));
    this.form = new Form(root.querySelector("#questions"));
    const expose = (...what) => this.activity.expose(...what);
    this.assistance = new Assistance(root.querySelector("#assistance"), expose, this.layout);
    attachMarks(this.layout);
    this.unreadable = new Unreadable(root.querySelector("#unreadable"));
    this.submitButton = root.querySelector("#submit");
    this.#listen();
  }

  #listen() {
    this.activity.listen();
    this.layout.addEventListener("painted", () => this.#painted());
    this.form.addEventListener("change", () => this.#changed());
    this.submitButton.addEventListener("click", () => this.submit());
    this.root.querySelector("#pause").addEventListener("click", () => this.pause());
    this.notices.onPause(() => this.pause());
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("visibilitychange", () => document.hidden && this.drafts?.flush({ keepalive: true }));
    addEventListener("pagehide", () => this.#keepLog());
    // Going back must not bring up a case that was left long ago.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    this.notices.watchBreaks(this.activity, Number(this.root.dataset.breakMinutes || 30));
  }

  // Beside the first case's address, so that the page needs to know no other.
  #url(slot, tail) {
    return new URL(`../${slot}/${tail}`, this.caseUrl);
  }

  // Of the case in hand, until it is answered; tell: what is said meanwhile, from what hinders it.
  #ask(tail, options, tell = (sentence) => sentence) {
    const trouble = (sentence) => this.notices.error(tell(sentence), true);
    return sendUntilAnswered(this.#url(this.slot, tail), { csrf: this.csrf, trouble, ...options });
  }

  async start() {
    for (const slot of unsentSlots(this.slot)) await this.#deliverKept(slot);
    await this.open(this.slot);
  }

  // An answer of an earlier case that was never acknowledged goes first, under its own key.
  async #deliverKept(slot) {
    const { pending } = readKept(slot);
    const result = await this.#send(slot, pending);
    this.notices.clear();
    // Anything but "stored" may belong to another reader at this computer, so it stays for that reader.
    if (result.ok || result.status === 409) forget(slot);
  }

  async open(slot) {
    this.slot = slot;
    const kept = readKept(slot);
    this.activity.begin(kept.log);
    if (kept.log) this.activity.record("visible");
    this.loaded = false;
    const tell = (sentence) => `${say("The case could not be loaded; it is tried again.")} ${sentence}`;
    const result = await this.#ask("case.json", { method: "GET" }, tell);
    if (!result.ok) {
      // As after the lock of the study.
      keep(slot, { view: undefined });
      return this.#end(result.body.error ?? say("The case cannot be opened ({status}).", result));
    }
    this.notices.clear();
    this.activity.takeUp(result.body.activity, kept.log);
    this.#show(result.body, kept);
    if (kept.pending) await this.#deliver(kept.pending);
  }

  // Nothing more can be done here.
  #end(sentence) {
    this.notices.error(sentence, false, this.root.dataset.homeUrl);
  }

  #show(data, kept) {
    this.layout.show(data.series, data.hanging);
    if (kept.view) this.layout.takeUp(kept.view);
    this.#question(data, kept);
    this.root.dataset.slot = this.slot;
    this.layout.active.host.focus({ preventScroll: true });
    if (data.next_prefetch) this.#prefetch(data.next_prefetch);
    this.#painted();
  }

  // Questions and what the model says, for a case that comes up or goes on after the own answer.
  #question(data, kept) {
    this.case = data;
    this.assistance.close();
    this.assistance.open(data.assistance, data.on_request ? () => this.request() : null);
    const answers = kept.pending?.answers ?? kept.answers ?? data.draft;
    const reason = { key: REASON, kind: "text", text: say("Reason for the change"), required: true };
    this.form.render(data.revised ? [...data.questions, reason] : data.questions, answers);
    this.unreadable.offer(data.unreadable);
    this.notices.progress(data);
    this.#startDrafts();
    this.notices.saveState(Object.keys(answers ?? {}).length ? "restored" : "none");
    if (kept.answers) this.drafts.changed();
    this.#setBusy(false);
    if (data.withheld) this.form.lock(true);
  }

  async #prefetch({ slot, series }) {
    await this.layout.prefetch(series, NEXT_CASE);
    this.root.dataset.prefetched = slot;
  }

  #startDrafts() {
    this.drafts = new Drafts({
      url: this.#url(this.slot, "draft"),
      csrf: this.csrf,
      body: () => ({ answers: this.form.answers, activity: this.activity.summary(), exposures: this.#exposures() }),
      state: (state, sentence) => this.#draftState(state, sentence),
    });
  }

  #painted() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.#keepView(), 300);
    if (this.loaded || !this.case || !this.layout.complete) return;
    this.loaded = true;
    this.activity.record("loaded");
    this.root.dataset.painted = this.slot;
  }

  // Also a crash of the browser must not lose how the images stand.
  #keepView() {
    if (this.case && !this.case.revised) keep(this.slot, { view: this.layout.state });
  }

  #changed() {
    // Who answers has read the case after all.
    this.unreadable.close();
    if (!this.root.querySelector(".faulty")) this.notices.clear();
    if (this.case.revised) return;
    keep(this.slot, { answers: this.form.answers });
    this.notices.saveState("changed");
    this.drafts.changed();
  }

  #draftState(state, sentence) {
    if (state === "saved") keep(this.slot, { answers: undefined });
    this.notices.saveState(state, sentence);
  }

  // The end of what is visible now belongs to the log, whether the case is submitted or left.
  #exposures() {
    const t = this.activity.elapsed;
    const ends = this.assistance.visible.map((one) => ({ ...one, event: "hidden", t }));
    return [...this.activity.exposures, ...ends];
  }

  #keepLog() {
    this.#keepView();
    if (!this.case || this.case.revised) return;
    this.activity.record("hidden");
    const { start, events } = this.activity;
    keep(this.slot, { log: { start, events, exposures: this.#exposures() } });
    this.drafts.flush({ keepalive: true });
  }

  async submit() {
    if (this.lesson) return this.lesson();
    if (this.busy || !this.case) return;
    const reason = this.unreadable.reason;
    if (!this.loaded && !reason) {
      this.notices.error(say("The image is still loading. Please look at it before you submit."));
      return;
    }
    const faults = reason ? 0 : Object.keys(this.form.check()).length;
    if (faults) {
      this.notices.error(faults === 1 ? say("One answer needs your attention.") : say("{count} answers need your attention.", { count: faults }));
      return;
    }
    const { [REASON]: change, ...answers } = this.form.answers;
    const pending = {
      client_key: crypto.randomUUID(),
      stage: this.case.stage,
      answers: reason ? {} : answers,
      unreadable: reason,
      reason: change,
      activity: this.activity.summary(),
      exposures: this.#exposures(),
    };
    keep(this.slot, { pending });
    await this.#deliver(pending);
  }

  // The model's output where the arm shows it on request: it leaves the server only now.
  async request() {
    if (this.busy || !this.case?.on_request) return;
    this.#setBusy(true);
    const result = await this.#ask("output", { body: () => ({}) });
    this.#setBusy(false);
    if (!result.ok) return this.notices.error(result.body.error ?? "");
    this.notices.clear();
    this.case = result.body;
    this.assistance.close();
    this.assistance.open(result.body.assistance);
  }

  #send(slot, pending) {
    const trouble = (sentence) => {
      this.notices.saveState("retrying");
      this.notices.error(say("{trouble} Your answer is kept here and sent again.", { trouble: sentence }), true);
    };
    const door = pending.reason === undefined ? "submit" : "revise";
    return sendUntilAnswered(this.#url(slot, door), { body: () => pending, csrf: this.csrf, trouble });
  }

  async #deliver(pending) {
    this.#setBusy(true);
    this.drafts.stop();
    this.notices.saveState("saving");
    const { ok, status, body } = await this.#send(this.slot, pending);
    if (ok) return this.#acknowledged(body);
    keep(this.slot, { pending: undefined, answers: pending.answers });
    this.notices.saveState("refused");
    if (status === 409) {
      forget(this.slot);
      this.case = null;
      return this.#end(body.error ?? say("Other answers are stored for this case."));
    }
    this.#setBusy(false);
    this.#startDrafts();
    this.form.show(body.errors ?? {});
    this.notices.error(body.error ?? say("The server refused the answers ({status}). They are kept here.", { status }));
  }

  async #acknowledged({ next, finished, stage, feedback }) {
    if (stage) return this.#goOn();
    forget(this.slot);
    this.notices.clear();
    this.notices.saveState("saved");
    this.assistance.close();
    const { revised, training, next_prefetch: prefetched } = this.case;
    this.case = null;
    const { backUrl, finishedUrl, trainingUrl, homeUrl } = this.root.dataset;
    if (revised) return location.assign(backUrl);
    if (feedback) await this.#teach(feedback);
    if (!next) return location.assign(finished ? finishedUrl : training ? trainingUrl : homeUrl);
    // The picture first: its pixels are here already, while questions and progress are still on their way.
    if (prefetched?.slot === next) this.layout.show(prefetched.series);
    this.form.render([]);
    history.replaceState(null, "", this.#url(next, ""));
    await this.open(next);
  }

  // After a training case: what was right, in words and on the images, until the reader goes on.
  async #teach(feedback) {
    this.assistance.open({ reference: feedback.regions });
    this.assistance.goOn();
    this.notices.feedback(feedback);
    this.submitButton.ariaDisabled = "false";
    await new Promise((resolve) => (this.lesson = resolve));
    this.lesson = null;
    this.notices.feedback();
    this.assistance.close();
  }

  // The own answer is committed: the same case goes on, with the output or without.
  async #goOn() {
    keep(this.slot, { pending: undefined, answers: undefined });
    const result = await this.#ask("case.json", { method: "GET" });
    if (!result.ok) return this.#end(result.body.error ?? "");
    this.notices.clear();
    this.#question(result.body, {});
    this.notices.saveState("saved");
    this.submitButton.focus({ preventScroll: true });
  }

  #setBusy(busy) {
    this.busy = busy;
    this.form.lock(busy);
    this.submitButton.ariaDisabled = busy;
    this.root.ariaBusy = busy;
  }

  async pause() {
    if (this.busy || !this.case) return;
    this.#setBusy(true);
    if (!this.case.revised) this.drafts.changed();
    await this.drafts.flush();
    const result = await this.#ask("pause", { body: () => ({}) }, (sentence) => `${sentence} ${say("The pause is tried again.")}`);
    if (result.ok) location.assign(result.body.url);
    else this.#setBusy(false);
  }

  #key(event) {
    if (this.notices.helpIsOpen) return;
    const command = commandOf(event, { singleKeys: this.notices.singleKeys });
    // A key that is held down must not go on past what comes next.
    if (!command || (event.repeat && command.action === "submit") || !this.#run(command)) return;
    event.preventDefault();
  }

  #run({ action, number }) {
    const commands = {
      submit: () => this.submit(),
      answer: () => !this.busy && this.form.digit(number),
      "decide:yes": () => !this.busy && this.form.decide(true),
      "decide:no": () => !this.busy && this.form.decide(false),
      nextField: () => this.form.focusNext(),
      leaveField: () => this.layout.active?.host.focus(),
      boxes: () => this.assistance.toggle("boxes") || this.assistance.toggle("reference"),
      output: () => (this.case?.on_request ? this.request() : this.assistance.goOn()),
      mark: () => placeByKey(),
      unreadable: () => this.unreadable.open(),
      goBack: () => this.case?.previous && this.notices.goBack(),
      pause: () => this.pause(),
      help: () => this.notices.openHelp(),
    };
    if (commands[action]) return commands[action]() !== false;
    return this.assistance.toggle(action) || this.layout.run(action, number);
  }
}

const root = document.getElementById("reading");
if (root) new ReadingPage(root).start();
