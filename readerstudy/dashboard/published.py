"""The five published systems as studies of the site: cases, models, simulated readers, lock and report.

Their folder comes from `python -m inference study s0 --out FOLDER`; what is missing in it is made first. Each step
looks whether it was done already, so that an interrupted load goes on where it was.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Refused
from readerstudy.datasets.actions import lock
from readerstudy.predictions.actions import register_algorithm, start_run
from readerstudy.predictions.models import Algorithm
from readerstudy.predictions.queries import predictions_in, runs_of
from readerstudy.reading.actions import import_readings, open_reading
from readerstudy.reading.external import Source
from readerstudy.reference.actions import import_at_once
from readerstudy.results.actions import start_run as start_analysis
from readerstudy.results.queries import latest_run
from readerstudy.studies.actions import create_study, enrol, freeze
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.outline import CROSSOVER, ArmOutline, EndpointOutline, Outline

from .demonstration import inference, people
from .waiting import Tell, wait_for_run

UNAIDED = replace(
    CROSSOVER,
    arms=CROSSOVER.arms[:1],
    washouts=(0,),
    endpoints=tuple(
        EndpointOutline(rank=rank, metric=metric, method="model")
        for rank, metric in (("primary", "sensitivity"), ("secondary", "specificity"))
    ),
)
# What the readers' page must not be told, and what belongs to the training of models alone.
LEFT_OUT = ("role", "mask", "levels", "synthetic")
SEED = 7
# Sizes of cohort and networks, as `python -m inference study` has them.
PRESETS = ("tiny", "ci", "small", "full")


@dataclass(frozen=True)
class Published:
    """One study; ``read`` is the role of its cases in the manifest, ``models`` the first of which assists."""

    key: str
    title: str
    question: str
    read: str
    models: tuple[str, ...]
    panel: str
    outline: Outline
    note: str


def showing(**shown: bool) -> Outline:
    """Two rounds, unaided and aided; what the model shows besides its probability."""
    aided = ArmOutline(label="Aided", code="aided", assistance="concurrent", shows_probability=True, **shown)
    return replace(CROSSOVER, arms=(CROSSOVER.arms[0], aided))


PUBLISHED: Mapping[str, Published] = {
    one.key: one
    for one in (
        Published(
            "s0",
            "S0 · Fresh vertebral fractures on lateral radiographs",
            "Do three networks find fresh fractures as well as two spine surgeons?",
            "control",
            ("s0-mobilenet", "s0-efficientnet", "s0-mnasnet"),
            "s0",
            UNAIDED,
            "After Li et al., Spine 2024. Two simulated surgeons read the control set unaided.",
        ),
        Published(
            "s1",
            "S1 · Benign or malignant vertebral fractures on MRI",
            "Does a network tell malignant from benign fractures as well as radiologists of three levels of training?",
            "control",
            ("s1-resnet50",),
            "s1",
            UNAIDED,
            # The final model was taught all 190 cases of the cross-validation, so it is asked about others.
            "After Yeh et al., Eur Spine J 2022. Three simulated radiologists read unaided 100 patients who were in no "
            "fold of the cross-validation.",
        ),
        Published(
            "s2",
            "S2 · Osteoporotic vertebral fractures and levels on radiographs",
            "Does a network that outlines fractures and names levels help readers?",
            "control",
            ("s2-multitask", "s2-single"),
            "demo",
            showing(shows_mask=True, shows_levels=True),
            "After Ryu et al., Comput Struct Biotechnol J 2023. The paper had no readers: simulated ones read here.",
        ),
        Published(
            "s3",
            "S3 · Acute vertebral fractures outlined on radiographs",
            "Does a network that outlines acute fractures help readers?",
            "control",
            ("s3-pfnet", "s3-attention-unet", "s3-basic-unet", "s3-segresnet"),
            "demo",
            showing(shows_mask=True, shows_heatmap=True),
            "After Zhang et al., Insights Imaging 2024. The paper had no readers: simulated ones read here.",
        ),
        Published(
            "s4",
            "S4 · Malignant or osteoporotic vertebral fractures on CT",
            "Does a network help senior and junior clinicians to tell malignant from osteoporotic fractures on CT?",
            "external",
            ("s4-25d", "s4-2d", "s4-3d"),
            "s4",
            # The heat maps do not point at the lesion more often than chance would: readers are not shown them.
            showing(),
            "After Huang et al., Spine 2025. Three simulated seniors and three juniors read twice, unaided and aided.",
        ),
    )
}
INSTRUCTIONS = "Decide whether the finding is present, then say how sure you are. All cases are synthetic. "


def load(*, key: str, folder: Path, preset: str, password: str, tell: Tell) -> Study:
    """The study of that key, loaded to the end of its stages; what is there already stays."""
    if key.lower() not in PUBLISHED:
        raise Refused(f"There is no study {key}; there are {', '.join(name.upper() for name in PUBLISHED)}.")
    plan, alice = PUBLISHED[key.lower()], people(password)
    if not (folder / "criteria.csv").is_file():
        tell(f"making the cohort of {key.upper()} and teaching its {len(plan.models)} models; this takes minutes")
        inference("study", plan.key, "--preset", preset, "--seed", str(SEED), "--out", str(folder), shown=True)
    study = make_study(plan, folder, alice, tell)
    for number, name in enumerate(plan.models):
        ask(study, folder / "models" / name / "1", alice, assists=number == 0 and len(plan.outline.arms) > 1)
    study.refresh_from_db()
    if study.phase == Study.Phase.DRAFT:
        freeze(study=study, by=alice)
        study.refresh_from_db()
    for run in runs_of(study):
        wait_for_run(run, tell)
    complete(plan, study, folder, password, alice)
    return study


def make_study(plan: Published, folder: Path, by: User, tell: Tell) -> Study:
    study = Study.objects.filter(title=plan.title, created_by=by, synthetic=True).first() or create_study(
        title=plan.title,
        question=plan.question,
        instructions=INSTRUCTIONS + plan.note,
        outline=plan.outline,
        synthetic=True,
        by=by,
    )
    present = set(study.enrolments.values_list("user__username", flat=True))
    for username, role in (("tess", Enrolment.Role.TRUTHER), ("stan", Enrolment.Role.STATISTICIAN)):
        if username not in present:
            enrol(study=study, username=username, role=role, by=by)
    if not study.cases.exists():
        cohort = folder / "cohort"
        content = rows_of((cohort / "manifest.csv").read_text(encoding="utf-8"), plan.read)
        tell(f"importing its cases: {plan.title}")
        imported = import_at_once(study=study, manifest=content, folder=cohort, by=by)
        if imported.phase != imported.Phase.DONE:
            raise Refused(f"The cases were not imported: {imported.message or imported.faults[:3]}")
    return study


def rows_of(manifest: str, role: str) -> bytes:
    """The cases of that role, without what only the training of models needs."""
    rows = list(csv.DictReader(io.StringIO(manifest)))
    columns = [name for name in rows[0] if name not in LEFT_OUT]
    out = io.StringIO()
    table = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(row for row in rows if row["role"] == role)
    return out.getvalue().encode()


def ask(study: Study, folder: Path, by: User, *, assists: bool) -> None:
    """Register the model and run it over the study's cases."""
    with (folder / "card.json").open("rb") as card, (folder / "weights.safetensors").open("rb") as weights:
        try:
            algorithm = register_algorithm(card=card, weights=weights, by=by)
        except Refused:
            # Registered by an earlier load.
            algorithm = Algorithm.objects.get(card__weights_sha256=sha256_in(folder), registered_by=by)
    if not runs_of(study).filter(algorithm=algorithm).exists():
        start_run(study=study, algorithm=algorithm, assists=assists, by=by)


