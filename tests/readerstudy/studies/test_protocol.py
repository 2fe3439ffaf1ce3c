"""The frozen documents: what their digest covers, what they must contain, how two of them differ."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.plan import plan_from_dict
from readerstudy.studies.protocol import differences, digest, gaps, plan_document, protocol_document, text_of

UNAIDED = {
    "code": "unaided",
    "label": "Unaided",
    "assistance": "none",
    "shows_probability": False,
    "shows_heatmap": False,
}
AIDED = {
    "code": "aided",
    "label": "Aided",
    "assistance": "concurrent",
    "shows_probability": True,
    "shows_heatmap": False,
}
DECISION = {"key": "decision", "kind": "decision", "text": "Fracture?", "choices": []}
CONFIDENCE = {"key": "sure", "kind": "confidence", "text": "How sure?", "minimum": 0.0, "maximum": 100.0, "choices": []}
GRID = {"key": "f", "kind": "grid", "text": "Features?", "choices": [{}, {}], "items": [{}]}
PRIMARY = {"rank": "primary", "metric": "auc", "method": "mrmc", "margin": None}
SECONDARY = {"rank": "secondary", "metric": "sensitivity", "method": "per_reader", "margin": None}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(-1e9, 1e9)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcäß语", max_size=5), inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), json_values, max_size=5)


def protocol(**changes: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "study": {"title": "T", "question": "Q?", "instructions": ""},
        "arms": [UNAIDED, AIDED],
        "periods": [{"number": 1, "washout_days": 0}, {"number": 2, "washout_days": 28}],
        "questions": [DECISION, CONFIDENCE],
    }
    return protocol_document(**(parts | changes))


def missing(endpoints: list[dict[str, Any]], **changes: Any) -> list[str]:
    document = protocol(**changes)
    return gaps(document, plan_document(document, endpoints))


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(list(value))}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


@given(documents)
def test_digest_does_not_depend_on_the_order_of_keys(document: dict[str, Any]) -> None:
    assert digest(shuffled(document)) == digest(document)


@given(documents)
def test_digest_survives_a_round_trip_through_json(document: dict[str, Any]) -> None:
    assert digest(json.loads(text_of(document))) == digest(document)


@given(documents, documents)
def test_two_documents_have_one_digest_exactly_when_they_do_not_differ(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    one_text, other_text = text_of(one), text_of(other)
    assert (digest(one) == digest(other)) == (one_text == other_text)
    assert differences(one, one) == []


def test_digest_is_the_sha256_of_the_canonical_text() -> None:
    document = {"b": 28.0, "a": ["ü", 0.5, None, True]}
    assert text_of(document) == '{"a":["ü",0.5,null,true],"b":28}'
    assert digest(document) == hashlib.sha256('{"a":["ü",0.5,null,true],"b":28}'.encode()).hexdigest()


def test_whole_numbers_are_one_number_however_the_database_returns_them() -> None:
    assert digest({"minimum": 0.0}) == digest({"minimum": 0})
    assert digest({"minimum": 0.5}) != digest({"minimum": 0})
    assert digest({"required": True}) != digest({"required": 1})


def test_a_complete_protocol_has_no_gaps() -> None:
    assert missing([PRIMARY, SECONDARY]) == []


@pytest.mark.parametrize(
    ("changes", "endpoints", "sentence"),
    [
        ({"study": {"title": "T", "question": " ", "instructions": ""}}, [PRIMARY], "State the clinical question."),
        ({"arms": []}, [PRIMARY], "Add at least one arm in which readers read."),
        ({"arms": [AIDED]}, [PRIMARY], "The arm “Aided” is aided; add an unaided arm to compare it with."),
        (
            {"arms": [AIDED, UNAIDED]},
            [PRIMARY],
            "Put an unaided arm first: differences are later arm minus first arm.",
        ),
        ({"periods": []}, [PRIMARY], "Add at least one period."),
        ({}, [SECONDARY], "Name exactly one primary endpoint; there are 0."),
        ({}, [PRIMARY, PRIMARY], "Name exactly one primary endpoint; there are 2."),
        ({"questions": [DECISION]}, [PRIMARY], "The area under the ROC curve needs a confidence question."),
        (
            {"questions": [CONFIDENCE]},
            [PRIMARY, SECONDARY],
            "Sensitivity and specificity need a decision question.",
        ),
        (
            {"questions": [DECISION, CONFIDENCE, {"key": "g", "kind": "choice", "text": "Grade?", "choices": [{}]}]},
            [PRIMARY],
            "The question “Grade?” needs at least two choices.",
        ),
        (
            {"questions": [DECISION, CONFIDENCE, GRID | {"choices": []}]},
            [PRIMARY],
            "The question “Features?” needs at least two choices.",
        ),
        (
            {"questions": [DECISION, CONFIDENCE, GRID | {"items": []}]},
            [PRIMARY],
            "The grid “Features?” needs at least one row.",
        ),
    ],
)
def test_each_gap_is_named_alone(changes: dict[str, Any], endpoints: list[dict[str, Any]], sentence: str) -> None:
    assert missing(endpoints, **changes) == [sentence]


def test_without_questions_nothing_can_be_analysed() -> None:
    assert missing([PRIMARY], questions=[]) == [
        "Add a decision or a confidence question; without one there is nothing to analyse.",
        "The area under the ROC curve needs a confidence question.",
    ]


def test_the_plan_is_one_that_the_analysis_accepts() -> None:
    plan = plan_from_dict(plan_document(protocol(), [PRIMARY, SECONDARY])["analysis"])
    assert plan.comparisons == (("unaided", "aided"),)
    assert (plan.primary.analysis, plan.primary.figure) == ("obuchowski-rockette", "auc")
    assert [(row.analysis, row.figure) for row in plan.secondary] == [("mcnemar per reader", "sensitivity")]


def test_differences_name_the_place_in_words() -> None:
    changed = differences(protocol(), protocol(questions=[DECISION, CONFIDENCE | {"text": "Certain?"}]))
    assert [(row.where, row.old, row.new) for row in changed] == [("questions 2 › text", "How sure?", "Certain?")]


def test_an_added_part_is_a_difference_from_nothing() -> None:
    (change,) = differences({"list": []}, {"list": ["new"]})
    assert (change.where, change.old, change.new) == ("list 1", "", "new")
