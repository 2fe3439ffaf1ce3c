// Points of a mark that is drawn click by click; each can be taken back and given again until another is clicked.

export class Steps {
  #undone = [];

  constructor(place, kind) {
    Object.assign(this, { place, kind, points: [] });
  }

  get begun() {
    return this.points.length > 0;
  }

  add(point) {
    this.points.push(point);
    this.#undone = [];
  }

  back() {
    if (!this.begun) return false;
    this.#undone.push(this.points.pop());
    return true;
  }

  again() {
    if (!this.#undone.length) return false;
    this.points.push(this.#undone.pop());
    return true;
  }

  get canGoOn() {
    return this.#undone.length > 0;
  }

  isOn({ series, slice }) {
    return this.place.series === series && this.place.slice === slice;
  }
}
