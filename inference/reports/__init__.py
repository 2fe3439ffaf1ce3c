"""Reports R01 to R22 of a study, each one function over stored predictions and readings, and one page of them all.

>>> list(REPORTS)[:3], reports_of("s1")[-1]
(['R01', 'R02', 'R03'], 'R22')
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from inference.reports import (
    cohorts,
    features,
    folds,
    gallery,
    heatmaps,
    masks,
    models,
    page,
    published,
    readers,
    rounds,
    trained,
    vertebrae,
)
from inference.reports.contract import Report
from inference.reports.statistics import Statistics
from inference.reports.study import SEEN, TUNED, BadStudy, Study
from inference.reports.words import counted

Maker = Callable[[Study, Statistics], Report]
REPORTS: dict[str, Maker] = {
    "R01": cohorts.cohort,
    "R02": models.metrics,
    "R03": models.curves,
    "R04": readers.as_points,
    "R05": readers.against,
    "R06": models.confusion,
    "R07": readers.experience,
    "R08": features.features,
    "R09": folds.folds,
    "R10": vertebrae.per_vertebra,
    "R11": vertebrae.level_success,
    "R12": vertebrae.tasks,
    "R13": models.moved,
    "R14": masks.fits,
    "R15": masks.looked_at,
    "R16": heatmaps.heatmaps,
    "R17": rounds.aided,
    "R18": rounds.against_alone,
    "R19": trained.curves,
    "R20": trained.cards,
    "R21": cohorts.subgroups,
    "R22": gallery.gallery,
}
# Which belong to which study; what a paper of that kind reports.
LEFT_OUT = {
    "s0": ("R08", "R09", "R10", "R11", "R12", "R14", "R15", "R17", "R18"),
    "s1": ("R10", "R11", "R12", "R13", "R14", "R15", "R17", "R18", "R21"),
    "s2": ("R04", "R05", "R07", "R08", "R09", "R17", "R18"),
    "s3": ("R04", "R05", "R07", "R08", "R09", "R11", "R12", "R17", "R18"),
    "s4": ("R08", "R09", "R10", "R11", "R12", "R14", "R15"),
}


def reports_of(study: str) -> tuple[str, ...]:
    """Ids of the reports of a study, in their order.

    Raises
    ------
    BadStudy
        Where no study has that name.
    """
    if study not in LEFT_OUT:
        raise BadStudy(f"There is no study {study!r}; known are {', '.join(LEFT_OUT)}.")
    return tuple(id for id in REPORTS if id not in LEFT_OUT[study])


def report(id: str, folder: Path, study: str, workplace: Path) -> Report:
    """One report of a study's folder.

    Parameters
    ----------
    id : str
        ``R01`` to ``R22``.
    folder : Path
        Predictions, readings, cohort and cards, wherever they lie in it.
    study : str
        ``s0`` to ``s4``.
    workplace : Path
        Folder for the questions to the statistics and their answers.

    Raises
    ------
    BadStudy
        Where the folder cannot be read, or no report has that id.
    """
    if id not in REPORTS:
        raise BadStudy(f"There is no report {id!r}; there are R01 to R22.")
    return REPORTS[id](Study(folder, study, outside=workplace), Statistics(workplace))


def write_page(folder: Path, study: str, out: Path, ids: Sequence[str] = ()) -> tuple[Report, ...]:
    """All reports of a study as one self-contained page; tables, JSON and the statistics' answers beside it.

    Parameters
    ----------
    folder, study
        As in `report`.
    out : Path
        The HTML file; ``STEM_files`` beside it takes the exports.
    ids : sequence of str
        Only these, in this order; all that belong to the study by default.

    Returns
    -------
    tuple of Report
    """
    files = out.with_name(f"{out.stem}_files")
    known = Study(folder, study, outside=files)
    statistics = Statistics(files / "analysis")
    unknown = [id for id in ids if id not in REPORTS]
    if unknown:
        raise BadStudy(f"There is no report {unknown[0]!r}; there are R01 to R22.")
    wanted = tqdm(ids or reports_of(study), "reports", unit="report", leave=False)
    made = [REPORTS[id](known, statistics) for id in wanted]
    whole = (*made,) if ids else (published.beside(known, made), *made)
    out.parent.mkdir(parents=True, exist_ok=True)
    page.export(whole, files)
    out.write_text(page.rendered(around(known, files.name, whole), whole), encoding="utf-8")
    return whole


SYNTHETIC = "Every case of this study is synthetic: nothing here was measured on a patient."
FOOTER = (
    "Numbers in full precision stand in the tables beside this page; intervals and p values were computed by the "
    "package analysis, whose own pages are linked under each report."
)


def around(study: Study, exports: str, reports: Sequence[Report]) -> page.Page:
    """Title, lead and facts of the page."""
    paper, _ = published.read(study.key)
    there = [one for one in reports if not one.missing]
    notice = SYNTHETIC if published.is_synthetic(study) else ""
    missing = len(reports) - len(there)
    complete = (
        f"{len(there)} of {counted(len(reports), 'report')} have what they need; the others say what is missing."
        if missing
        else f"All {counted(len(reports), 'report')} have what they need."
    )
    return page.Page(
        title=paper.title,
        kicker=f"Study {study.key.upper()} · models and readers from stored predictions",
        lead=f"After {paper.paper} ({paper.source}). {complete}",
        facts=facts(study),
        notice=notice,
        exports=exports,
        footer=FOOTER,
    )  # fmt: skip


def facts(study: Study) -> dict[str, str]:
    """Counts for the boxes at the head of the page."""
    found: dict[str, str] = {}
    frame = study.predictions if study.predictions is not None else study.manifest
    if frame is not None:
        seen = frame["set"].isin((SEEN, TUNED))
        tested = frame[~seen] if not seen.all() else frame
        single = tested.drop_duplicates("case")
        found["cases"], found["patients"] = str(len(single)), str(single["patient"].nunique())
        found["positive"] = str(int((single["truth"].astype(float) == 1).sum()))
        found["sets"] = str(tested["set"].nunique())
    if study.predictions is not None:
        found["models"] = str(study.predictions["system"].nunique())
    if study.readings is not None:
        found["readers"], found["readings"] = str(study.readings["reader"].nunique()), str(len(study.readings))
    return found
