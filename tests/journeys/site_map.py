"""Studies in every state, and the address of every page of the site with somebody who may see it."""

from dataclasses import dataclass, replace
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from readerstudy.allocation.actions import draw
from readerstudy.cases.models import CaseImport
from readerstudy.datasets.actions import lock
from readerstudy.embedded.places import REPOSITORY
from readerstudy.predictions.actions import register_algorithm
from readerstudy.reading.actions import import_readings, open_reading, start_session
from readerstudy.reading.external import Source
from readerstudy.reading.submissions import Display
from readerstudy.reference.actions import appoint_adjudicator, give_opinion, import_at_once
from readerstudy.results import analysing
from readerstudy.results.actions import start_run
from readerstudy.studies.actions import enrol
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.outline import CROSSOVER, ArmOutline, Outline, RulesOutline
from tests.journeys.visits import real_passwords, real_people
from tests.models import write_films
from tests.readerstudy.reading.room import Hidden, open_room, prepared_room, read_slot
from tests.world import PASSWORD, People, client_of, make_study, person

MODEL = REPOSITORY / "fixtures" / "demo" / "model"
CROSSED = REPOSITORY / "fixtures" / "crossed" / "crossed.csv"
EVERYBODY = ("alice", "bob", "rita", "tess", "stan", "dev", "charlie", "ada")
TRUTHERS = ("ugo", "vera")
# Answers that are no pages: files, pixels, documents, and doors that only take what a form sends.
NO_PAGES = {
    "cases:frame", "cases:preview", "cases:document", "cases:thumbnail", "cases:confirm", "cases:resume", "cases:drop",
    "cases:replace", "predictions:retry", "predictions:offer", "predictions:heatmap", "predictions:mask",
    "allocation:slots", "predictions:output_document",
    "reference:appoint", "reference:desk", "reference:download", "reference:draft",
    "reading:case", "reading:frame", "reading:frames", "reading:heatmap", "reading:mask", "reading:draft",
    "reading:submit", "reading:output", "reading:revise", "reading:pause", "readings:open", "readings:confirm-import",
    "readings:ask-override", "readings:agree-override", "datasets:download", "results:start", "results:document",
    "results:table", "results:figure", "audit:chain", "studies:document", "studies:order_arm", "studies:remove_period",
    "studies:order_question", "studies:remove_endpoint", "accounts:password", "accounts:active",
    "mfa_generate_recovery_codes", "mfa_view_recovery_codes", "mfa_deactivate_totp", "mfa_authenticate",
    "mfa_reauthenticate", "set_language", "account_inactive", "account_reauthenticate", "account_login",
    "mfa_activate_totp",
    # Leads to the site's own log-in.
    "admin_login",
}  # fmt: skip


@dataclass(frozen=True)
class Stop:
    """One page: who looks at it, by which name of the resolver, and what it answers."""

    who: str
    name: str
    address: str
    status: int = 200


@dataclass
class Site:
    people: People
    draft: Study
    frozen: Study
    open: Study
    read: Study
    locked: Study
    trained: Study
    faulty: CaseImport
    checked: CaseImport
    algorithm: str


def make_site(folder: Path) -> Site:
    people = real_people(*EVERYBODY)
    with (MODEL / "card.json").open("rb") as card, (MODEL / "weights.safetensors").open("rb") as weights:
        algorithm = register_algorithm(card=card, weights=weights, by=people.dev)
    draft = make_study(people, title="A draft")
    frozen = make_study(people, phase=Study.Phase.FROZEN, title="Frozen, with films")
    manifest = write_films(folder / "films", 6).read_bytes()
    import_at_once(study=frozen, manifest=manifest, folder=folder / "films", by=people.alice)
    faulty = import_at_once(
        study=frozen, manifest=b"case,patient,file\nX,1,none.png\n", folder=folder / "films", by=people.alice
    )
    one_more = write_films(folder / "more", 1, seed=7).read_bytes().replace(b"F001,", b"G001,")
    checked = import_at_once(study=frozen, manifest=one_more, folder=folder / "more", by=people.alice, dry_run=True)
    judge(people, frozen)
    room = open_room(people)
    read, locked, trained = read_study(people), locked_study(people), trained_study(people)
    return Site(people, draft, frozen, room.study, read, locked, trained, faulty, checked, algorithm.token)


