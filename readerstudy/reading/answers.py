"""Are these answers to these questions? Pure, so that submissions, corrections and imports ask the same."""

import math
from collections.abc import Callable, Iterable, Mapping

from .sight import Asked, Value

LONGEST_TEXT = 4000


class AnswersError(ValueError):
    """Some answers cannot be taken; `errors` has one sentence for each question concerned."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(" ".join(self.errors.values()))


class WrongAnswerError(ValueError):
    """One answer cannot be taken; the text says why."""


def checked(given: Mapping[str, object], questions: Iterable[Asked]) -> dict[str, Value]:
    """The answers in their stored form, in the order of the questions; questions left open are absent."""
    asked = {question.key: question for question in questions}
    errors = {key: f"There is no question “{key[:40]}” in this study." for key in given if key not in asked}
    taken: dict[str, Value] = {}
    for key, question in asked.items():
        value = given.get(key)
        try:
            if value is None or value == "":
                if question.required:
                    raise WrongAnswerError("Please answer this question.")
                continue
            taken[key] = CHECKS[question.kind](value, question)
        except WrongAnswerError as error:
            errors[key] = str(error)
    for key, question in asked.items():
        if key in taken and question.agrees_with in taken and key not in errors:
            disagreement = disagreement_of(taken[key], taken[question.agrees_with], question)
            if disagreement:
                errors[key] = disagreement
    if errors:
        raise AnswersError(errors)
    return taken


def decision(value: object, question: Asked) -> Value:
    if not isinstance(value, bool):
        raise WrongAnswerError("Please decide yes or no.")
    return value


def number(value: object, question: Asked) -> Value:
    # In Python True is the number 1; as an answer it is none.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongAnswerError("Please give a number.")
    if isinstance(value, float) and not math.isfinite(value):
        raise WrongAnswerError("Please give a number that is finite.")
    low, high = question.minimum, question.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise WrongAnswerError(f"The number must lie {span(low, high)}.")
    if abs(value) > 1e15:
        raise WrongAnswerError("The number is too large.")
    return int(value) if float(value).is_integer() else value


def span(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"from {low:g} to {high:g}"
    return f"at {low:g} or above" if low is not None else f"at {high:g} or below"


def choice(value: object, question: Asked) -> Value:
    known = {option.value for option in question.choices}
    if not isinstance(value, str) or value not in known:
        raise WrongAnswerError("Please choose one of the answers offered.")
    return value


def text(value: object, question: Asked) -> Value:
    if not isinstance(value, str):
        raise WrongAnswerError("Please write text.")
    if len(value) > LONGEST_TEXT:
        raise WrongAnswerError(f"The text may have {LONGEST_TEXT} characters; it has {len(value)}.")
    if not storable(value):
        raise WrongAnswerError("The text holds a character that cannot be stored.")
    if question.required and not value.strip():
        raise WrongAnswerError("Please answer this question.")
    return value


def storable(words: str) -> bool:
    """PostgreSQL keeps no NUL, and half of a surrogate pair is no character."""
    return "\x00" not in words and not any("\ud800" <= letter <= "\udfff" for letter in words)


CHECKS: dict[str, Callable[[object, Asked], Value]] = {
    "decision": decision,
    "confidence": number,
    "number": number,
    "choice": choice,
    "text": text,
}


def disagreement_of(confidence: Value, positive: Value, question: Asked) -> str:
    """A sentence where the confidence lies on the other side of its threshold than the decision; else nothing."""
    if question.threshold is None or isinstance(confidence, str):
        return ""
    if positive and confidence < question.threshold:
        return f"A positive decision needs a confidence of at least {question.threshold:g}."
    if not positive and confidence >= question.threshold:
        return f"A negative decision needs a confidence below {question.threshold:g}."
    return ""
