// How an image lies on the screen: zoom, place, quarter turns and mirroring, in one affine map.

const held = (value, least, most) => Math.max(least, Math.min(most, value));

// Pixels need not be square: everything is measured in units of the column spacing.
export const tallOf = (frame) => (frame.spacing ? frame.spacing[0] / frame.spacing[1] : 1);

export class View {
  turns = 0;
  mirrored = false;

  constructor() {
    this.fit();
  }

  fit() {
    this.zoom = 1;
    this.centre = { x: 0.5, y: 0.5 };
  }

  reset() {
    this.fit();
    this.turns = 0;
    this.mirrored = false;
  }

  turn(quarters) {
    this.turns = (this.turns + quarters + 4) % 4;
  }

  // Left and right of the screen change places, however the image is turned; with across false, top and bottom do.
  flip(across) {
    this.turns = (across ? 4 - this.turns : 6 - this.turns) % 4;
    this.mirrored = !this.mirrored;
  }

  // Device pixels for an image column when the whole image is seen.
  fitting(frame, width, height) {
    const [wide, high] = [frame.columns, frame.rows * tallOf(frame)];
    return this.turns % 2 ? Math.min(width / high, height / wide) : Math.min(width / wide, height / high);
  }

  // Image points (from the corner of the first pixel) to pixels of a screen of that size.
  matrix(frame, width, height) {
    const scale = this.fitting(frame, width, height) * this.zoom;
    return new DOMMatrix()
      .translateSelf(width / 2, height / 2)
      .rotateSelf(90 * this.turns)
      .scaleSelf(this.mirrored ? -scale : scale, scale * tallOf(frame))
      .translateSelf(-frame.columns * this.centre.x, -frame.rows * this.centre.y);
  }

  // The centre of the screen never leaves the image, so that it cannot be lost.
  moveBy(frame, dx, dy) {
    this.centre.x = held(this.centre.x + dx / frame.columns, 0, 1);
    this.centre.y = held(this.centre.y + dy / frame.rows, 0, 1);
  }

  zoomBy(factor) {
    this.zoom = held(this.zoom * factor, 0.1, 64);
  }
}
