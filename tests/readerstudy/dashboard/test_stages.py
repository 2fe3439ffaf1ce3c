"""From counts to sentences: the next step of each study, for each person."""

from dataclasses import replace

import pytest

from readerstudy.dashboard.stages import Counts, next_stage, phase_list, stages_of, step_for
from readerstudy.studies.models import Study

DRAFT = Counts()
FROZEN = replace(DRAFT, phase="frozen", protocol_version=1)
PEOPLED = replace(FROZEN, readers=2, truthers=1)
FILLED = replace(PEOPLED, cases=40)
TRUE = replace(FILLED, standards=1)
PREDICTED = replace(TRUE, runs=1, assisting_cases=40, assisting_done=40)
DRAWN = replace(PREDICTED, allocated=True, slots=160)
OPEN = replace(DRAWN, phase="open", submitted=12)
READ = replace(OPEN, submitted=160)
LOCKED = replace(READ, phase="locked")
ANALYSED = replace(LOCKED, analyses=1)


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (replace(DRAFT, gaps=("State the clinical question.",)), "State the clinical question."),
        (DRAFT, "Look the protocol over and freeze it."),
        (FROZEN, "Enrol the readers."),
        (PEOPLED, "Import cases with their manifest."),
        (replace(FILLED, importing=1), "Wait for the import, or look at it."),
        (FILLED, "Set the reference standard."),
        (TRUE, "Run the algorithm over the cases."),
        (replace(PREDICTED, assisting_done=39), "Wait until every case is predicted."),
        (PREDICTED, "Draw the allocation."),
        (DRAWN, "Open reading."),
        (OPEN, "Readers read; watch their progress."),
        (READ, "Check that the data are complete, and lock them."),
        (LOCKED, "Run the frozen analysis plan."),
        (ANALYSED, "Nothing is left to do: the study is complete."),
    ],
)
def test_the_coordinator_is_led_along_the_whole_way(counts: Counts, sentence: str) -> None:
    assert step_for("coordinator", counts, left=0).sentence == sentence


def test_stages_stand_in_the_order_of_the_data() -> None:
    names = [stage.name for stage in stages_of(DRAFT)]
    assert names == [
        "Protocol",
        "People",
        "Cases",
        "Reference",
        "Predictions",
        "Allocation",
        "Reading",
        "Data set",
        "Results",
    ]
    assert next_stage(stages_of(ANALYSED)) is None


def test_a_study_of_answers_given_elsewhere_is_never_sent_back_to_predictions() -> None:
    imported = replace(TRUE, phase="locked", slots=800, external_slots=800, submitted=800, analyses=1)
    assert step_for("coordinator", imported, left=0).sentence == "Nothing is left to do: the study is complete."
    assert step_for("coordinator", replace(imported, analyses=0), left=0).sentence == "Run the frozen analysis plan."


def test_a_study_without_an_aided_arm_needs_no_predictions() -> None:
    assert step_for("coordinator", replace(TRUE, aided=False), left=0).sentence == "Draw the allocation."


def test_imported_answers_need_no_draw() -> None:
    imported = replace(TRUE, aided=False, slots=800, external_slots=800)
    assert step_for("coordinator", imported, left=0).sentence == "Open reading."


@pytest.mark.parametrize(
    ("phase", "left", "sentence"),
    [
        ("draft", 0, "Reading has not opened yet."),
        ("frozen", 5, "Reading has not opened yet."),
        ("open", 5, "Go on reading."),
        ("open", 0, "You have read everything. Thank you."),
        ("locked", 0, "Reading is over. Thank you."),
    ],
)
def test_a_reader_hears_of_their_own_work_only(phase: str, left: int, sentence: str) -> None:
    assert step_for("reader", Counts(phase=phase), left=left).sentence == sentence


def test_truthers_and_statisticians_have_their_own_steps() -> None:
    assert step_for("truther", FILLED, left=1).sentence == "Give your opinion on 1 case."
    assert step_for("truther", FILLED, left=1200).sentence == "Give your opinion on 1 200 cases."
    assert step_for("truther", LOCKED, left=3).folder is None
    assert step_for("statistician", OPEN, left=0).sentence == "Results can be computed when the data set is locked."
    assert step_for("statistician", LOCKED, left=0).folder == "results/"


def test_phases_are_those_of_the_model_and_one_is_current() -> None:
    assert [label for label, _ in phase_list("open")] == [str(label) for label in Study.Phase.labels]
    assert [current for _, current in phase_list("open")] == [False, False, True, False]
