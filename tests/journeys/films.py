"""The 810 chest films: develop on one half of the patients, study the other, and what five radiologists said of it."""

import csv
import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from readerstudy.embedded.places import REPOSITORY
from tests.shared_data import shared

FOLDER = "data/nih_cxr_810_five_readers"
TRUTH = "all_findings_expert_labels_test_labels.csv"
READINGS = "all_findings_expert_labels_test_individual_readers.csv"
DEVELOP, STUDY = 0, 1
SPEC = """
name = "{name}"
family = "located"
architecture = {{ widths = [16, 24, 32, 48], dropout = 0.2 }}
inputs = [{{ modality = "DX", view = "frontal" }}]
preprocess = [{{ op = "percentile" }}, {{ op = "zscore" }}, {{ op = "resize_pad", size = [64, 64] }}]
outputs = [
    {{ kind = "probability", target = "{finding}", negative = "NO", positive = "YES" }},
    {{ kind = "heatmap" }},
]
[train]
losses = [{{ kind = "bce", smoothing = 0.05 }}]
rate = 3e-3
decay = 0.05
epochs = 10
batch = 32
augment = [
    {{ op = "rotate", degrees = 6 }}, {{ op = "scale", share = 0.1 }}, {{ op = "shift", share = 0.05 }},
    {{ op = "contrast", share = 0.15 }}, {{ op = "brightness", share = 0.1 }}, {{ op = "flip" }},
]
"""


def half_of(patient: object) -> int:
    """By the patient alone, so that no patient stands on both sides."""
    return int(hashlib.sha256(str(patient).encode()).hexdigest(), 16) % 2


def truths(half: int | None = None) -> pd.DataFrame:
    return in_half(pd.read_csv(shared(f"{FOLDER}/{TRUTH}")), half)


def readings(half: int | None = None) -> pd.DataFrame:
    return in_half(pd.read_csv(shared(f"{FOLDER}/{READINGS}")), half)


def in_half(table: pd.DataFrame, half: int | None) -> pd.DataFrame:
    return table if half is None else table[table["Patient ID"].map(half_of) == half]


@dataclass(frozen=True)
class Material:
    """The files of one study on these films, as people hand them in."""

    cohort: Path
    manifest: Path
    archive: Path
    answers: Path


def material_in(folder: Path) -> Material:
    made = Material(*(folder / name for name in ("develop.csv", "study.csv", "films.zip", "radiologists.csv")))
    develop, study = truths(DEVELOP), truths(STUDY)
    assert set(develop["Patient ID"]).isdisjoint(study["Patient ID"])
    write_manifest(made.cohort, develop, {"Abnormal": "Abnormal", "Effusion": "Effusion"})
    write_manifest(made.manifest, study, {"truth": "Abnormal"})
    with zipfile.ZipFile(made.archive, "w") as archive:
        for image in study["Image ID"]:
            archive.write(film(image), film(image).name)
    readings(STUDY).to_csv(made.answers, index=False)
    return made


def film(image: str) -> Path:
    return shared(f"{FOLDER}/img256") / Path(image).with_suffix(".jpg").name


def write_manifest(target: Path, rows: pd.DataFrame, findings: dict[str, str]) -> None:
    with target.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["case", "patient", "file", *findings])
        for _, row in rows.iterrows():
            values = [row[column] for column in findings.values()]
            table.writerow([row["Image ID"], row["Patient ID"], film(row["Image ID"]).name, *values])


def train(cohort: Path, finding: str, out: Path) -> Path:
    """The shipped commands, as a developer calls them; the folder of version 1."""
    out.mkdir()
    spec, manifest = out / "chest.toml", out / "manifest.csv"
    spec.write_text(SPEC.format(name=f"chest-{finding.lower()}", finding=finding), encoding="utf-8")
    rows = pd.read_csv(cohort)
    table = rows[["case", "patient"]].assign(role="develop", truth=rows[finding])
    table.assign(file=[str(film(image)) for image in rows["case"]]).to_csv(manifest, index=False)
    inference("train", str(spec), str(manifest), "--out", str(out))
    model = out / f"chest-{finding.lower()}"
    inference("decide", str(model))
    return model / "1"


def inference(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "inference", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
