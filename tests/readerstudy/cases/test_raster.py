import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from readerstudy.cases import kinds, raster
from readerstudy.cases.pictures import AS_IT_IS, Picture, Unreadable
from tests.readerstudy.cases.decoded_here import pictures_of, stack_of

NO_SPACING = "There is no pixel spacing; lengths are not measured."


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def only(path: Path) -> Picture:
    (picture,) = raster.read(path).pictures
    return picture


def grey() -> Image.Image:
    return Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))


def test_grey_of_eight_bits_is_kept_exactly(tmp_path: Path) -> None:
    picture = only(saved(grey(), tmp_path / "a.png"))

    assert picture.bits == 8
    assert np.array_equal(picture.pixels, np.arange(48).reshape(6, 8))


def test_grey_of_sixteen_bits_is_kept_exactly(tmp_path: Path) -> None:
    values = np.array([[0, 1, 255], [256, 40_000, 65_535]], dtype=np.uint16)

    picture = only(saved(Image.fromarray(values), tmp_path / "a.png"))

    assert picture.bits == 16
    assert np.array_equal(picture.pixels, values)


@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("tif", {}), ("tif", {"compression": "tiff_lzw"})])
def test_colour_is_kept_exactly(suffix: str, options: dict[str, str], tmp_path: Path) -> None:
    values = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    path = saved(Image.fromarray(values), tmp_path / f"a.{suffix}", **options)

    assert np.array_equal(only(path).pixels, values)
    assert (only(path).bits, only(path).window) == (8, AS_IT_IS)
    assert raster.read(path).facts.notes == ()


def test_colour_that_is_all_grey_is_grey(tmp_path: Path) -> None:
    picture = only(saved(grey().convert("RGB"), tmp_path / "a.png"))

    assert np.array_equal(picture.pixels, np.arange(48).reshape(6, 8))


def test_a_palette_picture_is_read_through_its_palette(tmp_path: Path) -> None:
    picture = Image.new("P", (1, 2), 1)
    picture.putpalette([0, 0, 0, 0, 255, 0])

    assert only(saved(picture, tmp_path / "a.png")).pixels.tolist() == [[[0, 255, 0]], [[0, 255, 0]]]


def test_the_picture_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90°
    exif[0x010F] = "Mueller, Hans"
    path = saved(grey(), tmp_path / "a.png", exif=exif)

    assert np.array_equal(only(path).pixels, np.rot90(np.arange(48).reshape(6, 8), -1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "markup"),
        (b"\n<?xml version='1.0'?><svg/>", "markup"),
        (b"<!DOCTYPE html><html></html>", "markup"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"GIF89a.....", "GIF"),
        (b"MZ\x90\x00", "program"),
        (b"PK\x03\x04....", "ZIP"),
        (b"\x1f\x8b" + b"x" * 40, "cannot be unpacked"),
        (b"just words", "not known"),
    ],
)
def test_other_kinds_are_refused_by_their_content(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "innocent.png"
    path.write_bytes(content)

    with pytest.raises(Unreadable, match=words):
        kinds.kind_of(path)


def zip_bytes() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr("evil.html", "<script>")
    return target.getvalue()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("rider", [b"<html><script>alert(1)</script>", b"%PDF-1.4\n1 0 obj", zip_bytes(), b"more"])
def test_a_picture_that_is_something_else_as_well_is_refused(suffix: str, rider: bytes, tmp_path: Path) -> None:
    path = saved(grey(), tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes() + rider)

    with pytest.raises(Unreadable, match="something else at once"):
        kinds.kind_of(path)


def test_a_script_in_a_comment_is_refused(tmp_path: Path) -> None:
    path = saved(grey(), tmp_path / "a.jpg", comment=b"<script>alert(1)</script>")

    with pytest.raises(Unreadable, match="something else at once"):
        kinds.kind_of(path)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate"])
def test_a_tiff_is_kept_exactly(compression: str, bits: int, tmp_path: Path) -> None:
    values = np.random.default_rng(4).integers(0, 1 << bits, (30, 40)).astype(np.uint8 if bits == 8 else np.uint16)

    picture = only(saved(Image.fromarray(values), tmp_path / "a.tif", compression=compression))

    assert picture.bits == bits
    assert np.array_equal(picture.pixels, values)


def test_pages_of_a_tiff_are_slices_and_a_note_says_so(tmp_path: Path) -> None:
    pages = np.random.default_rng(5).integers(0, 65536, (4, 12, 20), dtype=np.uint16)
    first, *others = map(Image.fromarray, pages)
    path = saved(first, tmp_path / "a.tif", save_all=True, append_images=others)

    stack = stack_of(path)

    assert np.array_equal([picture.pixels for picture in pictures_of(path)], pages)
    assert stack.facts.notes == ("The file holds 4 pictures; they are slices of one series.", NO_SPACING)


def test_a_smaller_copy_in_a_tiff_is_no_slice(tmp_path: Path) -> None:
    copy = TiffImagePlugin.ImageFileDirectory_v2()
    copy[254] = 1
    small = grey().resize((4, 3))
    small.encoderinfo = {"tiffinfo": copy}
    path = saved(grey(), tmp_path / "a.tif", save_all=True, append_images=[small, grey()])

    assert [picture.pixels.shape for picture in pictures_of(path)] == [(6, 8), (6, 8)]


def test_a_later_page_that_was_cut_off_is_said_in_words(tmp_path: Path) -> None:
    noise = [Image.fromarray(np.random.default_rng(n).integers(0, 256, (64, 64), dtype=np.uint8)) for n in range(3)]
    path = saved(noise[0], tmp_path / "a.tif", save_all=True, append_images=noise[1:])
    path.write_bytes(path.read_bytes()[:9000])

    with pytest.raises(Unreadable, match="damaged"):
        list(raster.read(path).pictures)


def test_moving_pictures_are_refused(tmp_path: Path) -> None:
    path = saved(grey(), tmp_path / "a.png", save_all=True, append_images=[grey().rotate(180)])

    with pytest.raises(Unreadable, match="moving pictures"):
        only(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_plain_picture_is_known_by_content_not_by_name(suffix: str, tmp_path: Path) -> None:
    path = saved(grey(), tmp_path / f"a.{suffix}").rename(tmp_path / "a.txt")

    assert kinds.kind_of(path) == {"png": kinds.PNG, "jpg": kinds.JPEG, "tif": kinds.TIFF}[suffix]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_that_was_cut_off_is_said_in_words(suffix: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8)
    path = saved(Image.fromarray(noise), tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[:1500])

    with pytest.raises(Unreadable, match="damaged or cut off"):
        only(path)


def test_a_header_that_claims_a_huge_picture_is_refused_before_decoding(tmp_path: Path) -> None:
    path = saved(grey(), tmp_path / "a.png")
    content = bytearray(path.read_bytes())
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    # The header's checksum must fit, else Pillow refuses it for that.
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)

    with pytest.raises(Unreadable, match="100000 × 100000"):
        only(path)
