// The draft on the server: saved a moment after the last change, one save at a time, each with the revision it builds on.

import { sendUntilAnswered } from "../reading/sending.js";
import { say } from "./words.js";

const DELAY = 700;

export class Saving {
  #timer = 0;
  #dirty = false;
  #running = null;

  // work(): what is kept; state(name, sentence): "saving", "saved", "retrying" or "refused"; done(): the last work() is
  // on the server.
  constructor({ url, csrf, revision, work, state, done }) {
    Object.assign(this, { url, csrf, revision, work, state, done });
  }

  get dirty() {
    return this.#dirty || Boolean(this.#running);
  }

  changed() {
    // What waits for its moment is not called saved.
    if (!this.dirty) this.state("saving");
    this.#dirty = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), DELAY);
  }

  // Resolves to true where all that is on the page is on the server.
  flush() {
    clearTimeout(this.#timer);
    this.#running ??= this.#save().finally(() => (this.#running = null));
    return this.#running;
  }

  async #save() {
    while (this.#dirty) {
      this.#dirty = false;
      this.state("saving");
      const body = () => ({ ...this.work(), revision: this.revision });
      const trouble = (sentence) => this.state("retrying", sentence);
      const answer = await sendUntilAnswered(this.url, { body, csrf: this.csrf, trouble });
      if (!answer?.ok) {
        this.#dirty = true;
        // After another log-in the page's own token is no longer valid.
        const old = answer?.status === 403 ? say("You were signed out meanwhile. Reload the page; your work is kept in this tab.") : "";
        this.state("refused", answer?.body.error ?? old);
        return false;
      }
      this.revision = answer.body.revision;
      this.done();
    }
    this.state("saved");
    return true;
  }
}
