"""`make bench-imports`: a CT of 300 slices and 1,000 radiographs through the whole import, beside their decoder alone.

Decoding alone is a fresh process, or as many as the import uses, that reads each file with pydicom and decodes its
pixels once. The import is all of it: decoder processes, dry run, packing, digests, storage, rows, audit. To decode what
is not compressed is to copy it, so beside it stands the least that keeping frames takes: decoding, the digest of the
file, packing, the digest of the frame, writing. The ratio of processor seconds (the database's own aside) says the same
on a machine that has other work.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from tests.benchmarks.__main__ import site, timed

if TYPE_CHECKING:
    from readerstudy.studies.models import Study

FILM_SIZE = (1280, 1024)
DISTINCT = 20
SYNTAXES = {
    "uncompressed": ExplicitVRLittleEndian,
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
}
DECODE = """
import sys, pydicom
from pathlib import Path
for path in sorted(Path(sys.argv[1]).rglob("*.dcm"))[int(sys.argv[2])::int(sys.argv[3])]:
    pydicom.dcmread(path).pixel_array
"""
KEEP = """
import hashlib, sys, types, pydicom
from pathlib import Path
site = sys.modules["readerstudy"] = types.ModuleType("readerstudy")
site.__path__ = ["readerstudy"]
from readerstudy.cases.frames import encode
for path in sorted(Path(sys.argv[1]).rglob("*.dcm"))[int(sys.argv[2])::int(sys.argv[3])]:
    hashlib.sha256(path.read_bytes()).hexdigest()
    packed = encode(pydicom.dcmread(path).pixel_array)
    Path(sys.argv[4], hashlib.sha256(packed).hexdigest()).write_bytes(packed)
