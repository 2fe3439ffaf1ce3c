"""How well the best possible reader does: the area under the curve of the true likelihood ratio of the planted signs.

A model that is clearly above its ceiling has learnt something that is not in the signs: a leak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from inference.phantoms.column import chance_for
from inference.phantoms.features import draw_many, log_likelihood_ratios


@dataclass(frozen=True)
class Question:
    """Two classes to be told apart: ``table`` "age" or "kind" of `features`, on images of ``modality``, with the share
    ``ambiguity`` of appearances drawn from the other class; ``wanted`` is the ceiling the tables were chosen for."""

    name: str
    table: str
    modality: str
    ambiguity: float
    wanted: float


@dataclass(frozen=True)
class Ceiling:
    """A simulated ceiling: AUC with its standard error, and the AUC of signs that no ambiguity blurs."""

    question: Question
    auc: float
    se: float
    unblurred: float
    cases: int
    seed: int


QUESTIONS = (
    Question("fresh or old on films", "age", "DX", 0.08, 0.900),
    Question("malignant or benign on MR", "kind", "MR", 0.02, 0.977),
    Question("malignant or osteoporotic on CT", "kind", "CT", 0.06, 0.930),
)


def ceiling(question: Question, *, cases: int = 100_000, seed: int = 0) -> Ceiling:
    """Draw the signs of so many fractures of each class as patients get theirs; rank them by their likelihood ratio.

    With the share a of appearances from the other class, AUC = ½ + (1 − 2a)(A − ½), where A is that without ambiguity:
    blurring keeps the order of the likelihood ratios.

    >>> print(f"{ceiling(QUESTIONS[0], cases=20_000).auc:.2f}")
    0.90
    """
    blurred = simulated(question, question.ambiguity, cases, chance_for(seed, question.name))
    plain = simulated(question, 0.0, cases, chance_for(seed, question.name, "unblurred"))
    return Ceiling(question, blurred, standard_error(blurred, cases), plain, cases, seed)


def simulated(question: Question, ambiguity: float, cases: int, chance: np.random.Generator) -> float:
    """AUC over ``cases`` of either class."""
    truth = np.repeat([True, False], cases)
    swapped = chance.random(2 * cases) < ambiguity
    drawn = draw_many(chance, question.table, truth ^ swapped)
    ratio = log_likelihood_ratios(question.table, drawn, modality=question.modality, ambiguity=ambiguity).round(9)
    ranks = rankdata(ratio)
    return float((ranks[truth].sum() - cases * (cases + 1) / 2) / cases**2)


def standard_error(auc: float, cases: int) -> float:
    """Of a simulated AUC, at most: √(A(1 − A) / n) (Birnbaum and Klose, Ann Math Stat 28:933, 1957)."""
    return float(np.sqrt(auc * (1 - auc) / cases))


def ceilings(seed: int = 0) -> tuple[Ceiling, ...]:
    """The ceilings of the studies: S0 fresh or old, S1 and S4 malignant or not."""
    return tuple(ceiling(question, seed=seed) for question in QUESTIONS)


def said(found: Ceiling) -> str:
    """One line for people.

    >>> said(Ceiling(QUESTIONS[1], 0.9768, 0.0005, 0.9966, 100_000, 0))
    'malignant or benign on MR: best possible AUC 0.977 (signs without ambiguity 0.997)'
    """
    return f"{found.question.name}: best possible AUC {found.auc:.3f} (signs without ambiguity {found.unblurred:.3f})"
