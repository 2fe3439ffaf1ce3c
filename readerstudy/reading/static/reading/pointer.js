// Mouse, pen and finger on a viewport, and the glass that follows them.

// Touch pads report many small steps: one image for every 40 pixels, one for each notch of a wheel.
const NOTCH = 40;

const SIZE = 240;
const TIMES = 3;

// mode(): what a drag with the left button does; activate(): this viewport is the one that keys work on.
export function attachPointer(viewport, { mode, activate }) {
  const { host } = viewport;
  let drag = null;
  const at = ({ clientX, clientY }) => viewport.pointAt(clientX, clientY);

  const meaningOf = (event) => {
    if (event.button === 1 || event.shiftKey) return "pan";
    return event.button === 2 ? "zoom" : mode();
  };

  const gripOf = (event) => {
    if (!viewport.frame || event.button !== 0 || event.shiftKey) return null;
    for (const hook of viewport.grips.toReversed()) {
      const grip = hook(event, at(event));
      if (grip) return grip;
    }
    return null;
  };

  const hover = (event) => {
    const { clientX, clientY } = event ?? {};
    const detail = event && viewport.frame ? { point: at(event), clientX, clientY } : null;
    viewport.dispatchEvent(new CustomEvent("hovered", { detail }));
  };

  host.addEventListener("pointerdown", (event) => {
    if (event.target === viewport.slider) return;
    event.preventDefault();
    activate();
    host.focus({ preventScroll: true });
    host.setPointerCapture(event.pointerId);
    const { clientX: x, clientY: y } = event;
    drag = { grip: gripOf(event), meaning: meaningOf(event), x, y, start: event };
  });

  host.addEventListener("pointermove", (event) => {
    hover(event);
    if (!drag) return;
    if (drag.grip) {
      drag.grip.move?.(event, at(event));
      return;
    }
    const dx = event.clientX - drag.x;
    const dy = event.clientY - drag.y;
    Object.assign(drag, { x: event.clientX, y: event.clientY });
    if (drag.meaning === "window") viewport.windowBy(-dy, dx);
    if (drag.meaning === "pan") viewport.panBy(dx, dy);
    if (drag.meaning === "zoom") viewport.zoomBy(Math.exp(-dy / 200), drag.start);
  });

  const release = (event) => {
    drag?.grip?.end?.(event, at(event));
    drag = null;
  };
  host.addEventListener("pointerup", release);
  host.addEventListener("pointercancel", release);
  host.addEventListener("pointerleave", () => hover(null));
  host.addEventListener("contextmenu", (event) => event.preventDefault());
  host.addEventListener("focusin", activate);

  let turned = 0;
  host.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      activate();
      if (!viewport.series) return;
      if (event.ctrlKey || viewport.series.frames.length < 2) {
        viewport.zoomBy(Math.exp(-event.deltaY / 500), event);
        return;
      }
      turned += Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), NOTCH) * (event.deltaMode === 0 ? 1 : NOTCH);
      if (Math.abs(turned) < NOTCH) return;
      viewport.go(viewport.index + Math.sign(turned));
      turned = 0;
    },
    { passive: false },
  );
}

// A round glass over the pointer, drawn from the pixels themselves, so that it shows what the smaller image leaves out.
export class Magnifier {
  on = false;
  #canvas = null;
  #at = null;

  toggle(pane) {
    this.on = !this.on;
    if (!this.on) return this.hide();
    this.over(pane, pane.middle);
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
    this.#canvas.width = this.#canvas.height = Math.round(SIZE * devicePixelRatio);
    pane.host.append(this.#canvas);
  }

  // Also after each drawing of its viewport, for window and image may have changed under it.
  draw(pane) {
    if (!this.#at || this.#at.pane !== pane || !pane.frame) return;
    const { width } = this.#canvas;
    const { clientX, clientY } = this.#at;
    const middle = pane.pointAt(clientX, clientY);
    const { a, b, c, d } = pane.matrix().inverse();
    const back = new DOMMatrix([a, b, c, d, middle.x, middle.y]).scaleSelf(1 / TIMES).translateSelf(-width / 2, -width / 2);
    const context = this.#canvas.getContext("2d", { alpha: false });
    const image = context.createImageData(width, width);
    pane.drawInto(new Uint32Array(image.data.buffer), width, width, back, true);
    context.putImageData(image, 0, 0);
    const { x, y } = pane.placeOf(this.#at);
    Object.assign(this.#canvas.style, { left: `${x}px`, top: `${y}px` });
  }
}
