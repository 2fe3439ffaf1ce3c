"""Do groups of readers, such as seniors and juniors, answer differently to the second arm?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.covariance import Covariance, covariance, figures_of_merit
from analysis.designs import study_design
from analysis.error_terms import Sampling
from analysis.errors import CannotAnalyse
from analysis.interval import Interval
from analysis.merits import Merit
from analysis.mrmc import ArmDifference, Estimates, Mrmc, Overall, analyse, check_request
from analysis.multiplicity import adjusted
from analysis.ratings import Floats, Ratings

Control = Literal["holm", "hochberg", "fixed sequence", "none"]


@dataclass(frozen=True)
class GroupDifference:
    """Second minus first arm of the readers of one group; p_adjusted over all groups."""

    group: str
    readers: tuple[str, ...]
    difference: ArmDifference
    p_adjusted: float

    @property
    def estimate(self) -> float:
        return self.difference.estimate

    @property
    def se(self) -> float:
        return self.difference.se

    @property
    def p(self) -> float:
        return self.difference.p

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return self.difference.confidence_interval(level)


@dataclass(frozen=True, eq=False)
class Interaction:
    """Result of `interaction`; `contrasts` are later minus earlier group of second minus first arm."""

    figure: str
    arms: tuple[str, str]
    overall: Overall
    contrasts: tuple[ArmDifference, ...]
    groups: tuple[GroupDifference, ...]
    control: Control
    model: Mrmc
    warnings: tuple[str, ...]

    @property
    def estimate(self) -> float:
        """Later minus earlier group where there are two; see `contrasts`."""
        return self.contrasts[0].estimate

    @property
    def se(self) -> float:
        return self.contrasts[0].se

    @property
    def p(self) -> float:
        return self.overall.p

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return self.contrasts[0].confidence_interval(level)


def interaction(
    ratings: Ratings,
    groups: Mapping[str, str],
    figure: str | Merit = "auc",
    covariance_method: Covariance = "delong",
    readers: Sampling = "random",
    cases: Sampling = "random",
    control: Control = "holm",
) -> Interaction:
    """Is the effect of the second arm the same in all groups of readers, and how large is it in each?

    ratings: two arms; groups: of every reader by name, in the order of comparison (the order of a fixed sequence).
    Derivation: reader j has the difference d_j = theta_j2 - theta_j1. In the Obuchowski-Rockette model the d_j of group
    g have a mean of their own, a variance between readers, and covariances over cases: c_w with a reader of the same
    group, c_b with one of another. Readers are thus nested in groups as in Hillis (2014), Stat. Med. 33:330-360,
    section 5, with d in place of theta and the groups in place of the arms:
    F = MS(G) / (MS(R(G)) + k max(c_w - c_b, 0)), k = (n² - sum n_g²)/(n (g - 1)), n - g degrees of freedom of
    MS(R(G)) and Hillis's df of the denominator. Where all readers answer the cases alike, c_w = c_b and this is
    Student's t test of the d_j of both groups.
    Each group's own effect: MS within the group and its c_w, which is `mrmc.obuchowski_rockette` of its readers.
    control: holm, hochberg, fixed sequence (each group only after those before it) or none over the groups.
    A reader without a group, one group only, no group with two readers (readers random), missing cells with the
    DeLong covariance: refused. A group of one reader: its effect does not extend to other readers, said in a warning.

    >>> truth = np.array([False, False, False, True, True, True])
    >>> values = [[[1.0, 2, 2, 3, 1, 2], [1, 2, 1, 4, 3, 2]], [[2, 1, 3, 1, 3, 2], [1, 1, 2, 1, 3, 3]]]
    >>> values += [[[1, 2, 2, 2, 3, 2], [1, 2, 3, 1, 3, 3]]]
    >>> ratings = Ratings(("R", "S", "T"), ("A", "B"), tuple("123456"), truth, np.array(values))
    >>> found = interaction(ratings, {"R": "senior", "S": "senior", "T": "junior"})
    >>> [row.group for row in found.groups], round(found.estimate, 6), round(found.p, 6)
    (['senior', 'junior'], -0.472222, 0.064639)
    """
    names = check_groups(ratings, groups, control)
    design = study_design(ratings)
    check_request(ratings, design, readers)
    if design.kind == "readers nested in arms":
        raise CannotAnalyse("Each reader read in one arm only, so no reader has a difference between arms.")
    figures = figures_of_merit(ratings, figure)
    matrix = None if cases == "fixed" else covariance(figures, covariance_method)
    low, high = figures.merit.limits
    estimates = Estimates(
        figures.merit.name, ratings.readers, names, *by_group(ratings, groups, names, figures.values, matrix),
        design.cases_nested if design.cases_nested == "in readers" else "crossed", (low - high, high - low), 0.0,
        covariance_method, design,
    )  # fmt: skip
    model = analyse(estimates, readers, cases)
    assert model.overall is not None
    warnings = list(model.warnings)
    rows = group_rows(model, ratings, groups, control, warnings)
    warnings += [
        f"The group {row.group} has one reader, so its effect does not extend to other readers."
        for row in rows
        if len(row.readers) == 1 and readers == "random"
    ]
    return Interaction(
        figures.merit.name, (ratings.arms[0], ratings.arms[1]), model.overall, model.differences, rows, control, model,
        tuple(warnings),
    )  # fmt: skip


def check_groups(ratings: Ratings, groups: Mapping[str, str], control: Control) -> tuple[str, ...]:
    """Names of the groups in the order in which `groups` names them; refuses what cannot be compared."""
    if len(ratings.arms) != 2:
        raise CannotAnalyse(f"An interaction with seniority compares two arms, not {len(ratings.arms)}.")
    if control not in get_args(Control):
        raise CannotAnalyse(f"Multiplicity is controlled by {', '.join(get_args(Control))}, not by {control}.")
    lacking = [reader for reader in ratings.readers if not groups.get(reader)]
    if lacking:
        raise CannotAnalyse(f"Reader {lacking[0]} belongs to no group ({len(lacking)} readers without one).")
    names = tuple(dict.fromkeys(group for reader, group in groups.items() if reader in ratings.readers))
    if len(names) < 2:
        raise CannotAnalyse(f"All readers belong to one group ({names[0]}), so there is nothing to compare it with.")
    return names


def by_group(
    ratings: Ratings, groups: Mapping[str, str], names: tuple[str, ...], theta: Floats, matrix: Floats | None
) -> tuple[Floats, Floats | None]:
    """Differences of readers as (reader, group), NaN outside the reader's group, and their covariance."""
    r, g = len(ratings.readers), len(names)
    own = np.arange(r) * g + np.array([names.index(groups[reader]) for reader in ratings.readers])
    values = np.full(r * g, np.nan)
    values[own] = theta[:, 1] - theta[:, 0]
    if matrix is None:
        return values.reshape(r, g), None
    contrast = np.kron(np.eye(r), np.array([[-1.0, 1.0]]))
    answer = np.full((r * g, r * g), np.nan)
    answer[np.ix_(own, own)] = contrast @ matrix @ contrast.T
    return values.reshape(r, g), answer


def group_rows(
    model: Mrmc, ratings: Ratings, groups: Mapping[str, str], control: Control, warnings: list[str]
) -> tuple[GroupDifference, ...]:
    """The effect in each group with its adjusted p; a group in which nothing varies has none, said in a warning."""
    own: list[ArmDifference] = []
    names: list[str] = []
    for mean in model.arms:
        if mean.se == 0 and abs(mean.estimate) > 1e-9:
            warnings.append(f"The arms differ in group {mean.arm} but nothing varies there, so there is no test.")
            continue
        statistic = mean.estimate / mean.se if mean.se else 0.0
        p = 1.0 if mean.p is None else mean.p
        first, second = ratings.arms
        own.append(ArmDifference(first, second, None, mean.estimate, mean.se, mean.df, statistic, p, mean.limits))
        names.append(mean.arm)
    p_values = [row.p for row in own]
    p_adjusted = (
        np.maximum.accumulate(p_values).tolist() if control == "fixed sequence" else adjusted(p_values, control)
    )
    return tuple(
        GroupDifference(name, tuple(r for r in ratings.readers if groups[r] == name), row, p)
        for name, row, p in zip(names, own, p_adjusted, strict=True)
    )