def sha256_in(folder: Path) -> str:
    import json

    found: str = json.loads((folder / "card.json").read_text(encoding="utf-8"))["weights_sha256"]
    return found


def complete(plan: Published, study: Study, folder: Path, password: str, by: User) -> None:
    """Simulated readers read, the study is locked and analysed."""
    if study.phase == Study.Phase.FROZEN:
        if not study.external_sources.exists():
            content = simulated_answers(plan, study, folder)
            import_readings(
                study=study, content=content, name="simulated readers", source=Source(), by=by, simulated=True
            )
        open_reading(study=study, by=by)
    if study.phase == Study.Phase.OPEN:
        lock(study=study, password=password, reasons={}, by=by)
    if latest_run(study) is None:
        start_analysis(study=study, by=by)


def simulated_answers(plan: Published, study: Study, folder: Path) -> bytes:
    """Aided readers see what the site's own run of the first model answered."""
    shown, answers = folder / "site_predictions.csv", folder / "site_readings.csv"
    with shown.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["case", "probability"])
        first = next(run for run in runs_of(study) if run.algorithm.name == plan.models[0])
        out.writerows((row.case.label, row.prediction.probability) for row in predictions_in(first))
    words = ["readers", str(folder / "cohort" / "manifest.csv"), "--predictions", str(shown), "--panel", plan.panel]
    inference(*words, "--role", plan.read, "--seed", str(SEED), "--out", str(answers))
    return answers.read_bytes()
