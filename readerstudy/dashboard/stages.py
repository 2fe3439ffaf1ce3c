"""The way of a study as sentences: from counts to the state of each stage and the one next step."""

from collections.abc import Iterator
from dataclasses import dataclass, field


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


def many(count: int, one: str, several: str = "") -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}".replace(",", " ")


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
    if counts.phase != "draft":
        return Stage("Protocol", "protocol/", True, f"Frozen; version {counts.protocol_version} is in force.", "")
    if counts.gaps:
        missing = many(len(counts.gaps), "thing is", "things are")
        return Stage("Protocol", "protocol/", False, f"Draft; {missing} missing.", f"{counts.gaps[0]}")
    return Stage("Protocol", "protocol/", False, "Draft; complete.", "Look the protocol over and freeze it.")


def people(counts: Counts) -> Stage:
    sentence = f"{many(counts.readers, 'reader')}, {many(counts.truthers, 'truther')}."
    return Stage("People", "people/", counts.readers > 0, sentence, "Enrol the readers.")


def cases(counts: Counts) -> Stage:
    sentence = f"{many(counts.cases, 'case')}." if counts.cases else "No cases yet."
    if counts.importing:
        return Stage(
            "Cases", "cases/", False, f"{sentence} An import is under way.", "Wait for the import, or look at it."
        )
    return Stage("Cases", "cases/", counts.cases > 0, sentence, "Import cases with their manifest.")


def reference(counts: Counts) -> Stage:
    sentence = f"Version {counts.standards} is in force." if counts.standards else "No reference standard yet."
    return Stage("Reference", "reference/", counts.standards > 0, sentence, "Set the reference standard.")


def predictions(counts: Counts) -> Stage:
    name, folder = "Predictions", "predictions/"
    if not counts.aided:
        return Stage(name, folder, True, f"No arm is aided; {many(counts.runs, 'run')}.", "")
    if not counts.assisting_cases and counts.phase in ("open", "locked"):
        return Stage(name, folder, True, "None; the answers were given elsewhere.", "")
    if not counts.assisting_cases:
        return Stage(name, folder, False, "No run assists the aided arm yet.", "Run the algorithm over the cases.")
    done = counts.assisting_done >= counts.assisting_cases
    sentence = f"{counts.assisting_done} of {many(counts.assisting_cases, 'case')} predicted."
    return Stage(name, folder, done, sentence, "Wait until every case is predicted.")


def allocation(counts: Counts) -> Stage:
    name, folder = "Allocation", "allocation/"
    if counts.allocated:
        return Stage(name, folder, True, f"Drawn once: {many(counts.slots - counts.external_slots, 'reading')}.", "")
    if counts.external_slots:
        return Stage(name, folder, True, "Not drawn; the answers were given elsewhere.", "")
    return Stage(name, folder, False, "Not drawn yet.", "Draw the allocation.")


def reading(counts: Counts) -> Stage:
    name, folder = "Reading", "readings/"
    if counts.phase in ("draft", "frozen"):
        return Stage(name, folder, False, "Not open yet.", "Open reading.")
    done = counts.phase == "locked" or 0 < counts.slots == counts.submitted
    sentence = f"{counts.submitted} of {many(counts.slots, 'reading')} submitted."
    return Stage(name, folder, done, sentence, "Readers read; watch their progress.")


def dataset(counts: Counts) -> Stage:
    locked = counts.phase == "locked"
    sentence = "Locked and signed." if locked else "Not locked yet."
    return Stage("Data set", "data/", locked, sentence, "Check that the data are complete, and lock them.")


def results(counts: Counts) -> Stage:
    sentence = (
        f"{many(counts.analyses, 'analysis', 'analyses')} of the locked data." if counts.analyses else "None yet."
    )
    return Stage("Results", "results/", counts.analyses > 0, sentence, "Run the frozen analysis plan.")


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
            return Step(stage.step, stage.folder) if stage else Step("Nothing is left to do: the study is complete.")
        case "reader":
            return step_of_reader(counts.phase, left)
        case "truther":
            return step_of_truther(counts, left)
    if counts.phase != "locked":
        return Step("Results can be computed when the data set is locked.", "protocol/")
    return Step("Look at the results." if counts.analyses else "Run the frozen analysis plan.", "results/")


def step_of_reader(phase: str, left: int) -> Step:
    if phase in ("draft", "frozen"):
        return Step("Reading has not opened yet.")
    if phase == "locked":
        return Step("Reading is over. Thank you.")
    return Step("Go on reading." if left else "You have read everything. Thank you.")


def step_of_truther(counts: Counts, left: int) -> Step:
    if counts.phase == "locked":
        return Step("The study is locked; the reference standard stays as it is.")
    return Step(
        f"Give your opinion on {many(left, 'case')}." if left else "You have given all your opinions.", "reference/"
    )


def phase_list(phase: str) -> Iterator[tuple[str, bool]]:
    """The phases of a study in words, and which one it is in."""
    for name, label in (
        ("draft", "Draft"),
        ("frozen", "Protocol frozen"),
        ("open", "Reading open"),
        ("locked", "Locked"),
    ):
        yield label, name == phase
