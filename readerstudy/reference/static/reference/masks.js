// Masks as pictures over the image: one canvas for each mask, made when it is first shown and painted on by the brush.

import { decode, encode, stroke } from "./runs.js";

// Marks live as long as they can be undone; their pictures only while they fit, those seen last first.
const MOST_PIXELS = 40e6;

export class MaskPictures {
  #pictures = new Map();
  #pixels = 0;

  of(mark, frame, colour) {
    const picture = this.#pictures.get(mark) ?? new MaskPicture(frame, colour, decode(mark.runs, frame.rows * frame.columns));
    this.adopt(mark, picture);
    return picture;
  }

  // What the brush has painted becomes the picture of the mark that came of it.
  adopt(mark, picture) {
    if (!this.#pictures.delete(mark)) this.#pixels += picture.bitmap.length;
    this.#pictures.set(mark, picture);
    for (const [oldest, { bitmap }] of this.#pictures) {
      if (this.#pixels <= MOST_PIXELS || oldest === mark) break;
      this.#pictures.delete(oldest);
      this.#pixels -= bitmap.length;
    }
  }

  get pixels() {
    return this.#pixels;
  }
}

export class MaskPicture {
  constructor(frame, colour, bitmap = new Uint8Array(frame.rows * frame.columns)) {
    Object.assign(this, { frame, bitmap });
    const { rows, columns } = frame;
    this.canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(columns, rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
    const [red, green, blue] = colour;
    this.colour = (255 << 24) | (blue << 16) | (green << 8) | red;
    this.#show({ left: 0, top: 0, right: columns, bottom: rows });
  }

  #show({ left, top, right, bottom }) {
    const { columns } = this.frame;
    for (let y = top; y < bottom; y++) {
      for (let n = y * columns + left; n < y * columns + right; n++) this.pixels[n] = this.bitmap[n] ? this.colour : 0;
    }
    this.context.putImageData(this.image, 0, 0, left, top, right - left, bottom - top);
  }

  // A stroke of the brush from one image point to another.
  paint(from, to, radius, value) {
    const { rows, columns, spacing } = this.frame;
    const tall = spacing ? spacing[0] / spacing[1] : 1;
    const box = stroke(this.bitmap, { rows, columns, tall }, from, to, radius, value);
    if (box) this.#show(box);
  }

  get runs() {
    return encode(this.bitmap);
  }

  draw(context, matrix, opacity) {
    context.save();
    context.setTransform(matrix);
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.canvas, 0, 0);
    context.restore();
  }
}
