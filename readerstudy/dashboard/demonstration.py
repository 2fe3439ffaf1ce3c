"""Two studies on synthetic radiographs, so that every page has content: one being read, one completed.

Each step looks whether it was done already, so that an interrupted load goes on where it was.
"""

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from readerstudy.accounts.actions import create_account, set_profile
from readerstudy.accounts.models import Seniority, User
from readerstudy.allocation.actions import draw
from readerstudy.allocation.queries import allocation_of
from readerstudy.audit.errors import Refused
from readerstudy.datasets.actions import lock
from readerstudy.predictions.actions import register_algorithm, start_run
from readerstudy.predictions.models import Algorithm, PredictionRun
from readerstudy.predictions.queries import predictions_in, runs_of
from readerstudy.reading.actions import import_readings, open_reading
from readerstudy.reading.external import Source
from readerstudy.reference.actions import import_at_once
from readerstudy.results.actions import start_run as start_analysis
from readerstudy.results.queries import latest_run
from readerstudy.studies.actions import create_study, enrol, freeze
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.outline import SITTING

from .waiting import Tell, wait_for_run

MODEL = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "model"
SEED = 2026
Role = Enrolment.Role
Phase = Study.Phase

# Pages keep the line ends of instructions, so a paragraph is one line here.
INSTRUCTIONS = "\n\n".join(
    (
        "Look at every vertebra from the upper to the lower edge of the film. Decide whether at least one vertebral "
        "body shows a compression fracture (height loss of 20 % or more), then say how sure you are.",
        "In half of the cases you also see what a model found; the decision stays yours. All films are synthetic.",
    )
)


@dataclass(frozen=True)
class Demonstration:
    title: str
    cases: int
    completed: bool


STUDIES = (
    Demonstration("Compression fractures on lateral radiographs (being read)", cases=24, completed=False),
    Demonstration("Compression fractures on lateral radiographs (completed)", cases=60, completed=True),
)


def load(*, folder: Path, password: str, tell: Tell) -> None:
    alice = people(password)
    if all(finished(plan, alice) for plan in STUDIES):
        return
    films = make_films(folder, max(plan.cases for plan in STUDIES), tell)
    algorithm = model(alice)
    studies = {plan: make_study(plan, films, algorithm, alice, tell) for plan in STUDIES}
    for plan, study in studies.items():
        wait_for_run(runs_of(study).get(), tell)
        complete(plan, study, folder, films, password, alice) if plan.completed else begin(study, alice)


def finished(plan: Demonstration, by: User) -> bool:
    study = study_of(plan, by)
    if study is None:
        return False
    return latest_run(study) is not None if plan.completed else study.phase == Phase.OPEN


def study_of(plan: Demonstration, by: User) -> Study | None:
    return Study.objects.filter(title=plan.title, created_by=by, synthetic=True).first()


def people(password: str) -> User:
    """Alice coordinates, Bob and Rita read, Tess sets the truth, Stan analyses."""
    alice = person("alice", "Alice", password, site_role=User.Site.COORDINATOR)
    for username, first_name, seniority in (
        ("bob", "Bob", Seniority.SENIOR),
        ("rita", "Rita", Seniority.JUNIOR),
        ("tess", "Tess", ""),
        ("stan", "Stan", ""),
    ):
        user = person(username, first_name, password)
        if seniority and not hasattr(user, "reader_profile"):
            years = 15 if seniority == Seniority.SENIOR else 2
            set_profile(user=user, seniority=seniority, specialty="Radiology", years_of_experience=years, by=user)
    return alice


def person(username: str, first_name: str, password: str, *, site_role: str = User.Site.MEMBER) -> User:
    known = User.objects.filter(username=username).first()
    if known is not None:
        return known
    return create_account(
        username=username, first_name=first_name, site_role=site_role, password=password, by=None
    ).user