"""
Pixels = NDArray[np.uint16]


class Times(NamedTuple):
    """Seconds of the import, of one decoder process, of as many as there are processors, and of keeping besides;
    processor seconds of the import, of those decoders and of keeping."""

    imported: float
    one: float
    all: float
    kept: float
    processor_imported: float
    processor_all: float
    processor_kept: float


def ct_slice(number: int, chance: np.random.Generator) -> Pixels:
    """A body with organs and the noise of a scanner, 12 bits."""
    row, column = np.mgrid[:512, :512]
    body = ((row - 256) / 190) ** 2 + ((column - 256) / 240) ** 2 < 1
    inside = 1050 + 60 * np.sin(row / 23 + number / 9) * np.cos(column / 31)
    values = np.where(body, inside, 24) + chance.normal(0, 14, (512, 512)) * np.where(body, 1, 0.3)
    return np.clip(np.rint(values), 0, 4095).astype(np.uint16)


def film(number: int, chance: np.random.Generator) -> Pixels:
    row, column = np.mgrid[: FILM_SIZE[0], : FILM_SIZE[1]]
    values = 2000 + 900 * np.sin(row / 190 + number) * np.cos(column / 130) + chance.normal(0, 9, FILM_SIZE)
    return np.clip(np.rint(values), 0, 4095).astype(np.uint16)


def pictures(count: int, drawn: Callable[[int, np.random.Generator], Pixels]) -> Iterator[Pixels]:
    """Each another; drawing all of them would take longer than what is measured."""
    chance = np.random.default_rng(7)
    drawings = [drawn(number, chance) for number in range(min(count, DISTINCT))]
    for number in range(count):
        yield np.roll(drawings[number % DISTINCT], 3 * (number // DISTINCT), axis=1)


def write(path: Path, pixels: Pixels, number: int, series: str, syntax: str) -> None:
    is_film = pixels.shape != (512, 512)
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = DigitalXRayImageStorageForPresentation if is_film else CTImageStorage
    data.SOPInstanceUID, data.SeriesInstanceUID, data.InstanceNumber = generate_uid(), series, number + 1
    data.Modality, data.PatientName, data.PatientID = "DX" if is_film else "CT", f"Patient^{number}", f"P{number}"
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelSpacing = [0.7, 0.7]
    if not is_film:
        data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-180, -180, number * 1.0]
        data.SliceThickness, data.RescaleSlope, data.RescaleIntercept = 1, 1, -1024
        data.WindowCenter, data.WindowWidth = 400, 1800
    data.PixelData = pixels.tobytes()
    if syntax not in (ExplicitVRLittleEndian, SYNTAXES["JPEG lossless"]):
        data.compress(syntax, generate_instance_uid=False)
    data.save_as(path, enforce_file_format=True)
    if syntax == SYNTAXES["JPEG lossless"]:
        code_lossless(path)


def code_lossless(path: Path) -> None:
    """What pydicom has no encoder for."""
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    if not reader.Read():
        raise RuntimeError(f"gdcm cannot read {path}")
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise RuntimeError(f"gdcm cannot code {path}")
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise RuntimeError(f"gdcm cannot write {path}")


def make_ct(folder: Path, count: int, syntax: str) -> bytes:
    series = generate_uid()
    (folder / "ct").mkdir(parents=True)
    for number, pixels in enumerate(pictures(count, ct_slice)):
        write(folder / "ct" / f"{number:04}.dcm", pixels, number, series, syntax)
    return b"case,patient,file\nCT,1,ct\n"


def make_films(folder: Path, count: int, syntax: str) -> bytes:
    folder.mkdir(parents=True)
    rows = ["case,patient,file"]
    for number, pixels in enumerate(pictures(count, film)):
        write(folder / f"{number:04}.dcm", pixels, number, generate_uid(), syntax)
        rows.append(f"F{number},{number},{number:04}.dcm")
    return "\n".join(rows).encode()


def decoding(folder: Path, processes: int, code: str = DECODE, target: Path | None = None) -> float:
    def run() -> None:
        words, into = [sys.executable, "-W", "ignore", "-c", code, str(folder)], [str(target)] if target else []
        children = [subprocess.Popen([*words, str(part), str(processes), *into]) for part in range(processes)]
        if any(child.wait() for child in children):
            raise RuntimeError("the decoder alone failed")

    return timed(run)


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measured(folder: Path, manifest: bytes, study: "Study") -> Times:
    from readerstudy.reference.actions import import_at_once

    # Once before, so that the files come from memory for both.
    processes = len(os.sched_getaffinity(0))
    before = processor_seconds()
    all_processes = decoding(folder, processes)
    processor_all = processor_seconds() - before
    began, before = time.perf_counter(), processor_seconds()
    done = import_at_once(study=study, manifest=manifest, folder=folder, by=study.created_by)
    imported, processor_imported = time.perf_counter() - began, processor_seconds() - before
    if done.phase != "done":
        raise RuntimeError(f"{done.message} {done.faults}")
    with tempfile.TemporaryDirectory(dir=folder.parent) as target:
        before = processor_seconds()
        kept = decoding(folder, processes, KEEP, Path(target))
        processor_kept = processor_seconds() - before
    every = min(all_processes, decoding(folder, processes))
    return Times(imported, decoding(folder, 1), every, kept, processor_imported, processor_all, processor_kept)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--slices", type=int, default=300)
    words.add_argument("--films", type=int, default=1000)
    words.add_argument("--ct", nargs="*", choices=list(SYNTAXES), default=list(SYNTAXES))
    words.add_argument("--radiographs", nargs="*", choices=list(SYNTAXES), default=["uncompressed", "JPEG lossless"])
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="readerstudy-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.environ["WORK_FOLDER"] = str(folder / "work")
        os.environ["STORAGE_URL"] = (folder / "storage").as_uri()
        with site(folder / "services"):
            from tests.world import People, make_study

            people = People()
            for what, syntaxes, count, make in (
                ("slices of a CT", asked.ct, asked.slices, make_ct),
                ("radiographs", asked.radiographs, asked.films, make_films),
            ):
                for syntax in syntaxes:
                    files = folder / f"{what}-{syntax}".replace(" ", "-")
                    manifest = make(files, count, SYNTAXES[syntax])
                    times = measured(files, manifest, make_study(people, title=f"{what} {syntax}"))
                    print(
                        f"{count} {what}, {syntax}: import {times.imported:.2f} s; decoding alone {times.one:.2f} s in "
                        f"one process, ratio {times.one / times.imported:.2f}; {times.all:.2f} s on all processors, "
                        f"ratio {times.all / times.imported:.2f}; the least that keeping takes {times.kept:.2f} s, "
                        f"ratio {times.kept / times.imported:.2f}; of processor seconds "
                        f"{times.processor_all:.2f} to {times.processor_imported:.2f}, "
                        f"ratio {times.processor_all / times.processor_imported:.2f}, of keeping "
                        f"{times.processor_kept:.2f}, ratio {times.processor_kept / times.processor_imported:.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
