import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.reading.answers import AnswersError, checked, storable
from readerstudy.reading.sight import Asked, Option

DECISION = Asked("decision", "decision", "Present?")
CONFIDENCE = Asked(
    "confidence", "confidence", "How sure?", minimum=0, maximum=100, agrees_with="decision", threshold=50
)
GRADE = Asked("grade", "choice", "Grade?", required=False, choices=(Option("mild", "Mild"), Option("severe", "Severe")))
HEIGHT = Asked("height", "number", "Height?", required=False, minimum=0.5)
NOTE = Asked("note", "text", "Note?", required=False)
QUESTIONS = (DECISION, CONFIDENCE, GRADE, HEIGHT, NOTE)
GOOD = {"decision": True, "confidence": 80}


def errors_of(**given: object) -> dict[str, str]:
    with pytest.raises(AnswersError) as raised:
        checked(GOOD | given, QUESTIONS)
    return raised.value.errors


def test_answers_come_back_in_the_order_of_the_questions_without_those_left_open() -> None:
    given = {"note": "", "height": None, "confidence": 80.0, "grade": "mild", "decision": True}
    assert list(checked(given, QUESTIONS).items()) == [("decision", True), ("confidence", 80), ("grade", "mild")]


@given(st.booleans(), st.integers(0, 100))
def test_the_confidence_agrees_with_the_decision_exactly_where_the_threshold_says(positive: bool, rating: int) -> None:
    answers = {"decision": positive, "confidence": rating}
    if positive == (rating >= 50):
        assert checked(answers, QUESTIONS) == answers
    else:
        with pytest.raises(AnswersError, match="decision needs a confidence"):
            checked(answers, QUESTIONS)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=0.5, max_value=1e14))
def test_a_number_is_stored_as_it_was_given(value: float) -> None:
    assert checked(GOOD | {"height": value}, QUESTIONS)["height"] == value


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("decision", None, "answer this"),
        ("decision", "yes", "yes or no"),
        ("decision", 1, "yes or no"),
        ("confidence", True, "a number"),
        ("confidence", "80", "a number"),
        ("confidence", 100.5, "from 0 to 100"),
        ("confidence", -1, "from 0 to 100"),
        ("confidence", 10**400, "from 0 to 100"),
        ("height", 0.25, "at 0.5 or above"),
        ("height", 10**400, "too large"),
        ("height", math.inf, "finite"),
        ("grade", "moderate", "offered"),
        ("grade", ["mild"], "offered"),
        ("note", 7, "text"),
        ("note", "x" * 4001, "4001"),
        ("note", "a\x00b", "cannot be stored"),
        ("note", "\ud800", "cannot be stored"),
        ("truth", True, "no question"),
    ],
)
def test_each_answer_that_does_not_fit_gets_its_sentence(key: str, value: object, sentence: str) -> None:
    errors = errors_of(**{key: value})
    assert list(errors) == [key]
    assert sentence in errors[key]


def test_all_faults_are_named_at_once() -> None:
    assert set(errors_of(decision=None, confidence=500, grade="?")) == {"decision", "confidence", "grade"}


def test_a_required_text_is_more_than_blanks() -> None:
    with pytest.raises(AnswersError, match="answer this"):
        checked({"note": "  \n"}, [Asked("note", "text", "Note?")])


@given(st.text())
def test_every_text_of_whole_characters_can_be_stored(words: str) -> None:
    assert storable(words) == ("\x00" not in words)
