// A round glass over the pointer, drawn from the pixels themselves, so that it shows what the smaller image leaves out.

const SIZE = 240;
const TIMES = 3;

export class Magnifier {
  #canvas = null;
  #at = null;

  constructor(panes) {
    this.panes = panes;
    this.on = false;
  }

  toggle(pane) {
    this.on = !this.on;
    if (!this.on) return this.hide();
    const { left, top, width, height } = pane.host.getBoundingClientRect();
    this.over(pane, { clientX: left + width / 2, clientY: top + height / 2 });
  }

  hide() {
    this.#canvas?.remove();
    this.#canvas = this.#at = null;
  }

  // Over another viewport, or away from all: place is null there.
  over(pane, place) {
    if (!this.on || !place || !pane.frame) return;
    this.#at = { pane, ...place };
    if (this.#canvas?.parentElement !== pane.host) this.#put(pane);
    this.draw(pane);
  }

  #put(pane) {
    this.#canvas?.remove();
    this.#canvas = document.createElement("canvas");
    this.#canvas.className = "glass";
    this.#canvas.width = this.#canvas.height = Math.round(SIZE * (devicePixelRatio || 1));
    pane.host.append(this.#canvas);
  }

  // Also after each drawing of its viewport, for window and image may have changed under it.
  draw(pane) {
    if (!this.#at || this.#at.pane !== pane || !pane.frame) return;
    const { width } = this.#canvas;
    const { clientX, clientY } = this.#at;
    const middle = pane.pointAt(clientX, clientY);
    const { a, b, c, d } = pane.matrix().inverse();
    const [ax, bx, cx, dx] = [a, b, c, d].map((value) => value / TIMES);
    const back = { a: ax, b: bx, c: cx, d: dx, e: middle.x - ((ax + cx) * width) / 2, f: middle.y - ((bx + dx) * width) / 2 };
    const context = this.#canvas.getContext("2d", { alpha: false });
    const image = context.createImageData(width, width);
    pane.drawInto(new Uint32Array(image.data.buffer), width, width, back, true);
    context.putImageData(image, 0, 0);
    const box = pane.host.getBoundingClientRect();
    this.#canvas.style.left = `${clientX - box.left - SIZE / 2}px`;
    this.#canvas.style.top = `${clientY - box.top - SIZE / 2}px`;
  }
}
