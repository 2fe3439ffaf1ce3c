"""More than two classes: each class against the rest, and Hand and Till's M."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from analysis.bootstrapped import Steps, steps_of
from analysis.delong import Auc, delong_auc
from analysis.errors import CannotAnalyse
from analysis.interval import Interval
from analysis.ratings import Floats
from analysis.resampling import REPLICATES, SEED, Bootstrap, Ints, blocks, check_replicates, drawn_counts, summary

Average = Literal["macro", "weighted"]


@dataclass(frozen=True, eq=False)
class OneVersusRest:
    """Mean of the areas of each class against all others; p tests it against 1/2."""

    estimate: float
    se: float
    p: float | None
    average: Average
    classes: tuple[str, ...]
    areas: tuple[Auc, ...]
    bootstrap: Bootstrap
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Percentile interval of the mean; each class has its own in `areas`."""
        return self.bootstrap.confidence_interval(level)


@dataclass(frozen=True, eq=False)
class HandTill:
    """Mean area over all ordered pairs of classes; p tests it against 1/2.

    areas: (class, class), in row i and column j the area of class i's score between i and j; the diagonal is 1/2.
    """

    estimate: float
    se: float
    p: float | None
    classes: tuple[str, ...]
    areas: Floats
    bootstrap: Bootstrap
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Percentile interval."""
        return self.bootstrap.confidence_interval(level)


def one_versus_rest(
    labels: Sequence[Any] | npt.NDArray[Any],
    scores: Floats,
    classes: Sequence[Any],
    average: Average = "macro",
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> OneVersusRest:
    """How well does each class's score separate it from all other classes?

    labels: (n,) the true class of each case; scores: (n, class) finite, columns in the order of `classes`, higher =
    more like that class; they need not sum to one. Each class has its DeLong area; the mean is plain (macro) or
    weighted with the shares of the classes, and has a bootstrap in which every class keeps its size. Source: Provost &
    Domingos (2000), CeDER working paper IS-00-04; scikit-learn's roc_auc_score(multi_class="ovr") agrees. A class
    without two cases, a label that is no class, and a score that is not finite: refused.

    >>> scores = np.array([[3.0, 1, 0], [2, 2, 1], [1, 3, 0], [0, 1, 2], [1, 0, 3], [1, 2, 2]])
    >>> round(one_versus_rest([0, 0, 1, 2, 2, 1], scores, [0, 1, 2], replicates=9).estimate, 6)
    0.958333
    """
    if average not in get_args(Average):
        raise CannotAnalyse(f"Areas of classes are averaged as {' or '.join(get_args(Average))}, not as {average}.")
    names, members = members_of(labels, scores, classes)
    areas = tuple(delong_auc(np.isin(np.arange(len(scores)), own), scores[:, k]) for k, own in enumerate(members))
    sizes = np.array([len(own) for own in members], dtype=float)
    weights = sizes / sizes.sum() if average == "weighted" else np.full(len(names), 1 / len(names))
    rests = [np.concatenate([*members[:k], *members[k + 1 :]]) for k in range(len(names))]
    steps = [
        paired_steps(scores[own, k], scores[rest, k]) for k, (own, rest) in enumerate(zip(members, rests, strict=True))
    ]

    def mean_area(counts: Sequence[Ints]) -> Floats:
        others = [np.concatenate([*counts[:k], *counts[k + 1 :]], axis=1) for k in range(len(names))]
        found = [pair_area(step, counts[k], others[k]) for k, step in enumerate(steps)]
        return weights @ np.stack(found)

    estimate = float(weights @ np.array([area.estimate for area in areas]))
    drawn = class_bootstrap(members, mean_area, estimate, replicates, seed)
    told = tuple(f"{name}: {text}" for name, area in zip(names, areas, strict=True) for text in area.warnings)
    return OneVersusRest(estimate, drawn.se, drawn.p, average, names, areas, drawn, (*told, *drawn.warnings))


def hand_till(
    labels: Sequence[Any] | npt.NDArray[Any],
    scores: Floats,
    classes: Sequence[Any],
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> HandTill:
    """How well do the scores separate any two classes, whatever the classes' sizes?

    As `one_versus_rest`, but M = mean over all ordered pairs i, j of the area of class i's score among the cases of i
    and j: 2 / (c (c - 1)) sum over i < j of (A(i|j) + A(j|i)) / 2. Two classes with opposite scores: the AUC. Source:
    Hand & Till (2001), Mach. Learn. 45:171-186, eq. 7; scikit-learn's roc_auc_score(multi_class="ovo") agrees. A class
    without a case is refused.

    >>> scores = np.array([[3.0, 1, 0], [2, 2, 1], [1, 3, 0], [0, 1, 2], [1, 0, 3], [1, 2, 2]])
    >>> round(hand_till([0, 0, 1, 2, 2, 1], scores, [0, 1, 2], replicates=9).estimate, 6)
    0.958333
    """
    names, members = members_of(labels, scores, classes)
    pairs = [(i, j) for i in range(len(names)) for j in range(len(names)) if i != j]
    steps = {(i, j): paired_steps(scores[members[i], i], scores[members[j], i]) for i, j in pairs}

    def mean_area(counts: Sequence[Ints]) -> Floats:
        return np.asarray(np.mean([pair_area(steps[i, j], counts[i], counts[j]) for i, j in pairs], axis=0))

    areas = np.full((len(names), len(names)), 0.5)
    whole = [np.ones((1, len(own)), dtype=np.int64) for own in members]
    for i, j in pairs:
        areas[i, j] = pair_area(steps[i, j], whole[i], whole[j])[0]
    estimate = float(np.mean([areas[pair] for pair in pairs]))
    drawn = class_bootstrap(members, mean_area, estimate, replicates, seed)
    return HandTill(estimate, drawn.se, drawn.p, names, areas, drawn, drawn.warnings)


def members_of(
    labels: Sequence[Any] | npt.NDArray[Any], scores: Floats, classes: Sequence[Any]
) -> tuple[tuple[str, ...], list[Ints]]:
    """Names of the classes and the places of their cases."""
    names = tuple(str(name) for name in classes)
    texts = np.array([str(label) for label in labels])
    if len(names) < 2 or len(set(names)) != len(names):
        raise CannotAnalyse("Classes are two or more different names.")
    if scores.shape != (len(texts), len(names)):
        raise CannotAnalyse(
            f"Scores are cases x classes, {len(texts)} x {len(names)}, not {' x '.join(map(str, scores.shape))}."
        )
    if not bool(np.isfinite(scores).all()):
        raise CannotAnalyse("A score is missing or infinite.")
    strangers = sorted(set(texts.tolist()) - set(names))
    if strangers:
        raise CannotAnalyse(f"The label {strangers[0]} is not among the classes {', '.join(names)}.")
    members = [np.flatnonzero(texts == name) for name in names]
    for name, own in zip(names, members, strict=True):
        if len(own) == 0:
            raise CannotAnalyse(f"The class {name} has no case.")
    return names, members


def paired_steps(own: Floats, other: Floats) -> tuple[Steps, Steps]:
    levels = np.unique(np.concatenate([own, other]))
    return steps_of(own, levels), steps_of(other, levels)


def pair_area(steps: tuple[Steps, Steps], own: Ints, other: Ints) -> Floats:
    """Area of each drawn pair of classes, from counts of their cases (replicate, case)."""
    return np.asarray(np.trapezoid(steps[0].shares(own), steps[1].shares(other), axis=-1))


def class_bootstrap(
    members: Sequence[Ints], measure: Callable[[Sequence[Ints]], Floats], estimate: float, replicates: int, seed: int
) -> Bootstrap:
    """The measure over draws in which every class keeps its size."""
    check_replicates(replicates)
    generator = np.random.default_rng(seed)
    each = [np.ones(len(own), dtype=np.int64) for own in members]
    found = [
        measure([drawn_counts(sizes, rows, generator) for sizes in each])
        for rows in blocks(replicates, np.concatenate(each))
    ]
    return summary(estimate, np.concatenate(found), 0.5, seed)
