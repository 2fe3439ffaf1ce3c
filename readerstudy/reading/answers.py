"""Are these answers to these questions? Pure, so that submissions, corrections and imports ask the same."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from .sight import Asked, Value

LONGEST_TEXT = 4000
MOST_MARKS = 100
MARK = {"image", "x", "y", "rating"}
Frames = Sequence[tuple[int, int]]


class Sentence(str):
    """A sentence in English that remembers its words and its values, so that a page can say it in its own language."""

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> "Sentence":
        made = super().__new__(cls, template % values if values else template)
        made.template, made.values = template, values
        return made


class AnswersError(ValueError):
    """Some answers cannot be taken; `errors` has one sentence for each question concerned."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(" ".join(self.errors.values()))


class WrongAnswerError(ValueError):
    """One answer cannot be taken; the sentence says why."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def wrong(template: str, **values: object) -> WrongAnswerError:
    return WrongAnswerError(Sentence(template, **values))


def checked(given: Mapping[str, object], questions: Iterable[Asked], frames: Frames | None = None) -> dict[str, Value]:
    """The answers in their stored form, in the order of the questions; questions left open are absent.

    A question that depends on another one is asked, and may be answered, only after the answers that lead to it.
    `frames` are rows and columns of the case's images; without them marks are checked as far as they can be.
    """
    asked = {question.key: question for question in questions}
    errors: dict[str, str] = {
        key: Sentence("There is no question “%(key)s” in this study.", key=key[:40])
        for key in given
        if key not in asked
    }
    taken: dict[str, Value] = {}
    for key, question in asked.items():
        try:
            value = taken_value(given.get(key), question, reached=is_reached(question, taken, asked), frames=frames)
        except WrongAnswerError as error:
            errors[key] = error.sentence
        else:
            taken |= {} if value is None else {key: value}
    for key, question in asked.items():
        if key in taken and question.agrees_with in taken and key not in errors:
            disagreement = disagreement_of(taken[key], taken[question.agrees_with], question)
            if disagreement:
                errors[key] = disagreement
    if errors:
        raise AnswersError(errors)
    return taken


def still_asked(given: Mapping[str, object], questions: Iterable[Asked]) -> dict[str, object]:
    """Without the answers to questions that the others do not lead to."""
    asked = {question.key: question for question in questions}
    reached: dict[str, object] = {}
    for key, question in asked.items():
        if key in given and is_reached(question, reached, asked):
            reached[key] = given[key]
    return reached


def is_reached(question: Asked, taken: Mapping[str, object], asked: Mapping[str, Asked]) -> bool:
    """Whether the answers so far lead to this question; a question that stands alone is always asked."""
    if question.depends_on is None or question.depends_on not in asked:
        return True
    answer = taken.get(question.depends_on)
    given = answer if isinstance(answer, list) else [answer]
    # In Python 1 is True; an answer of one type is never one of the other.
    return any(type(one) is type(other) and one == other for one in given for other in question.depends_on_values)


def taken_value(value: object, question: Asked, *, reached: bool, frames: Frames | None) -> Value | None:
    missing = value is None or value in ("", [], {})
    if not reached:
        if missing:
            return None
        raise wrong("This question is not asked after the other answers.")
    if question.kind == "marks":
        # No mark is an answer too: nothing was found.
        return marks([] if value is None else value, question, frames)
    if missing:
        if question.required:
            raise wrong("Please answer this question.")
        return None
    return CHECKS[question.kind](value, question)


def decision(value: object, question: Asked) -> Value:
    if not isinstance(value, bool):
        raise wrong("Please decide yes or no.")
    return value


def number(value: object, question: Asked) -> int | float:
    # In Python True is the number 1; as an answer it is none.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("Please give a number.")
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong("Please give a number that is finite.")
    low, high = question.minimum, question.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise outside(low, high)
    if abs(value) > 1e15:
        raise wrong("The number is too large.")
    return int(value) if float(value).is_integer() else value


def outside(low: float | None, high: float | None) -> WrongAnswerError:
    if low is not None and high is not None:
        return wrong("The number must lie from %(low)s to %(high)s.", low=f"{low:g}", high=f"{high:g}")
    if low is not None:
        return wrong("The number must lie at %(low)s or above.", low=f"{low:g}")
    return wrong("The number must lie at %(high)s or below.", high=f"{high:g}")


def confidence(value: object, question: Asked) -> Value:
    given = number(value, question)
    if question.scale == "points" and not isinstance(given, int):
        raise wrong("Please choose one of the points of the scale.")
    return given


def choice(value: object, question: Asked) -> Value:
    known = {option.value for option in question.choices}
    if not isinstance(value, str) or value not in known:
        raise wrong("Please choose one of the answers offered.")
    return value


def choices(value: object, question: Asked) -> Value:
    """Several of them, stored in the order in which they are offered."""
    known = [option.value for option in question.choices]
    if not isinstance(value, list) or not all(isinstance(one, str) and one in known for one in value):
        raise wrong("Please choose among the answers offered.")
    if len(set(value)) < len(value):
        raise wrong("Every answer is chosen once.")
    return [one for one in known if one in value]


def grid(value: object, question: Asked) -> Value:
    """One of the choices for each row; an optional grid may leave rows out."""
    if not isinstance(value, Mapping):
        raise wrong("Please answer the rows of the grid.")
    rows = [str(item.value) for item in question.items]
    known = {option.value for option in question.choices}
    if not set(value) <= set(rows) or not all(isinstance(one, str) and one in known for one in value.values()):
        raise wrong("Please choose one of the answers offered in each row.")
    open_rows = [item.label for item in question.items if item.value not in value]
    if question.required and open_rows:
        raise wrong("Please answer every row; open is %(row)s.", row=open_rows[0])
    return {row: value[row] for row in rows if row in value}


def marks(value: object, question: Asked, frames: Frames | None) -> Value:
    if not isinstance(value, list):
        raise wrong("Please mark places on the image.")
    if len(value) > MOST_MARKS:
        raise wrong("There are more than %(most)s marks.", most=MOST_MARKS)
    return [mark(one, question, frames) for one in value]


def mark(value: object, question: Asked, frames: Frames | None) -> dict[str, Value]:
    """A place from the corner of the first pixel of an image, counted through all series, and how sure one is of it."""
    if not isinstance(value, Mapping) or set(value) != MARK:
        raise wrong("A mark has an image, a place and a rating.")
    plain = replace(question, minimum=None, maximum=None)
    image, x, y = (number(value[name], plain) for name in ("image", "x", "y"))
    if not isinstance(image, int) or image < 1 or (frames is not None and image > len(frames)):
        raise wrong("A mark lies on no image of this case.")
    rows, columns = frames[image - 1] if frames is not None else (math.inf, math.inf)
    if not (0 <= x <= columns and 0 <= y <= rows):
        raise wrong("A mark lies outside its image.")
    if value["rating"] is None:
        raise wrong("Please rate every mark.")
    return {"image": image, "x": round(x, 2), "y": round(y, 2), "rating": confidence(value["rating"], question)}


def text(value: object, question: Asked) -> Value:
    if not isinstance(value, str):
        raise wrong("Please write text.")
    if len(value) > LONGEST_TEXT:
        raise wrong("The text may have %(most)s characters; it has %(has)s.", most=LONGEST_TEXT, has=len(value))
    if not storable(value):
        raise wrong("The text holds a character that cannot be stored.")
    if question.required and not value.strip():
        raise wrong("Please answer this question.")
    return value


def storable(words: str) -> bool:
    """PostgreSQL keeps no NUL, and half of a surrogate pair is no character."""
    return "\x00" not in words and not any("\ud800" <= letter <= "\udfff" for letter in words)


CHECKS: dict[str, Callable[[object, Asked], Value]] = {
    "decision": decision,
    "confidence": confidence,
    "number": number,
    "choice": choice,
    "level": choice,
    "choices": choices,
    "grid": grid,
    "text": text,
}


def disagreement_of(confidence: Value, positive: Value, question: Asked) -> Sentence | None:
    """A sentence where the confidence lies on the other side of its threshold than the decision; else nothing."""
    if question.threshold is None or not isinstance(confidence, int | float):
        return None
    least = f"{question.threshold:g}"
    if positive and confidence < question.threshold:
        return Sentence("A positive decision needs a confidence of at least %(least)s.", least=least)
    if not positive and confidence >= question.threshold:
        return Sentence("A negative decision needs a confidence below %(least)s.", least=least)
    return None
