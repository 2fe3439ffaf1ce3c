"""A study's folder as tables: predictions, readings, features, cohort, cards and histories, wherever they lie in it.

Every file is known by its name: ``predictions.csv``, ``vertebrae_predictions.csv``, ``slice_predictions.csv``,
``oof.csv``, ``segmentation.csv``, ``pointing.csv``, ``readings.csv``, ``features.csv``, ``manifest.csv``,
``vertebrae.csv``, ``card.json``, ``history.jsonl``; masks and heat maps stand in folders ``masks`` and ``heatmaps``
beside predictions. Several of one name are read one after another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from inference.cards import CARD, DRAFT, HISTORY, OUT_OF_FOLD, TUNING, Card, CardError
from inference.cohorts.cases import BadCohort
from inference.learning.history import Epoch, read_history
from inference.reasons import why

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("case", "patient", "role", "site", "model", "version", "reader", "arm", "period", "seniority", "level",
          "true_level", "fold", "input", "file", "mask", "levels", "slice_name")  # fmt: skip
NEEDED = {
    "predictions.csv": ("case", "patient", "model", "truth", "probability"),
    "vertebrae_predictions.csv": ("case", "patient", "model", "level", "truth", "probability", "true_level"),
    "slice_predictions.csv": ("case", "patient", "model", "truth", "probability"),
    "oof.csv": ("case", "patient", "fold", "truth", "logit"),
    "segmentation.csv": ("case", "model", "dice", "pixel_accuracy", "background_accuracy"),
    "pointing.csv": ("case", "model", "hit", "chance"),
    "randomisation.csv": ("model", "down_to", "share", "hits", "cases", "correlation"),
    "readings.csv": ("reader", "case", "truth"),
    "features.csv": ("case",),
    "manifest.csv": ("case", "patient"),
    "vertebrae.csv": ("case", "level"),
}
SEEN = "development (seen in training)"
FOLDS = "cross-validation"
TUNED = "validation (chosen on)"


class BadStudy(BadCohort):
    """A study's folder that cannot be reported; the text says why."""


