"""Pixels and thumbnails out of storage, and the description of a case that the viewer reads."""

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.utils.translation import gettext as _

from .models import Case, Image, Series
from .pictures import presets_of

FRAME, PREVIEW, THUMBNAIL = "frames", "previews", "thumbnails"
_ENDINGS = {FRAME: "f16", PREVIEW: "f16", THUMBNAIL: "jpg"}


def key_of(folder: str, digest: str) -> str:
    return f"{folder}/{digest[:2]}/{digest}.{_ENDINGS[folder]}"


class _Written(File[bytes]):
    """A file that a storage on the same disk may move to its place instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def keep(folder: str, digest: str, made: Path) -> str:
    """Store the file of that name in `made` under its digest; one that is stored already may have gone from there."""
    storage, key, path = storages["default"], key_of(folder, digest), made / digest
    if not path.exists():
        if not storage.exists(key):
            raise FileNotFoundError(errno.ENOENT, "a decoded frame was deleted")
        return key
    if storage.exists(key):
        if storage.size(key) == path.stat().st_size:
            return key
        storage.delete(key)
    with path.open("rb") as opened:
        storage.save(key, _Written(opened, name=str(path)))
    return key


def made_or_kept(digest: str, made: Path) -> bytes:
    """A frame that lies in `made` still, or was stored from there for another slice that is the same."""
    path = made / digest
    return path.read_bytes() if path.exists() else bytes_at(key_of(FRAME, digest))


def keep_at(key: str, content: bytes) -> str:
    """Store once; a key names its content. A file that a killed process left cut off is written anew."""
    storage = storages["default"]
    if storage.exists(key):
        if storage.size(key) == len(content):
            return key
        storage.delete(key)
    storage.save(key, ContentFile(content))
    return key


def bytes_at(key: str) -> bytes:
    with storages["default"].open(key) as file:
        content: bytes = file.read()
    return content


def frame_bytes(image: Image) -> bytes:
    """The frame file (gzip): see `frames`."""
    return bytes_at(image.frame_key)


def preview_bytes(image: Image) -> bytes | None:
    """The same at a quarter of its size; None where the frame is small anyway."""
    return bytes_at(image.preview_key) if image.preview_key else None


def thumbnail_bytes(case: Case) -> bytes | None:
    keys = Image.objects.filter(series__case=case).exclude(thumbnail_key="")
    key = keys.order_by("series__position", "position").values_list("thumbnail_key", flat=True).first()
    return bytes_at(key) if key else None


def series_documents(case: Case, url_of: Callable[[Image], str]) -> list[dict[str, Any]]:
    """What the viewer reads; `url_of` gives each frame's address, which differs by who looks."""
    return [series_document(series, url_of) for series in case.series.prefetch_related("images")]


def series_document(series: Series, url_of: Callable[[Image], str]) -> dict[str, Any]:
    images = list(series.images.all())
    windows = [
        (_("Image %(number)s") % {"number": number}, *one[:2])
        for number, one in enumerate(series.more_windows, start=2)
    ]
    windows += [(preset.label, preset.center, preset.width) for preset in presets_of(series.modality)]
    presets: list[dict[str, Any]] = [
        {"label": label, "center": center, "width": width} for label, center, width in windows
    ]
    tables = tables_of(images)
    if images:
        presets.insert(0, {"label": "Initial", **window_of(images[len(images) // 2], tables)})
    return {
        "label": series.label,
        "plane": series.plane,
        "frames": [_frame_document(image, url_of(image), tables) for image in images],
        "presets": presets,
        "tables": tables,
        "unit": series.unit,
        "space": series.frame_of_reference,
    }


def tables_of(images: Sequence[Image]) -> list[list[int]]:
    """The look-up tables of a series, each once, for every slice may name the same."""
    tables: list[list[int]] = []
    for image in images:
        if image.window_steps and image.window_steps not in tables:
            tables.append(image.window_steps)
    return tables


def window_of(image: Image, tables: Sequence[list[int]]) -> dict[str, Any]:
    """How the image is shown first; `table` is the place of its table among those of the series."""
    return {
        "center": image.window_center,
        "width": image.window_width,
        "shape": image.window_shape,
        "table": tables.index(image.window_steps) if image.window_steps else None,
    }


def _frame_document(image: Image, url: str, tables: Sequence[list[int]]) -> dict[str, Any]:
    return {
        "url": url,
        "rows": image.rows,
        "columns": image.columns,
        "samples": image.samples,
        "bits": image.bits,
        "inverted": image.inverted,
        "slope": image.slope,
        "intercept": image.intercept,
        "window": window_of(image, tables),
        "spacing": image.spacing,
        "calibrated": image.calibrated,
        "position": image.origin,
        "orientation": image.orientation,
        "letters": None if image.orientation else image.letters,
    }
