"""Contact sheets of a set: every image with its truth over it, as one PNG or as a page of HTML."""

from __future__ import annotations

import base64
import csv
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from inference.cohorts.cases import BadCohort
from inference.cohorts.levels import NAMES
from inference.imaging.images import read_image
from inference.phantoms.markers import font_of
from inference.phantoms.records import CORNERS, MANIFEST, VERTEBRAE

FOUND, OUTLINE, PLACE = (255, 96, 64), (72, 200, 255), (255, 220, 70)
# Levels in turn, so that neighbours differ.
SHADES = ((90, 170, 255), (120, 230, 150), (240, 200, 90), (230, 130, 220))
HU = (-200.0, 700.0)
Row = Mapping[str, str]
Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Tile:
    """One image of the sheet with its caption; ``beside`` keeps it in the row of the tile before it."""

    picture: Image.Image
    caption: str
    beside: bool = False


def contact_sheet(folder: Path, out: Path, *, count: int = 24, height: int = 420, overlay: bool = True) -> int:
    """Write a sheet of the images of a set, with corners, masks, levels and places over every second copy.

    Parameters
    ----------
    folder : Path
        As ``build_set`` wrote it, or any folder with a manifest in its form.
    out : Path
        ``.png`` or ``.html``.
    count : int
        Images, evenly taken from the whole manifest.
    height : int
        Of a tile, pixels.
    overlay : bool
        Whether each image stands there a second time with its truth drawn in.

    Returns
    -------
    int
        Number of images on the sheet.

    Raises
    ------
    BadCohort
        Where the folder has no manifest, or the sheet's name is neither PNG nor HTML.
    """
    if out.suffix.lower() not in (".png", ".html"):
        raise BadCohort(f"{out} is neither .png nor .html.")
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise BadCohort(f"{folder} has no {MANIFEST}.")
    rows = read_rows(manifest)
    chosen = [
        rows[place] for place in np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int))
    ]
    bodies = read_rows(folder / VERTEBRAE) if (folder / VERTEBRAE).is_file() else []
    tiles = [tile for row in chosen for tile in tiles_of(row, bodies, folder, height, overlay=overlay)]
    if out.suffix.lower() == ".html":
        out.write_text(page(tiles, folder.name), encoding="utf-8")
    else:
        sheet(tiles).save(out)
    return len(chosen)


def read_rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def tiles_of(row: Row, bodies: Sequence[Row], folder: Path, height: int, *, overlay: bool) -> Iterator[Tile]:
    """The image as it is, then with its truth."""
    image = read_image(folder / row["file"])
    piece = round(float(row["slice"])) if row.get("slice") else image.values.shape[0] // 2
    grey = shown(image.values[piece], hounsfield=image.values.min() < -150)
    # Pixels of a scan need not be square.
    tall = image.spacing[1] / image.spacing[2] if image.spacing[2] else 1.0
    size = (max(1, round(height * grey.shape[1] / grey.shape[0] / tall)), height)
    scale = (height / grey.shape[0], size[0] / grey.shape[1])
    plain = Image.fromarray(grey).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    yield Tile(plain, caption_of(row))
    if overlay:
        yield Tile(with_truth(plain, row, bodies, folder, piece, scale), "", beside=True)


def shown(values: NDArray[np.float32], *, hounsfield: bool) -> Grey:
    """Grey values for the screen: the bone window of a CT, otherwise between two percentiles."""
    low, high = HU if hounsfield else np.percentile(values, [0.5, 99.7])
    result: Grey = (255 * np.clip((values - low) / max(1e-6, high - low), 0, 1)).astype(np.uint8)
    return result


def caption_of(row: Row) -> str:
    facts = (row["case"], row.get("input", ""), row["role"], row.get("site", ""), row.get("level", ""))
    grade = f"grade {row['grade']}" if row.get("grade", "0") not in ("", "0") else ""
    truth = {"1": "positive", "0": "negative"}.get(row.get("truth", ""), "")
    return " · ".join(part for part in (*facts, grade, truth) if part)


def with_truth(
    plain: Image.Image, row: Row, bodies: Sequence[Row], folder: Path, piece: int, scale: tuple[float, float]
) -> Image.Image:
    picture = plain.copy()
    for column in ("levels", "mask"):
        if row.get(column):
            labels = read_image(folder / row[column]).values[piece].astype(np.int64)
            picture = tinted(picture, labels, mask=column == "mask")
    drawing = ImageDraw.Draw(picture)
    for body in bodies:
        if body["case"] == row["case"]:
            draw_body(drawing, body, scale)
    if row.get("row") and row.get("column"):
        draw_place(drawing, row, scale)
    return picture