def judge(people: People, study: Study) -> None:
    """Two truthers, who do not agree on the first case; a third decides."""
    with real_passwords():
        for name in TRUTHERS:
            enrol(study=study, username=person(name).username, role=Enrolment.Role.TRUTHER, by=people.alice)
    first, second = study.cases.order_by("pk")[:2]
    for name, verdicts in (("tess", ("positive", "positive")), ("ugo", ("negative", "positive"))):
        truther = study.enrolments.select_related("user").get(user__username=name)
        assert truther.user is not None
        for case, verdict in zip((first, second), verdicts, strict=True):
            give_opinion(truther=truther, case=case, verdict=verdict, note="", by=truther.user)
    appoint_adjudicator(truther=study.enrolments.get(user__username="vera"), by=people.alice)


def read_study(people: People) -> Study:
    """One arm, one period, and Bob has read everything."""
    outline = Outline(CROSSOVER.arms[:1], (0,), CROSSOVER.questions, CROSSOVER.endpoints)
    labels = tuple(f"spine-{number}" for number in range(8))
    room = open_room(people, Hidden(labels=labels, order=(4, 5, 6, 7), algorithm="Other-net"), outline)
    for slot in room.slots("bob"):
        read_slot(client_of(people.bob), slot)
    return room.study


def trained_study(people: People) -> Study:
    """Bob has read everything, planned wrong output among it; Rita has failed the training."""
    arm = ArmOutline("Aided", "aided", "concurrent", shows_probability=True, sham_share=1)
    rules = RulesOutline(training_pass_mark=1, display_check=True)
    outline = replace(CROSSOVER, arms=(CROSSOVER.arms[0], arm), washouts=(0, 0), rules=rules)
    labels = tuple(f"spine-{number}" for number in range(12))
    hidden = Hidden((True,) * 4, (0.8,) * 4, labels, order=(8, 9, 10, 11), algorithm="Third-net")
    room = prepared_room(people, hidden, outline)
    draw(study=room.study, by=people.alice, training=("spine-8",))
    open_reading(study=room.study, by=people.alice)
    display = Display(2, 2, 2560, 1440, 1, "dim")
    for username, positive in (("bob", True), ("rita", False)):
        user = getattr(people, username)
        # A sitting does not outlast the log-in in which it began.
        client = client_of(user)
        for slot in room.slots(username):
            if username == "rita" and not slot.training:
                break
            start_session(reader=slot.reader, by=user, display=display)
            read_slot(client, slot, decision=positive, confidence=90 if positive else 10)
    return room.study


def locked_study(people: People) -> Study:
    study = make_study(people, phase=Study.Phase.FROZEN, title="Locked and analysed")
    for username in ("bob", "rita"):
        study.enrolments.filter(user__username=username).update(active=False)
    content = CROSSED.read_bytes()
    import_readings(study=study, content=content, name=CROSSED.name, source=Source(), by=people.alice, new_cases=True)
    open_reading(study=study, by=people.alice)
    # Django stores a password anew when it is checked under other settings than it was made.
    with real_passwords():
        lock(study=study, password=PASSWORD, reasons={}, by=people.alice)
    analysing.analyse(start_run(study=study, by=people.alice).token)
    return study


def stops(site: Site) -> list[Stop]:
    return [*site_stops(site), *protocol_stops(site), *stage_stops(site), *reader_stops(site), *refusals(site)]


def stop(who: str, name: str, *args: object) -> Stop:
    return Stop(who, name, reverse(name, args=args))


def site_stops(site: Site) -> list[Stop]:
    people = site.people
    home = [stop(who, "dashboard:home") for who in EVERYBODY]
    account = [stop("alice", name) for name in ("account_change_password", "mfa_index", "account_logout")]
    own = [stop("rita", "accounts:profile"), stop("ada", "accounts:people"), stop("bob", "dashboard:help")]
    return [
        *home,
        *account,
        *own,
        stop("ada", "accounts:account", people.bob.token),
        stop("alice", "accounts:people"),
        stop("dev", "algorithms:list"),
        stop("dev", "algorithms:card", site.algorithm),
    ]


