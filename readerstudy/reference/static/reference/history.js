// Undo and redo without limit. States are never changed, only replaced, so that one more costs what is new in it.

export class History extends EventTarget {
  #past = [];
  #future = [];

  constructor(state) {
    super();
    this.state = state;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  // All states that can be reached, and which of them is this one.
  get steps() {
    return { states: [...this.#past, this.state, ...this.#future.toReversed()], at: this.#past.length };
  }

  // Goes on from steps that were kept.
  restore({ states, at }) {
    this.#past = states.slice(0, at);
    this.#future = states.slice(at + 1).toReversed();
    this.#become(states[at]);
  }

  // change(state) gives the next state, or the same one where nothing changes.
  change(change) {
    const next = change(this.state);
    if (next === this.state) return false;
    this.#past.push(this.state);
    this.#future = [];
    this.#become(next);
    return true;
  }

  undo() {
    if (!this.canUndo) return false;
    this.#future.push(this.state);
    this.#become(this.#past.pop());
    return true;
  }

  redo() {
    if (!this.canRedo) return false;
    this.#past.push(this.state);
    this.#become(this.#future.pop());
    return true;
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("changed"));
  }
}