@dataclass(frozen=True)
class Source:
    """One file that numbers rest on."""

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Trained:
    """One model as it lies in the study: its folder, its card, its histories by fold ("" for the only one)."""

    folder: Path
    card: Card
    histories: dict[str, tuple[Epoch, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """Tables of one folder, each read when it is first asked for.

    Parameters
    ----------
    folder : Path
    key : str
        ``s0`` to ``s4``, for the published numbers and the reports that belong to it.
    outside : Path or None
        A folder inside of which nothing is read, such as that of the report itself.

    Raises
    ------
    BadStudy
        Where there is no such folder, or a table lacks a column.
    """

    folder: Path
    key: str
    outside: Path | None = None

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise BadStudy(f"{self.folder} is no folder.")

    def paths(self, name: str) -> list[Path]:
        """All files of that name, those nearest to the folder first."""
        skipped = None if self.outside is None else self.outside.resolve()
        found = [path for path in self.folder.rglob(name) if skipped is None or skipped not in path.resolve().parents]
        return sorted(found, key=lambda path: (len(path.parts), str(path)))

    def table(self, name: str) -> pd.DataFrame | None:
        """The rows of all files of that name, with a column ``folder`` naming where each came from; None without."""
        import pandas as pd

        frames = []
        for path in self.paths(name):
            try:
                frame = pd.read_csv(path, dtype=dict.fromkeys(LABELS, str), keep_default_na=True, na_values=[""])
            except (OSError, ValueError) as error:
                raise BadStudy(f"{path.relative_to(self.folder)} cannot be read as a table: {why(error)}.") from error
            lacking = [column for column in NEEDED.get(name, ()) if column not in frame.columns]
            if lacking:
                raise BadStudy(f"{path.relative_to(self.folder)} has no column {lacking[0]}.")
            frames.append(frame.assign(folder=str(path.parent)))
        whole = pd.concat(frames, ignore_index=True) if frames else None
        return None if whole is None or whole.empty else whole

    def sources(self, *names: str) -> tuple[Source, ...]:
        """The files of those names with their SHA-256."""
        found = []
        for name in names:
            for path in self.paths(name):
                content = path.read_bytes()
                rows = max(0, content.count(b"\n") - 1)
                found.append(Source(str(path.relative_to(self.folder)), hashlib.sha256(content).hexdigest(), rows))
        return tuple(found)

    @cached_property
    def predictions(self) -> pd.DataFrame | None:
        """Per case, with the columns ``system`` (the model, with its version where there are several) and ``set``.

        Out-of-fold and tuning logits beside a decided card are answers too, at its calibration and threshold.
        """
        import pandas as pd

        stored = self.table("predictions.csv")
        frames = [*([] if stored is None else [stored]), *(own_logits(one) for one in self.trained)]
        frames = [frame for frame in frames if not frame.empty]
        if not frames:
            return None
        whole = with_sets(systems(pd.concat(frames, ignore_index=True)))
        # Cases of development that a decision was chosen on were not taught.
        chosen = {(one.card.name, case) for one in self.trained for case in tuned_cases(one.folder)}
        is_chosen = [pair in chosen for pair in zip(whole["model"], whole["case"], strict=True)]
        whole = whole.assign(set=whole["set"].mask((whole["set"] == SEEN) & pd.Series(is_chosen), TUNED))
        return whole.drop_duplicates(["system", "set", "case"], ignore_index=True)

    @cached_property
    def vertebrae(self) -> pd.DataFrame | None:
        """Per vertebra, found or missed, with ``system`` and ``set``."""
        frame = self.table("vertebrae_predictions.csv")
        return None if frame is None else with_sets(systems(frame))

    @cached_property
    def masks(self) -> pd.DataFrame | None:
        """Measures of masks per case, as `inference.measures.evaluating` writes them."""
        frame = self.table("segmentation.csv")
        return None if frame is None else with_sets(systems(frame))

    @cached_property
    def readings(self) -> pd.DataFrame | None:
        """One row a reading; without a column ``arm`` all are unaided."""
        frame = self.table("readings.csv")
        if frame is None:
            return None
        for column, filled in (("arm", "unaided"), ("seniority", "")):
            if column not in frame.columns:
                frame = frame.assign(**{column: filled})
        return frame.assign(seniority=frame["seniority"].fillna(""))

    @cached_property
    def manifest(self) -> pd.DataFrame | None:
        """One row a case: what belongs to the case in whichever of its rows it stands."""
        frame = self.table("manifest.csv")
        return None if frame is None else with_sets(frame.groupby("case", sort=False, as_index=False).first())

    @cached_property
    def truths(self) -> pd.DataFrame | None:
        """One row a true vertebra."""
        return self.table("vertebrae.csv")

    @cached_property
    def features(self) -> pd.DataFrame | None:
        return self.table("features.csv")

    @cached_property
    def trained(self) -> tuple[Trained, ...]:
        """Models whose card lies in the folder, without drafts that were decided.

        Folds of a cross-validation lie in the folder ``folds`` beside the versions of their model.
        """
        found = []
        folders = [path.parent for path in self.paths(CARD)]
        for folder in folders:
            if any(other in folder.parents for other in folders):
                continue
            try:
                card = Card.read(folder, draft=True)
            except CardError as error:
                raise BadStudy(f"{(folder / CARD).relative_to(self.folder)}: {error}") from error
            found.append(Trained(folder, card, histories_of(folder)))
        decided = {one.card.name for one in found if one.card.version != DRAFT}
        return tuple(one for one in found if one.card.version != DRAFT or one.card.name not in decided)

    @cached_property
    def own_set(self) -> str:
        """The set that readers read, else the control set, else what is first."""
        sets = list(dict.fromkeys([] if self.predictions is None else self.predictions["set"]))
        if self.readings is not None and self.predictions is not None:
            read = set(self.readings["case"])
            counts = {name: len(read & set(part["case"])) for name, part in self.predictions.groupby("set")}
            best = max(counts, key=lambda name: counts[name])
            if counts[best]:
                return str(best)
        return next((name for name in ("control", FOLDS, *sets) if name in sets), "")


def histories_of(folder: Path) -> dict[str, tuple[Epoch, ...]]:
    """Histories of a model by fold, "" for that of the final one."""
    own = {
        "" if path.parent == folder else path.parent.name: read_history(path) for path in sorted(folder.rglob(HISTORY))
    }
    beside = sorted((folder.parent / "folds").glob(f"*/{HISTORY}")) if (folder / CARD).is_file() else []
    return own | {path.parent.name: read_history(path) for path in beside}


def tuned_cases(folder: Path) -> list[str]:
    """Cases of the tuning part of a model; none where it was cross-validated."""
    import pandas as pd

    path = folder / TUNING
    return pd.read_csv(path, dtype={"case": str})["case"].tolist() if path.is_file() else []


def own_logits(one: Trained) -> pd.DataFrame:
    """Out-of-fold and tuning predictions that lie beside a decided card, as rows of ``predictions.csv``."""
    import numpy as np
    import pandas as pd

    from inference.deciding.calibration import calibrated

    decision = one.card.spec.decision
    frames = []
    for name in (OUT_OF_FOLD, TUNING):
        path = one.folder / name
        if decision is None or not path.is_file():
            continue
        frame = pd.read_csv(path, dtype=dict.fromkeys(LABELS, str))
        probability = np.round(calibrated(decision.calibration, frame["logit"].to_numpy(dtype=float)), 6)
        known = frame["fold"] if name == OUT_OF_FOLD else None
        frames.append(
            frame.assign(
                role="develop" if name == OUT_OF_FOLD else TUNED, site="", model=one.card.name,
                version=one.card.version, fold=known, probability=probability,
                positive=(probability >= decision.threshold).astype(int), folder=str(one.folder),
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def systems(frame: pd.DataFrame) -> pd.DataFrame:
    """With a column ``system``: the model's name, and its version where a model stands there in several."""
    version = frame["version"].fillna("") if "version" in frame.columns else frame["model"].map(lambda _: "")
    several = version.groupby(frame["model"]).transform("nunique") > 1
    return frame.assign(version=version, system=frame["model"].where(~several, frame["model"] + " · " + version))


def with_sets(frame: pd.DataFrame) -> pd.DataFrame:
    """With a column ``set``: control, cross-validation, development, or the external site."""
    role = frame["role"].fillna("") if "role" in frame.columns else frame["case"].map(lambda _: "control")
    site = frame["site"].fillna("") if "site" in frame.columns else frame["case"].map(lambda _: "")
    several = site[role == "external"].nunique() > 1
    folded = frame["fold"].notna() if "fold" in frame.columns else role.map(lambda _: False)
    names = []
    for one, where, fold in zip(role, site, folded, strict=True):
        if one == "develop":
            names.append(FOLDS if fold else SEEN)
        elif one == "external":
            names.append(f"external {where}".rstrip() if several else "external")
        else:
            names.append(one or "control")
    return frame.assign(set=names)
