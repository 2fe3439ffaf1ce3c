"""The analysis plan, declared before the first rating, and which of its tests are valid for design and data.

This is the plan of one pair of arms that a program hands to `study.analyse_study`. The plan of a whole study, as a file
with several endpoints, exclusions and a hierarchy, is read by `plan_files` and carried out by `running`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from analysis.covariance import COVARIANCES, FIGURES, Covariance, Figure
from analysis.delong import METHODS as AUC_METHODS
from analysis.delong import IntervalMethod
from analysis.designs import DELONG, MCNEMAR, OR_DELONG, OR_MISSING, Design
from analysis.errors import CannotAnalyse
from analysis.interval import check_level
from analysis.mrmc import Sampling
from analysis.multiplicity import Method as Multiplicity
from analysis.paired import METHODS as DIFFERENCE_METHODS
from analysis.paired import TESTS
from analysis.paired import Method as DifferenceMethod
from analysis.paired import Test as McNemarTest
from analysis.proportions import Method as ProportionMethod

Analysis = Literal["obuchowski-rockette", "delong per reader", "mcnemar per reader", "model against each reader"]
# Simulated type-I error at a nominal 5 %: 6 readers, 60 + 60 cases, readers differing in their response to the arm.
POOLED = {
    "delong pooled over readers": 36,
    "mcnemar pooled over readers": 22,
    "delong on reader averages": 12,
}


@dataclass(frozen=True)
class Endpoint:
    """One question of the study: which analysis of which figure of merit."""

    analysis: Analysis = "obuchowski-rockette"
    figure: Figure = "auc"


@dataclass(frozen=True)
class Plan:
    """What will be computed; differences are later minus first-named arm."""

    arms: tuple[str, ...] = ("unaided", "aided")
    primary: Endpoint = Endpoint()
    secondary: tuple[Endpoint, ...] = ()
    covariance: Covariance = "delong"
    readers: Sampling = "random"
    cases: Sampling = "random"
    auc_interval: IntervalMethod = "delong"
    proportion_interval: ProportionMethod = "wilson"
    mcnemar: McNemarTest = "exact"
    difference_interval: DifferenceMethod = "newcombe"
    multiplicity: Multiplicity = "holm"
    level: float = 0.95

    def __post_init__(self) -> None:
        check_plan(self)

    @property
    def comparisons(self) -> tuple[tuple[str, str], ...]:
        """Pairs (first, second): every later arm against the first-named one."""
        return tuple((self.arms[0], arm) for arm in self.arms[1:])

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form; `plan_from_dict` reads it back."""
        answer = dataclasses.asdict(self)
        answer["arms"] = list(self.arms)
        answer["secondary"] = [dataclasses.asdict(endpoint) for endpoint in self.secondary]
        return answer


@dataclass(frozen=True)
class PlannedTest:
    """One endpoint of the plan, whether design and data permit it, and why not."""

    endpoint: Endpoint
    is_primary: bool
    valid: bool
    sentence: str


def check_plan(plan: Plan) -> None:
    """Refuse a plan that names what does not exist, or what is not valid as a primary analysis."""
    check_level(plan.level)
    if not plan.arms:
        raise CannotAnalyse("A plan names at least one arm.")
    if len(set(plan.arms)) != len(plan.arms):
        raise CannotAnalyse(f"A plan names every arm once, not {', '.join(plan.arms)}.")
    for endpoint in (plan.primary, *plan.secondary):
        check_endpoint(endpoint)
    for word, value, known in (
        ("covariance", plan.covariance, COVARIANCES),
        ("AUC interval", plan.auc_interval, AUC_METHODS),
        ("proportion interval", plan.proportion_interval, get_args(ProportionMethod)),
        ("McNemar test", plan.mcnemar, TESTS),
        ("interval of the difference", plan.difference_interval, DIFFERENCE_METHODS),
        ("multiplicity control", plan.multiplicity, get_args(Multiplicity)),
        ("sampling of readers", plan.readers, get_args(Sampling)),
        ("sampling of cases", plan.cases, get_args(Sampling)),
    ):
        if value not in known:
            raise CannotAnalyse(f"The {word} of a plan is {' or '.join(known)}, not {value}.")
    if plan.readers == "fixed" and plan.cases == "fixed":
        raise CannotAnalyse("With readers and cases both fixed nothing varies, so there is no test.")
    if plan.primary.analysis != "obuchowski-rockette" and plan.multiplicity == "none":
        raise CannotAnalyse("A primary analysis per reader needs multiplicity control over readers, such as holm.")


