"""Every interval is asked whether it holds the truth, and every test whether it rejects what is true.

Each question is asked of one study. Watched is which functions of the package made the results whose interval or p
value the question reads, so that a method without a question is found without a list that somebody has to keep.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import sys
import typing
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from types import CodeType, FrameType, FunctionType

import numpy as np
import pandas
import plotly.graph_objects
import pytest

import analysis
from analysis.coverage import Kind, Question
from analysis.coverage_families import Setting, questions

# What a result promises, and the question that holds it to that.
PROMISES: dict[str, Kind] = {
    "confidence_interval": "coverage",
    "limit_intervals": "coverage",
    "error_interval": "coverage",
    "interval": "coverage",
    "p": "type-I error",
    "p_adjusted": "type-I error",
    "p_equivalence": "type-I error",
    "p_superiority": "type-I error",
    "p_hillis": "type-I error",
    "slope_p": "type-I error",
    "sign_p": "type-I error",
}
# Rows, figures and reports carry results of the methods on; they estimate nothing.
CARRIERS = ("__main__", "answer", "commands", "coverage", "figures", "formats", "plans", "per_", "rows", "study")
NO_NULL = "a point or a part of the curve has no value under chance, and p is None"
NOT_ASKED = {
    ("operating.sensitivity_at_specificity", "p"): NO_NULL,
    ("operating.specificity_at_sensitivity", "p"): NO_NULL,
    ("proportions.f1", "p"): "F1 has no value under chance, and p is None",
    ("F1", "p"): "F1 has no value under chance, and p is None",
    ("chance_corrected.percent_agreement", "p"): "readers who never agree do not vary, so there is no such study",
    ("MeanRate", "p"): "where the true rate is 0 every reader's rate is 0, so there is no such study",
    ("limits.between_readers_within_arm", "confidence_interval"): "the mean difference is 0 by construction",
    ("icc.icc_forms", "confidence_interval"): "the six results of icc, each of which is asked",
    ("icc.icc_forms", "p"): "the six results of icc, each of which is asked",
}
Promise = tuple[str, str]


def modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(analysis.__path__, "analysis."):
        name = module.name.removeprefix("analysis.")
        if not name.startswith(CARRIERS):
            yield name


def classes_of(annotation: object) -> Iterator[type]:
    """Results of this package within an annotation: themselves, or one of several, or in a tuple."""
    if inspect.isclass(annotation) and dataclasses.is_dataclass(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        yield from classes_of(part)


def promises_of(found: type) -> list[str]:
    names = {field.name for field in dataclasses.fields(found)} | set(dir(found))
    return [name for name in PROMISES if name in names]


def is_method(function: object) -> bool:
    """What the package offers has a question as its first line, or an example."""
    text = inspect.getdoc(function) or ""
    return "?" in text.split("\n", 1)[0] or ">>>" in text


@cache
def functions() -> dict[CodeType, tuple[str, FunctionType]]:
    """All functions of the methods' modules by their code."""
    found = {}
    for name in modules():
        module = importlib.import_module(f"analysis.{name}")
        for word, item in vars(module).items():
            if inspect.isfunction(item) and item.__module__ == module.__name__:
                found[item.__code__] = (f"{name}.{word}", item)
    return found


@cache
def results() -> tuple[type, ...]:
    """All classes of results in these modules that promise anything."""
    found = []
    for name in modules():
        module = importlib.import_module(f"analysis.{name}")
        for item in vars(module).values():
            if inspect.isclass(item) and item.__module__ == module.__name__ and dataclasses.is_dataclass(item):
                found += [item] if promises_of(item) else []
    return tuple(found)


def promised() -> set[Promise]:
    """Of every method by its name, and of every class of results, which may be a part of another result."""
    found = {(item.__name__, name) for item in results() for name in promises_of(item)}
    late = {"pd": pandas, "go": plotly.graph_objects}
    for name, function in functions().values():
        if is_method(function):
            made = typing.get_type_hints(function, localns=late)["return"]
            found |= {(name, word) for item in classes_of(made) if item in results() for word in promises_of(item)}
    return found


def flat(value: object) -> Iterator[object]:
    """What was returned, and all that stands in it where it is a tuple."""
    yield value
    if isinstance(value, tuple):
        for part in value:
            yield from flat(part)


class Watch:
    """Who made a result, and what is read from it by the question under way."""

    def __init__(self) -> None:
        self.made: dict[int, set[str]] = defaultdict(set)
        self.kept: list[object] = []
        self.kind: Kind | None = None
        self.read: set[Promise] = set()

    def returned(self, frame: FrameType, event: str, value: object) -> None:
        if event != "return" or frame.f_code not in functions():
            return
        for item in flat(value):
            if isinstance(item, results()):
                self.made[id(item)].add(functions()[frame.f_code][0])
                self.kept.append(item)

    def patch(self, monkeypatch: pytest.MonkeyPatch, patched: type) -> None:
        plain: typing.Any = patched.__getattribute__

        def get(item: object, name: str) -> object:
            if PROMISES.get(name) == self.kind:
                code = sys._getframe(1).f_code
                # Read by a question, or by a result that hands on what a part of it promises.
                if "/coverage" in code.co_filename or code.co_name in PROMISES:
                    self.read |= {(maker, name) for maker in (*self.made[id(item)], type(item).__name__)}
            return plain(item, name)

        monkeypatch.setattr(patched, "__getattribute__", get)

    def ask(self, question: Question) -> None:
        self.kind = question.kind
        self.made.clear()
        self.kept.clear()
        before = sys.getprofile()
        sys.setprofile(self.returned)
        try:
            question.ask(np.random.default_rng(1))
        finally:
            sys.setprofile(before)
            self.kind = None


def unasked(asked: Iterable[Question], monkeypatch: pytest.MonkeyPatch) -> set[Promise]:
    watch = Watch()
    for item in results():
        watch.patch(monkeypatch, item)
    for question in asked:
        watch.ask(question)
    return promised() - watch.read


def test_every_interval_and_every_p_value_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = unasked(questions(Setting(2, 1)), monkeypatch)
    assert missing - set(NOT_ASKED) == set()
    assert set(NOT_ASKED) - missing == set(), "asked after all, or gone"
    assert len(promised()) > 200


def test_a_method_without_a_question_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = [item for item in questions(Setting(2, 1, only="reading")) if "mixed model" not in item.method]
    missing = unasked(reading, monkeypatch)
    assert {("timing_mixed.mixed_time_ratio", name) for name in ("p", "confidence_interval")} <= missing
    assert not {("timing.time_ratio", name) for name in ("p", "confidence_interval")} & missing
