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


# Scales of points, several choices, grids, marks, branches

BI_RADS = Asked("birads", "confidence", "Category?", minimum=1, maximum=6, scale="points")
SIGNS = Asked(
    "signs", "choices", "Signs?", required=False, choices=(Option("cleft", "Cleft"), Option("oedema", "Oedema"))
)
GRADES = tuple(Option(str(grade), str(grade)) for grade in range(4))
ROWS = (Option("t12", "T12"), Option("l1", "L1"))
GENANT = Asked("genant", "grid", "Grade?", items=ROWS, choices=GRADES)
FROC = Asked("froc", "marks", "Where?", minimum=1, maximum=5)
LEVEL = Asked("level", "level", "Which?", choices=ROWS, depends_on="decision", depends_on_values=(True,))
PLACE = {"image": 1, "x": 3.25, "y": 2, "rating": 4}


@pytest.mark.parametrize(
    ("question", "value", "stored"),
    [
        (BI_RADS, 4.0, 4),
        (SIGNS, ["oedema", "cleft"], ["cleft", "oedema"]),
        (GENANT, {"l1": "3", "t12": "0"}, {"t12": "0", "l1": "3"}),
        (FROC, [PLACE], [PLACE]),
        (FROC, [], []),
        (FROC, None, []),
    ],
)
def test_answers_of_every_kind_are_stored_in_one_form(question: Asked, value: object, stored: object) -> None:
    assert checked({question.key: value}, [question], [(10, 10)]) == {question.key: stored}


@pytest.mark.parametrize(
    ("question", "value", "sentence"),
    [
        (BI_RADS, 2.5, "points of the scale"),
        (BI_RADS, 7, "from 1 to 6"),
        (SIGNS, ["cleft", "cleft"], "once"),
        (SIGNS, "cleft", "among the answers"),
        (SIGNS, [["cleft"]], "among the answers"),
        (GENANT, {"t12": "0"}, "open is L1"),
        (GENANT, {"t12": "0", "l1": "4"}, "in each row"),
        (GENANT, {"t12": "0", "s1": "1"}, "in each row"),
        (GENANT, [1], "rows of the grid"),
        (FROC, [PLACE | {"rating": None}], "rate every mark"),
        (FROC, [PLACE | {"rating": 6}], "from 1 to 5"),
        (FROC, [PLACE | {"x": 20.5}], "outside its image"),
        (FROC, [PLACE | {"y": -0.1}], "outside its image"),
        (FROC, [PLACE | {"image": 2}], "no image of this case"),
        (FROC, [PLACE | {"image": 0}], "no image of this case"),
        (FROC, [PLACE | {"image": True}], "a number"),
        (FROC, [PLACE | {"note": "x"}], "an image, a place and a rating"),
        (FROC, [PLACE] * 101, "more than 100"),
        (FROC, "here", "places on the image"),
    ],
)
def test_answers_of_every_kind_that_do_not_fit_get_a_sentence(question: Asked, value: object, sentence: str) -> None:
    with pytest.raises(AnswersError, match=sentence):
        checked({question.key: value}, [question], [(10, 20)])


@pytest.mark.parametrize(("decision", "level"), [(True, "l1"), (False, None)])
def test_a_branch_is_answered_where_it_is_asked_and_nowhere_else(decision: bool, level: str | None) -> None:
    answers = {"decision": decision} | ({"level": level} if level else {})
    assert checked(answers, (DECISION, LEVEL)) == answers
    other = {"decision": not decision} | ({"level": level} if level else {})
    with pytest.raises(AnswersError, match="not asked after" if level else "answer this question"):
        checked(other, (DECISION, LEVEL))


def test_one_is_not_yes_when_it_decides_on_a_branch() -> None:
    number = Asked("n", "number", "N?")
    branch = Asked("why", "text", "Why?", depends_on="n", depends_on_values=(True,))
    assert checked({"n": 1}, (number, branch)) == {"n": 1}
