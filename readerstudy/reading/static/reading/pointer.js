// Mouse, pen and finger on a viewport.

// mode(): what a drag with the left button does; activate(): this viewport is the one that keys work on.
export function attachPointer(viewport, { mode, activate, readValue }) {
  const { host } = viewport;
  let drag = null;

  const meaningOf = (event) => {
    if (event.button === 1 || event.shiftKey) return "pan";
    return event.button === 2 ? "zoom" : mode();
  };

  host.addEventListener("pointerdown", (event) => {
    if (event.target === viewport.slider) return;
    event.preventDefault();
    activate();
    host.focus({ preventScroll: true });
    host.setPointerCapture(event.pointerId);
    drag = { meaning: meaningOf(event), x: event.clientX, y: event.clientY, startX: event.clientX, startY: event.clientY };
  });

  host.addEventListener("pointermove", (event) => {
    if (!drag) {
      readValue(viewport.frame ? viewport.valueAt(viewport.pointAt(event.clientX, event.clientY)) : null);
      return;
    }
    const dx = event.clientX - drag.x;
    const dy = event.clientY - drag.y;
    Object.assign(drag, { x: event.clientX, y: event.clientY });
    if (drag.meaning === "window") viewport.windowBy(-dy, dx);
    if (drag.meaning === "pan") viewport.panBy(dx, dy);
    if (drag.meaning === "zoom") viewport.zoomBy(Math.exp(-dy / 200), drag.startX, drag.startY);
  });

  const release = () => {
    drag = null;
  };
  host.addEventListener("pointerup", release);
  host.addEventListener("pointercancel", release);
  host.addEventListener("pointerleave", () => readValue(null));
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
        viewport.zoomBy(Math.exp(-event.deltaY / 500), event.clientX, event.clientY);
        return;
      }
      // Touch pads report many small steps: one image for every 40 pixels, one for each notch of a wheel.
      turned += Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 40) * (event.deltaMode === 0 ? 1 : 40);
      if (Math.abs(turned) < 40) return;
      viewport.go(viewport.index + Math.sign(turned));
      turned = 0;
    },
    { passive: false },
  );
}
