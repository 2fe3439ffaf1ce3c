"""The way of a study as sentences: from counts to the state of each stage and the one next step."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True)
class Counts:
    """What there is of a study. No truth, no answer, no model output stands in it."""

    phase: str = "draft"
    gaps: tuple[str, ...] = ()
    protocol_version: int = 0
    readers: int = 0
    truthers: int = 0
    cases: int = 0
    importing: int = 0
    standards: int = 0
    aided: bool = True
    runs: int = 0
    assisting_cases: int = 0
    assisting_done: int = 0
    allocated: bool = False
    slots: int = 0
    external_slots: int = 0
    submitted: int = 0
    analyses: int = 0


@dataclass(frozen=True)
class Stage:
    name: str
    folder: str
    done: bool
    sentence: str
    step: str = field(metadata={"meaning": "what to do here while it is not done"})


def figure(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def stages_of(counts: Counts) -> list[Stage]:
    return [
        protocol(counts),
        people(counts),
        cases(counts),
        reference(counts),
        predictions(counts),
        allocation(counts),
        reading(counts),
        dataset(counts),
        results(counts),
    ]


def next_stage(stages: list[Stage]) -> Stage | None:
    return next((stage for stage in stages if not stage.done), None)


def protocol(counts: Counts) -> Stage:
    name, folder = _("Protocol"), "protocol/"
    if counts.phase != "draft":
        sentence = _("Frozen; version %(version)s is in force.") % {"version": counts.protocol_version}
        return Stage(name, folder, True, sentence, "")
    if counts.gaps:
        number = len(counts.gaps)
        missing = ngettext("Draft; %(number)s thing is missing.", "Draft; %(number)s things are missing.", number)
        return Stage(name, folder, False, missing % {"number": number}, f"{counts.gaps[0]}")
    return Stage(name, folder, False, _("Draft; complete."), _("Look the protocol over and freeze it."))


def people(counts: Counts) -> Stage:
    sentence = _("Readers: %(readers)s, truthers: %(truthers)s.") % {
        "readers": figure(counts.readers),
        "truthers": figure(counts.truthers),
    }
    return Stage(_("People"), "people/", counts.readers > 0, sentence, _("Enrol the readers."))


def cases(counts: Counts) -> Stage:
    name, folder, sentence = _("Cases"), "cases/", _("No cases yet.")
    if counts.cases:
        sentence = ngettext("%(number)s case.", "%(number)s cases.", counts.cases) % {"number": figure(counts.cases)}
    if counts.importing:
        sentence = _("%(cases)s An import is under way.") % {"cases": sentence}
        return Stage(name, folder, False, sentence, _("Wait for the import, or look at it."))
    return Stage(name, folder, counts.cases > 0, sentence, _("Import cases with their manifest."))


def reference(counts: Counts) -> Stage:
    sentence = _("No reference standard yet.")
    if counts.standards:
        sentence = _("Version %(version)s is in force.") % {"version": counts.standards}
    return Stage(_("Reference"), "reference/", counts.standards > 0, sentence, _("Set the reference standard."))


def predictions(counts: Counts) -> Stage:
    name, folder = _("Predictions"), "predictions/"
    if not counts.aided:
        sentence = ngettext("No arm is aided; %(number)s run.", "No arm is aided; %(number)s runs.", counts.runs)
        return Stage(name, folder, True, sentence % {"number": counts.runs}, "")
    if not counts.assisting_cases and counts.phase in ("open", "locked"):
        return Stage(name, folder, True, _("None; the answers were given elsewhere."), "")
    if not counts.assisting_cases:
        step = _("Run the algorithm over the cases.")
        return Stage(name, folder, False, _("No run assists the aided arm yet."), step)
    done = counts.assisting_done >= counts.assisting_cases
    sentence = ngettext(
        "%(done)s of %(number)s case predicted.", "%(done)s of %(number)s cases predicted.", counts.assisting_cases
    ) % {"done": figure(counts.assisting_done), "number": figure(counts.assisting_cases)}
    return Stage(name, folder, done, sentence, _("Wait until every case is predicted."))


def allocation(counts: Counts) -> Stage:
    name, folder = _("Allocation"), "allocation/"
    if counts.allocated:
        drawn = counts.slots - counts.external_slots
        sentence = ngettext("Drawn once: %(number)s reading.", "Drawn once: %(number)s readings.", drawn)
        return Stage(name, folder, True, sentence % {"number": figure(drawn)}, "")
    if counts.external_slots:
        return Stage(name, folder, True, _("Not drawn; the answers were given elsewhere."), "")
    return Stage(name, folder, False, _("Not drawn yet."), _("Draw the allocation."))


def reading(counts: Counts) -> Stage:
    name, folder = _("Reading"), "readings/"
    if counts.phase in ("draft", "frozen"):
        return Stage(name, folder, False, _("Not open yet."), _("Open reading."))
    done = counts.phase == "locked" or 0 < counts.slots == counts.submitted
    sentence = ngettext(
        "%(done)s of %(number)s reading submitted.", "%(done)s of %(number)s readings submitted.", counts.slots
    ) % {"done": figure(counts.submitted), "number": figure(counts.slots)}
    return Stage(name, folder, done, sentence, _("Readers read; watch their progress."))


def dataset(counts: Counts) -> Stage:
    locked = counts.phase == "locked"
    sentence = _("Locked and signed.") if locked else _("Not locked yet.")
    return Stage(_("Data set"), "data/", locked, sentence, _("Check that the data are complete, and lock them."))


def results(counts: Counts) -> Stage:
    sentence = _("None yet.")
    if counts.analyses:
        sentence = ngettext(
            "%(number)s analysis of the locked data.", "%(number)s analyses of the locked data.", counts.analyses
        ) % {"number": counts.analyses}
    return Stage(_("Results"), "results/", counts.analyses > 0, sentence, _("Run the frozen analysis plan."))


@dataclass(frozen=True)
class Step:
    """What one person does next in one study, and where."""

    sentence: str
    folder: str | None = None


def step_for(role: str, counts: Counts, *, left: int) -> Step:
    """`left`: what this person has not done yet, readings of a reader or opinions of a truther."""
    match role:
        case "coordinator":
            stage = next_stage(stages_of(counts))
            return Step(stage.step, stage.folder) if stage else Step(_("Nothing is left to do: the study is complete."))
        case "reader":
            return step_of_reader(counts.phase, left)
        case "truther":
            return step_of_truther(counts, left)
    if counts.phase != "locked":
        return Step(_("Results can be computed when the data set is locked."), "protocol/")
    return Step(_("Look at the results.") if counts.analyses else _("Run the frozen analysis plan."), "results/")


def step_of_reader(phase: str, left: int) -> Step:
    if phase in ("draft", "frozen"):
        return Step(_("Reading has not opened yet."))
    if phase == "locked":
        return Step(_("Reading is over. Thank you."))
    return Step(_("Go on reading.") if left else _("You have read everything. Thank you."))


def step_of_truther(counts: Counts, left: int) -> Step:
    if counts.phase == "locked":
        return Step(_("The study is locked; the reference standard stays as it is."))
    asked = ngettext("Give your opinion on %(number)s case.", "Give your opinion on %(number)s cases.", left)
    return Step(asked % {"number": figure(left)} if left else _("You have given all your opinions."), "reference/")


def phase_list(phase: str) -> Iterator[tuple[str, bool]]:
    """The phases of a study in words, and which one it is in."""
    for name, label in (
        ("draft", _("Draft")),
        ("frozen", _("Protocol frozen")),
        ("open", _("Reading open")),
        ("locked", _("Locked")),
    ):
        yield label, name == phase
