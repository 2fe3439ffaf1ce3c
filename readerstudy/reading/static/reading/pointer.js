// Mouse, pen and finger on a viewport, and the glass that follows them.

// Touch pads report many small steps: one image for every 40 pixels, one for each notch of a wheel. A drag needs a third.
const NOTCH = 40;

const SIZE = 240;
const TIMES = 3;

// mode(): what a drag with the left button does; activate(): this viewport is the one that keys work on.
export function attachPointer(viewport, { mode, activate }) {
  const { host } = viewport;
  let drag = null;
  let turned = 0;
  // Where each finger was last.
  const fingers = new Map();
  const at = ({ clientX, clientY }) => viewport.pointAt(clientX, clientY);

  const meaningOf = (event) => {
    if (event.button === 1 || event.shiftKey) return "pan";
    if (event.button === 2) return "zoom";
    return mode() === "scroll" && viewport.series?.frames.length < 2 ? "window" : mode();
  };

  const scrollBy = (pixels) => {
    turned += pixels;
    const images = Math.trunc(turned / NOTCH);
    if (images) viewport.go(viewport.index + images);
    turned %= NOTCH;
  };

  const pinched = () => {
    const [one, other] = fingers.values();
    return {
      clientX: (one.clientX + other.clientX) / 2,
      clientY: (one.clientY + other.clientY) / 2,
      apart: Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY)),
    };
  };

  // Two fingers hold the image between them.
  const pinch = (event) => {
    const before = fingers.size > 1 && pinched();
    fingers.set(event.pointerId, event);
    if (!before) return;
    const now = pinched();
    viewport.panBy(now.clientX - before.clientX, now.clientY - before.clientY);
    viewport.zoomBy(now.apart / before.apart, now);
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
    if (event.pointerType === "touch") fingers.set(event.pointerId, event);
    // What the first finger began was no drag.
    if (fingers.size > 1) return release(event, "cancel");
    const { clientX: x, clientY: y } = event;
    turned = 0;
    drag = { grip: gripOf(event), meaning: meaningOf(event), x, y, start: event };
  });

  host.addEventListener("pointermove", (event) => {
    hover(event);
    if (fingers.has(event.pointerId)) pinch(event);
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
    if (drag.meaning === "scroll") scrollBy(3 * dy);
    if (drag.meaning === "zoom") viewport.zoomBy(Math.exp(-dy / 200), drag.start);
  });

  const release = (event, how = "end") => {
    const { grip } = drag ?? {};
    (grip?.[how] ?? grip?.end)?.(event, at(event));
    drag = null;
  };
  for (const kind of ["pointerup", "pointercancel"]) {
    host.addEventListener(kind, (event) => {
      fingers.delete(event.pointerId);
      release(event);
    });
  }
  host.addEventListener("pointerleave", () => hover(null));
  host.addEventListener("contextmenu", (event) => event.preventDefault());
  host.addEventListener("focusin", activate);

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
      scrollBy(Math.max(-NOTCH, Math.min(NOTCH, event.deltaY * (event.deltaMode === 0 ? 1 : NOTCH))));
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