def check_endpoint(endpoint: Endpoint) -> None:
    if endpoint.analysis in POOLED:
        raise CannotAnalyse(
            f"{endpoint.analysis.capitalize()} is no valid test of a study with several readers (its type-I error at a "
            f"nominal 5 % was {POOLED[endpoint.analysis]} % in simulation); use obuchowski-rockette."
        )
    if endpoint.analysis not in get_args(Analysis):
        known = ", ".join(get_args(Analysis))
        raise CannotAnalyse(f"The plan knows no analysis {endpoint.analysis!r}; it knows {known}.")
    if endpoint.figure not in FIGURES:
        raise CannotAnalyse(f"The figure of merit is {', '.join(FIGURES)}, not {endpoint.figure}.")


def plan_from_dict(mapping: Mapping[str, Any]) -> Plan:
    """Which plan does this JSON object declare?

    mapping: keys are the fields of `Plan`, absent ones keep their defaults; endpoints are objects with `analysis`
    and `figure`. An unknown key is refused by name, so that a misspelt choice never falls back to a default.

    >>> plan_from_dict({"arms": ["off", "on"], "primary": {"figure": "sensitivity"}}).comparisons
    (('off', 'on'),)
    """
    refuse_unknown(mapping, Plan)
    values = dict(mapping)
    if "arms" in values:
        values["arms"] = tuple(str(arm) for arm in listed(values["arms"], "arms"))
    if "primary" in values:
        values["primary"] = endpoint_from_dict(values["primary"])
    if "secondary" in values:
        values["secondary"] = tuple(endpoint_from_dict(item) for item in listed(values["secondary"], "secondary"))
    if not isinstance(values.get("level", 0.95), int | float):
        raise CannotAnalyse(f"The level of a plan is a number between 0 and 1, not {values['level']!r}.")
    return Plan(**values)


def listed(value: object, name: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise CannotAnalyse(f"The {name} of a plan are a list, not {value!r}.")
    return value


def endpoint_from_dict(mapping: object) -> Endpoint:
    if not isinstance(mapping, Mapping):
        raise CannotAnalyse("An endpoint of a plan names its analysis and its figure; one of them names nothing.")
    refuse_unknown(mapping, Endpoint)
    return Endpoint(**mapping)


def refuse_unknown(mapping: Mapping[str, Any], kind: type[Plan] | type[Endpoint]) -> None:
    names = [field.name for field in dataclasses.fields(kind)]
    unknown = [str(key) for key in mapping if key not in names]
    if unknown:
        raise CannotAnalyse(f"A plan knows no {', '.join(unknown)}; it knows {', '.join(names)}.")


def valid_tests(plan: Plan, design: Design, no_model: str | None = None) -> tuple[PlannedTest, ...]:
    """Which endpoints of the plan can be tested with this design?

    Answer in the order primary, secondary; an endpoint that the design does not permit carries the reason. ``no_model``
    is the sentence why there is no model to hold against the readers; None where there is one.

    >>> import numpy as np
    >>> from analysis.designs import study_design
    >>> from analysis.ratings import Ratings
    >>> truth = np.array([False, False, True, True])
    >>> values = np.arange(16.0).reshape(2, 2, 4)
    >>> design = study_design(Ratings(("R", "S"), ("unaided", "aided"), ("1", "2", "3", "4"), truth, values))
    >>> [test.sentence for test in valid_tests(Plan(), design)]
    ['Obuchowski-Rockette with DeLong covariance: permitted by this design.']
    """
    found = []
    for endpoint in (plan.primary, *plan.secondary):
        if endpoint.analysis == "model against each reader":
            said = no_model or f"The model is held against each reader, {plan.arms[0]}, on the same cases."
            found.append(PlannedTest(endpoint, endpoint is plan.primary, no_model is None, said))
            continue
        analysis = needed_of_design(endpoint, plan)
        valid, sentence = design.allows(analysis), design.reason(analysis)
        if design.arms < 2:
            valid, sentence = False, "There is only one arm, so there is nothing to compare it with."
        found.append(PlannedTest(endpoint, endpoint is plan.primary, valid, sentence))
    return tuple(found)


def needed_of_design(endpoint: Endpoint, plan: Plan) -> str:
    """The permission of the design that an endpoint needs."""
    if endpoint.analysis == "delong per reader":
        return DELONG
    if endpoint.analysis == "mcnemar per reader":
        return MCNEMAR
    return OR_DELONG if plan.covariance == "delong" else OR_MISSING
