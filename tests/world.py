"""The people of the tests, and studies in every state; all of it made by the actions that pages use."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from inference.prediction import Plane
from inference.prediction import Prediction as Outcome
from readerstudy.accounts.actions import create_account, set_profile
from readerstudy.accounts.models import Seniority, User
from readerstudy.allocation.actions import draw
from readerstudy.allocation.models import Slot
from readerstudy.cases.models import CaseImport
from readerstudy.datasets.actions import lock
from readerstudy.predictions import working
from readerstudy.predictions.actions import register_algorithm, start_run
from readerstudy.predictions.models import Algorithm, PredictionRun
from readerstudy.reading.actions import ask_washout_override, open_reading, open_slot, submit
from readerstudy.reading.submissions import Submission
from readerstudy.reference.actions import import_at_once
from readerstudy.results.actions import start_run as start_analysis
from readerstudy.studies import actions
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.outline import CROSSOVER, Outline
from tests.models import trained_model, write_films
from tests.planes import spot

PASSWORD = "correct-horse-battery-staple"
Role = Enrolment.Role


def person(username: str, *, site_role: str = User.Site.MEMBER, seniority: str = "") -> User:
    made = create_account(
        username=username, first_name=username.capitalize(), site_role=site_role, password=PASSWORD, by=None
    )
    if seniority:
        set_profile(user=made.user, seniority=seniority, specialty="radiology", years_of_experience=5, by=made.user)
    return made.user


@dataclass
class People:
    """Made when first asked for: most tests need two or three of them."""

    @cached_property
    def alice(self) -> User:
        """Coordinates."""
        return person("alice", site_role=User.Site.COORDINATOR)

    @cached_property
    def bob(self) -> User:
        """Reads; senior."""
        return person("bob", seniority=Seniority.SENIOR)

    @cached_property
    def rita(self) -> User:
        """Reads; junior."""
        return person("rita", seniority=Seniority.JUNIOR)

    @cached_property
    def tess(self) -> User:
        """Sets the truth."""
        return person("tess")

    @cached_property
    def stan(self) -> User:
        """Analyses."""
        return person("stan")

    @cached_property
    def dev(self) -> User:
        """Brings models."""
        return person("dev", site_role=User.Site.DEVELOPER)

    @cached_property
    def charlie(self) -> User:
        """A stranger: coordinates, but not this study."""
        return person("charlie", site_role=User.Site.COORDINATOR)

    @cached_property
    def ada(self) -> User:
        """Administers the site."""
        return person("ada", site_role=User.Site.ADMINISTRATOR)


def make_study(
    people: People,
    *,
    phase: str = Study.Phase.DRAFT,
    outline: Outline = CROSSOVER,
    title: str = "Compression fractures",
) -> Study:
    """A study of Alice with Bob and Rita as readers, Tess as truther, Stan as statistician.

    Draft or frozen: what comes after needs cases, which stand in later stages.
    """
    study = actions.create_study(
        title=title,
        question="Does the model help readers to find compression fractures?",
        instructions="Look at every vertebra. Decide first, then say how sure you are.",
        outline=outline,
        by=people.alice,
    )
    for user, role in (
        (people.bob, Role.READER),
        (people.rita, Role.READER),
        (people.tess, Role.TRUTHER),
        (people.stan, Role.STATISTICIAN),
    ):
        actions.enrol(study=study, username=user.username, role=role, by=people.alice)
    if phase != Study.Phase.DRAFT:
        assert phase == Study.Phase.FROZEN
        actions.freeze(study=study, by=people.alice)
    return study


def client_of(user: User) -> Client:
    """A browser in which this person is logged in."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def close_audit() -> None:
    """From here to the end of the transaction no event can be written: actions must fall with their event."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_event ADD CONSTRAINT audit_is_closed CHECK (false) NOT VALID")


def with_films(study: Study, manifest: Path, *, by: User) -> None:
    """The films of a manifest become cases of the study, with their truth, through the import."""
    done = import_at_once(study=study, manifest=manifest.read_bytes(), folder=manifest.parent, by=by)
    assert done.phase == CaseImport.Phase.DONE, done.faults or done.message


@dataclass
class Site:
    """Two studies that know nothing of each other: Alice's is being read, Carla's is locked."""

    people: People
    charlie: User
    dev: User
    ada: User
    carla: User
    rolf: User
    study: Study
    run: PredictionRun
    other: Study


def make_site(folder: Path) -> Site:
    """Bob has read period 1 and waits out the washout, which Stan asks to cut short; Rita has one case open."""
    people = People()
    carla = person("carla", site_role=User.Site.COORDINATOR)
    rolf = person("rolf", seniority=Seniority.SENIOR)
    study = make_study(people, phase=Study.Phase.FROZEN)
    with_films(study, write_films(folder, 6, films_per_patient=1), by=people.alice)
    run = with_predictions(study, by=people.alice)
    draw(study=study, by=people.alice)
    open_reading(study=study, by=people.alice)
    for slot in slots_of(study, "bob").filter(period__number=1):
        read_case(slot, by=people.bob)
    open_slot(slot=slots_of(study, "rita")[0], by=people.rita)
    ask_washout_override(slot=slots_of(study, "bob").filter(period__number=2)[0], reason="A trial.", by=people.stan)
    strangers = (people.charlie, people.dev, people.ada, carla, rolf)
    return Site(people, *strangers, study, run, make_locked_study(carla, rolf, folder / "other"))


def with_predictions(study: Study, *, by: User) -> PredictionRun:
    """The small model, run over the study, with its answers recorded as a worker sends them."""
    model = trained_model()
    with (model / "card.json").open("rb") as card, (model / "weights.safetensors").open("rb") as weights:
        algorithm = Algorithm.objects.first() or register_algorithm(card=card, weights=weights, by=by)
    run = start_run(study=study, algorithm=algorithm, assists=True, by=by)
    threshold = algorithm.card["spec"]["decision"]["threshold"]
    for number, row in enumerate(run.run_cases.select_related("prediction").order_by("case__label")):
        probability = round(0.1 + 0.1 * number, 6)
        said = Outcome(
            probability=probability,
            positive=probability >= threshold,
            operating_point=threshold,
            card_digest=algorithm.digest,
            input_digest=row.prediction.input_digest,
            heatmaps=(Plane.of(spot()),),
        )
        assert working.record(row.prediction.token, "", said.to_message())
    return run


def slots_of(study: Study, username: str) -> QuerySet[Slot]:
    own = Slot.objects.filter(reader__study=study, reader__user__username=username)
    return own.select_related("reader__study", "arm", "period", "case").order_by("period__number", "position")


def read_case(slot: Slot, *, by: User, positive: bool = True) -> None:
    open_slot(slot=slot, by=by)
    answers: dict[str, object] = {"decision": positive, "confidence": 80 if positive else 20}
    sent = Submission(client_key=uuid4(), answers=answers, happenings=(), duration_ms=0, exposures=())
    submit(slot=slot, submission=sent, by=by)


def make_locked_study(coordinator: User, reader: User, folder: Path) -> Study:
    """Read by one reader, locked, with a run of its plan that waits for a worker."""
    study = actions.create_study(title="Another study", question="Does it help there?", by=coordinator)
    actions.enrol(study=study, username=reader.username, role=Role.READER, by=coordinator)
    with_films(study, write_films(folder, 4, seed=9, films_per_patient=1), by=coordinator)
    actions.freeze(study=study, by=coordinator)
    with_predictions(study, by=coordinator)
    draw(study=study, by=coordinator)
    open_reading(study=study, by=coordinator)
    for slot in slots_of(study, reader.username).filter(period__number=1):
        read_case(slot, by=reader)
    code = study.enrolments.get(user=reader).code
    lock(study=study, password=PASSWORD, reasons={code: "One period only."}, by=coordinator)
    start_analysis(study=study, by=coordinator)
    return study