def tinted(picture: Image.Image, labels: NDArray[np.int64], *, mask: bool) -> Image.Image:
    """Colour over the labelled pixels; a mask strongly, levels in turn and faintly."""
    paint = np.zeros((*labels.shape, 4), np.uint8)
    if mask:
        paint[labels > 0] = (*FOUND, 110)
    else:
        for code in np.unique(labels[labels > 0]):
            paint[labels == code] = (*SHADES[int(code) % len(SHADES)], 60)
    layer = Image.fromarray(paint, "RGBA").resize(picture.size, Image.Resampling.NEAREST)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def draw_body(drawing: ImageDraw.ImageDraw, body: Row, scale: tuple[float, float]) -> None:
    corners = [
        ((float(body[f"{name}_column"]) + 0.5) * scale[1], (float(body[f"{name}_row"]) + 0.5) * scale[0])
        for name in CORNERS
    ]
    colour = FOUND if body["fractured"] == "1" else OUTLINE
    for x, y in corners:
        drawing.ellipse((x - 2, y - 2, x + 2, y + 2), outline=colour)
    x = max(x for x, _ in corners) + 4
    y = sum(y for _, y in corners) / 4 - 6
    drawing.text((x, y), body["level"] + ("" if body["visible"] == "1" else "?"), fill=colour, font=font_of(11))


def draw_place(drawing: ImageDraw.ImageDraw, row: Row, scale: tuple[float, float]) -> None:
    x, y = (float(row["column"]) + 0.5) * scale[1], (float(row["row"]) + 0.5) * scale[0]
    width, height = float(row.get("width") or 0) * scale[1] / 2, float(row.get("height") or 0) * scale[0] / 2
    drawing.rectangle((x - width, y - height, x + width, y + height), outline=PLACE)


def groups_of(tiles: Sequence[Tile]) -> list[list[Tile]]:
    """Each image with what stands beside it."""
    found: list[list[Tile]] = []
    for tile in tiles:
        if tile.beside and found:
            found[-1].append(tile)
        else:
            found.append([tile])
    return found


def sheet(tiles: Sequence[Tile], width: int = 2400) -> Image.Image:
    """The tiles in rows of at most that width, an image and its truth always side by side, captions under them."""
    gap, apart, line = 2, 14, 18
    places, left, top, right = [], 0, 0, 0
    height = max(tile.picture.height for tile in tiles) + line
    for group in groups_of(tiles):
        wide = sum(tile.picture.width for tile in group) + gap * (len(group) - 1)
        if left and left + wide > width:
            left, top = 0, top + height
        right = max(right, left + wide)
        for tile in group:
            places.append((left, top))
            left += tile.picture.width + gap
        left += apart - gap
    whole = Image.new("RGB", (right, top + height), (16, 16, 18))
    drawing = ImageDraw.Draw(whole)
    for tile, (left, top) in zip(tiles, places, strict=True):
        whole.paste(tile.picture, (left, top))
        caption = tile.caption
        while caption and drawing.textlength(caption, font_of(10)) > 2 * tile.picture.width:
            caption = caption[:-1]
        drawing.text((left + 2, top + tile.picture.height + 3), caption, fill=(200, 200, 200), font=font_of(10))
    return whole


def page(tiles: Sequence[Tile], title: str) -> str:
    """A page that needs nothing but itself."""
    figures = "\n".join(f"<div>{''.join(map(figure, group))}</div>" for group in groups_of(tiles))
    levels = ", ".join(NAMES[code] for code in sorted(NAMES) if 8 <= code <= 28)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}: synthetic</title>'
        "<style>body{background:#101012;color:#ddd;font:14px system-ui}div{display:inline-flex;margin:4px 8px}"
        "figure{margin:1px}figcaption{max-width:260px;font-size:12px}</style>"
        f"<h1>{html.escape(title)}: synthetic images and their truth</h1>"
        f"<p>Red: the finding. Blue: corners of the other bodies. Yellow: place in the manifest. Levels {levels}.</p>"
        f"{figures}</html>"
    )


def figure(tile: Tile) -> str:
    return (
        f'<figure><img alt="{html.escape(tile.caption or "truth")}" src="data:image/png;base64,{encoded(tile)}">'
        f"<figcaption>{html.escape(tile.caption)}</figcaption></figure>"
    )


def encoded(tile: Tile) -> str:
    content = io.BytesIO()
    tile.picture.save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()