def make_films(folder: Path, cases: int, tell: Tell) -> Path:
    """The manifest of the synthetic films; made once, in a process of its own."""
    manifest = folder / "manifest.csv"
    done = folder / "complete"
    if not done.exists():
        tell(f"making {cases} synthetic radiographs")
        inference(
            "phantoms", "films", "--cases", str(cases), "--seed", str(SEED), "--prefix", "D", "--out", str(folder)
        )
        done.touch()
    return manifest


def inference(*words: str, shown: bool = False) -> None:
    """A command of the models, in a process of its own; `shown`: what takes minutes says meanwhile how far it is."""
    ran = subprocess.run([sys.executable, "-m", "inference", *words], capture_output=not shown, text=True, check=False)
    if ran.returncode:
        why = "what it said stands above." if shown else ran.stderr.strip()[-500:]
        raise Refused(f"python -m inference {words[0]} failed: {why}")


def model(by: User) -> Algorithm:
    with (MODEL / "card.json").open("rb") as card, (MODEL / "weights.safetensors").open("rb") as weights:
        try:
            return register_algorithm(card=card, weights=weights, by=by)
        except Refused:
            # Registered by an earlier load.
            return Algorithm.objects.filter(registered_by=by).latest("registered_at")


def make_study(plan: Demonstration, films: Path, algorithm: Algorithm, by: User, tell: Tell) -> Study:
    study = study_of(plan, by) or create_study(
        title=plan.title,
        question="Does the model help senior and junior readers to find compression fractures on lateral radiographs?",
        instructions=INSTRUCTIONS,
        outline=SITTING,
        synthetic=True,
        by=by,
    )
    present = set(study.enrolments.values_list("user__username", flat=True))
    roles = {"tess": Role.TRUTHER, "stan": Role.STATISTICIAN}
    roles |= {} if plan.completed else {"bob": Role.READER, "rita": Role.READER}
    for username, role in roles.items():
        if username not in present:
            enrol(study=study, username=username, role=role, by=by)
    if not study.cases.exists():
        tell(f"importing {plan.cases} cases: {plan.title}")
        imported = import_at_once(study=study, manifest=first_rows(films, plan.cases), folder=films.parent, by=by)
        if imported.phase != imported.Phase.DONE:
            raise Refused(f"The demonstration's cases were not imported: {imported.message or imported.faults[:3]}")
    study.refresh_from_db()
    if study.phase == Phase.DRAFT:
        freeze(study=study, by=by)
        study.refresh_from_db()
    if not runs_of(study).exists():
        start_run(study=study, algorithm=algorithm, assists=True, by=by)
    return study


def first_rows(manifest: Path, cases: int) -> bytes:
    """Without what would give the fracture away to who looks at the cases' covariates; grade and level stay."""
    return b"".join(manifest.read_bytes().splitlines(keepends=True)[: cases + 1])


def begin(study: Study, by: User) -> None:
    if study.phase != Phase.FROZEN:
        return
    if allocation_of(study) is None:
        draw(study=study, by=by)
    open_reading(study=study, by=by)


def complete(plan: Demonstration, study: Study, folder: Path, films: Path, password: str, by: User) -> None:
    if study.phase == Phase.FROZEN:
        answers = simulated_answers(plan, study, folder, films)
        if not study.external_sources.exists():
            import_readings(
                study=study,
                content=answers.read_bytes(),
                name="simulated readers",
                source=Source(),
                by=by,
                simulated=True,
            )
        open_reading(study=study, by=by)
    if study.phase == Phase.OPEN:
        lock(study=study, password=password, reasons={}, by=by)
    if latest_run(study) is None:
        start_analysis(study=study, by=by)


def simulated_answers(plan: Demonstration, study: Study, folder: Path, films: Path) -> Path:
    predictions, manifest, answers = (folder / name for name in ("predictions.csv", "completed.csv", "answers.csv"))
    with predictions.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["case", "probability"])
        run: PredictionRun = runs_of(study).get()
        out.writerows((row.case.label, row.prediction.probability) for row in predictions_in(run))
    manifest.write_bytes(first_rows(films, plan.cases))
    words = ["readers", str(manifest), "--predictions", str(predictions), "--seed", str(SEED), "--out", str(answers)]
    inference(*words)
    return answers