def protocol_stops(site: Site) -> list[Stop]:
    draft, frozen = site.draft.token, site.frozen.token
    reader = site.draft.enrolments.get(user=site.people.bob).token
    of_draft = [
        ("protocol",), ("printed",), ("describe",), ("freeze",), ("add_arm",), ("edit_arm", "aided"), ("add_period",),
        ("edit_period", 2), ("edit_question", "confidence"), ("add_endpoint",), ("edit_endpoint", 1), ("people",),
        ("withdraw", reader), ("set_rules",),
        *(("add_question", kind) for kind in ("decision", "confidence", "choice", "number", "text", "choices", "grid")),
        *(("add_question", kind) for kind in ("level", "marks")),
    ]  # fmt: skip
    return [
        stop("alice", "studies:create"),
        *(stop("alice", f"studies:{name}", draft, *args) for name, *args in of_draft),
        *(stop("alice", f"studies:{name}", frozen) for name in ("protocol", "amend", "people", "printed")),
    ]


def stage_stops(site: Site) -> list[Stop]:
    """The stages in every state that the study goes through, for its coordinator, its statistician, its truther."""
    stages = ("cases:cases", "reference:reference", "predictions:runs", "allocation:allocation", "readings:progress",
              "datasets:data", "results:results", "results:truthers", "audit:events",
              "dashboard:overview")  # fmt: skip
    studies = (site.draft, site.frozen, site.open, site.locked)
    rounds = [stop("alice", stage, study.token) for study in studies for stage in stages]
    analyst = ("dashboard:overview", "studies:protocol", "readings:progress", "datasets:data", "results:results")
    run = site.open.prediction_runs.get()
    case = site.frozen.cases.order_by("pk")[0].token
    standard = site.frozen.standards.order_by("pk")[0].token
    return [
        *rounds,
        *(stop("stan", name, site.locked.token) for name in analyst),
        stop("alice", "cases:start", site.frozen.token),
        stop("alice", "cases:case", site.frozen.token, case),
        stop("alice", "cases:import", site.frozen.token, site.faulty.token),
        stop("alice", "cases:import", site.frozen.token, site.checked.token),
        stop("alice", "reference:standard", site.frozen.token, standard),
        stop("alice", "predictions:run", site.open.token, run.token),
        stop(
            "alice", "predictions:output", site.open.token, run.token, run.run_cases.order_by("pk")[0].prediction.token
        ),
        stop("alice", "readings:import", site.open.token),
        stop("alice", "readings:correct", site.open.token),
        stop("tess", "dashboard:overview", site.frozen.token),
        stop("tess", "reference:opinions", site.frozen.token),
        stop("tess", "reference:opinion", site.frozen.token, case),
        stop("vera", "reference:opinions", site.frozen.token),
        stop("vera", "reference:opinion", site.frozen.token, case),
    ]


def reader_stops(site: Site) -> list[Stop]:
    bob = site.open.enrolments.get(user=site.people.bob)
    first = bob.slots.order_by("period__number", "position")[0]
    return [
        stop("bob", "dashboard:overview", site.open.token),
        stop("bob", "reading:worklist"),
        stop("bob", "reading:start", bob.token),
        stop("bob", "reading:paused", bob.token),
        stop("bob", "reading:finished", site.read.enrolments.get(user=site.people.bob).token),
        stop("bob", "reading:read", first.token),
        stop("bob", "reading:display", bob.token),
        stop("rita", "reading:training", site.trained.enrolments.get(user=site.people.rita).token),
        stop("bob", "reading:debriefing", site.trained.enrolments.get(user=site.people.bob).token),
    ]


def refusals(site: Site) -> list[Stop]:
    results = reverse("results:results", args=[site.locked.token])
    return [
        Stop("charlie", "404", results, 404),
        Stop("alice", "404", "/nothing/here/", 404),
        Stop("bob", "403", reverse("allocation:allocation", args=[site.open.token]), 403),
    ]


def names_of_pages() -> set[str]:
    """Every named door of the resolver that answers a page to whoever opens it."""
    return {name for name in names_below(get_resolver()) if not name.startswith("admin:")} - NO_PAGES


def names_below(resolver: URLResolver, space: str = "") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            found += names_below(entry, f"{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern) and entry.name:
            found.append(f"{space}{entry.name}")
    return found
