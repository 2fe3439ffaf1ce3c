"""Simulated readers: what seniors and juniors would answer, unaided and with a model's answer before them.

Perception is binormal: evidence e ~ N(±d/2, 1) with d = √2 · Φ⁻¹(AUC) of the reader, parted into what is the case's
own, what this reader sees in it each time, and what differs between two readings. The rating is 100 · Φ(0.8 (e − c)),
the decision positive from 50 on; sensitivity is then Φ(d/2 − c), specificity Φ(d/2 + c).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from inference.cohorts.cases import BadCohort
from inference.phantoms.column import chance_for

Arm = Literal["unaided", "aided"]
COLUMNS = ("reader", "seniority", "arm", "case", "patient", "truth", "rating", "decision", "seconds", "confidence",
           "model")  # fmt: skip
# Shares of the variance of e: the case's own difficulty, the reader's view of the case, the single reading.
OF_CASE, OF_READER, OF_READING = 0.22, 0.38, 0.40
# How much further a reader's d lies from another's of the same seniority, and from his own in the other arm.
BETWEEN_READERS, BETWEEN_ARMS = 0.16, 0.10
# A fracture of grade 1 is seen less well than one of grade 3.
EASE = MappingProxyType({1: 0.72, 2: 1.02, 3: 1.22})


@dataclass(frozen=True)
class Seniority:
    """Readers of one seniority.

    Attributes
    ----------
    name : {"senior", "intermediate", "junior"}
    count : int
    auc : float
        Without help, averaged over readers; in 0.5…1.
    criterion : float
        Evidence from which they call a case positive; below 0 they call many.
    trust : float
        Weight that they give to the model's log-odds.
    seconds : float
        Per case, without help.
    """

    name: Literal["senior", "intermediate", "junior"]
    count: int
    auc: float
    criterion: float
    trust: float
    seconds: float


@dataclass(frozen=True)
class Panel:
    """Who reads a study, and in which arms."""

    groups: tuple[Seniority, ...]
    arms: tuple[Arm, ...] = ("unaided", "aided")

    def sized(self, per_group: int) -> Panel:
        """The same groups with that many readers each."""
        return replace(self, groups=tuple(replace(group, count=per_group) for group in self.groups))


# S0: two spine surgeons whom every model passes (.781 to .807 correct). S1: accuracy .98, .96 and .66, the junior with
# sensitivity .78 and specificity .61. S4: two rounds; aided AUC .882 and .784 are what was published.
PANELS: Mapping[str, Panel] = MappingProxyType(
    {
        "demo": Panel((Seniority("senior", 3, 0.93, 0.0, 0.19, 21.0), Seniority("junior", 3, 0.81, 0.0, 0.36, 32.0))),
        "s0": Panel(
            (Seniority("senior", 1, 0.80, 0.05, 0.2, 19.0), Seniority("junior", 1, 0.71, -0.10, 0.4, 30.0)),
            arms=("unaided",),
        ),
        "s1": Panel(
            (
                Seniority("senior", 1, 0.998, 0.0, 0.1, 45.0),
                Seniority("intermediate", 1, 0.993, 0.0, 0.2, 70.0),
                Seniority("junior", 1, 0.771, -0.25, 0.4, 95.0),
            ),
            arms=("unaided",),
        ),
        "s4": Panel((Seniority("senior", 3, 0.83, 0.0, 0.25, 40.0), Seniority("junior", 3, 0.69, -0.05, 0.30, 65.0))),
    }
)


@dataclass(frozen=True)
class ReadCase:
    """A case before a simulated reader; ``ease`` multiplies the separation."""

    case: str
    patient: str
    positive: bool
    ease: float = 1.0


@dataclass(frozen=True)
class SimulatedAnswer:
    """One answer: rating 0…100, decision 0 or 1, seconds."""

    reader: str
    seniority: str
    arm: Arm
    case: ReadCase
    rating: int
    decision: int
    seconds: float

    @property
    def confidence(self) -> int:
        """1 to 5: how far the rating lies from the middle, where a reader would as soon say the other.

        Examples
        --------
        >>> one = SimulatedAnswer("S1", "senior", "unaided", ReadCase("a", "p", True), 93, 1, 20.0)
        >>> one.confidence, replace(one, rating=50).confidence, replace(one, rating=0).confidence
        (5, 1, 5)
        """
        return 1 + min(4, abs(self.rating - 50) // 10)


def simulate(
    panel: Panel,
    cases: Sequence[ReadCase],
    *,
    seed: int,
    probabilities: Mapping[str, float] | None = None,
    gain: float | None = None,
    reliance: float = 1.0,
) -> Iterator[SimulatedAnswer]:
    """Answers of all readers of a panel to all cases in all its arms.

    Parameters
    ----------
    panel : Panel
    cases : sequence of ReadCase
    seed : int
        The same seed gives the same answers; an answer hangs on nothing but seed, reader, case and arm.
    probabilities : mapping of case to the model's probability, optional
        Needed for the aided arm unless ``gain`` is given.
    gain : float, optional
        The planted truth of the aided arm: every reader's AUC rises by that much, with no regard to any model. 0 is
        the null hypothesis.
    reliance : float
        Multiplies the trust of every seniority in the model; 0 leaves it unheard. Without effect beside ``gain``.

    Raises
    ------
    BadCohort
        Naming cases without a prediction; for a gain that takes a group's AUC out of 0.5…1.
    """
    lacking = [case.case for case in cases if probabilities is not None and case.case not in probabilities]
    if "aided" in panel.arms and gain is None and (probabilities is None or lacking):
        named = f" of {', '.join(lacking[:5])}" if lacking else ""
        raise BadCohort(f"There is no prediction{named}; aided readers need one of every case.")
    for group in panel.groups:
        if not 0.5 <= group.auc + (gain or 0.0) < 1:
            raise BadCohort(f"A gain of {gain} takes the AUC of {group.name} readers from {group.auc} out of 0.5 to 1.")
    common = {case.case: chance_for(seed, "case", case.case).normal() for case in cases}
    for group in panel.groups:
        for number in range(1, group.count + 1):
            reader = f"{group.name[0].upper()}{number}"
            for arm in panel.arms:
                given = probabilities if arm == "aided" and gain is None else None
                separation = d_prime(seed, reader, group, arm, gain if arm == "aided" else None)
                for case in cases:
                    yield answer(
                        seed,
                        reader,
                        group,
                        arm,
                        case,
                        separation=separation,
                        common=common[case.case],
                        pull=reliance * group.trust * log_odds(given[case.case]) if given is not None else 0.0,
                    )


def d_prime(seed: int, reader: str, group: Seniority, arm: Arm, gain: float | None) -> float:
    """Separation of one reader in one arm; readers of a group differ, and a reader a little between arms."""
    from scipy.special import ndtri

    own = chance_for(seed, "reader", reader).normal() * BETWEEN_READERS if group.count > 1 else 0.0
    here = chance_for(seed, "reader", reader, arm).normal() * BETWEEN_ARMS if group.count > 1 else 0.0
    return float(np.sqrt(2) * ndtri(group.auc + (gain or 0.0))) + own + here


def log_odds(probability: float) -> float:
    p = float(np.clip(probability, 0.01, 0.99))
    return float(np.log(p / (1 - p)))


def answer(
    seed: int,
    reader: str,
    group: Seniority,
    arm: Arm,
    case: ReadCase,
    *,
    separation: float,
    common: float,
    pull: float,
) -> SimulatedAnswer:
    """One answer; ``common`` is the case's own part, ``pull`` what the model's answer adds to the evidence."""
    from scipy.special import ndtr

    seen = chance_for(seed, "sees", reader, case.case).normal()
    chance = chance_for(seed, "reads", reader, case.case, arm)
    noise = np.sqrt(OF_CASE) * common + np.sqrt(OF_READER) * seen + np.sqrt(OF_READING) * chance.normal()
    evidence = (1 if case.positive else -1) * separation / 2 * case.ease + noise + pull
    rating = int(np.clip(round(100 * float(ndtr(0.8 * (evidence - group.criterion)))), 0, 100))
    haste = 0.88 if arm == "aided" else 1.0
    seconds = group.seconds * haste * float(np.exp(chance.normal(0, 0.35)))
    return SimulatedAnswer(reader, group.name, arm, case, rating, int(rating >= 50), round(seconds, 1))


def cases_in(manifest: Path, roles: Collection[str] = ()) -> tuple[ReadCase, ...]:
    """The cases of a manifest once each, of those roles only where any are named.

    The columns case and, where they are, patient, truth, grade and role are read; without truth a grade above 0 is
    positive.

    Raises
    ------
    BadCohort
        Where nothing is left, or neither truth nor grade is there.
    """
    with manifest.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or "case" not in rows[0] or not {"truth", "grade"} & set(rows[0]):
        raise BadCohort(f"{manifest} needs the column case, and truth or grade.")
    found: dict[str, ReadCase] = {}
    for row in rows:
        if roles and row.get("role") not in roles:
            continue
        grade = int(row.get("grade") or 0)
        positive = row["truth"] == "1" if row.get("truth") else grade > 0
        ease = EASE.get(grade, 1.0) if positive else 1.0
        found.setdefault(row["case"], ReadCase(row["case"], row.get("patient", ""), positive, ease))
    if not found:
        raise BadCohort(f"{manifest} has no case of {' or '.join(roles)}.")
    return tuple(found.values())


def write_answers(
    manifest: Path,
    probabilities: Mapping[str, float] | None,
    out: Path,
    *,
    seed: int,
    per_group: int | None = None,
    panel: str = "demo",
    roles: Collection[str] = (),
    gain: float | None = None,
    reliance: float = 1.0,
    model: str = "",
) -> int:
    """Answers of the readers of a panel as CSV, in the form that the site's import and `python -m analysis` read.

    Parameters
    ----------
    manifest, roles
        As for ``cases_in``.
    probabilities, seed, gain, reliance
        As for ``simulate``.
    out : Path
        CSV with the columns reader, seniority, arm, case, patient, truth, rating, decision, seconds, confidence, model.
    per_group : int, optional
        Readers of each seniority; by default as many as the panel has.
    panel : str
        Key of ``PANELS``.
    model : str
        Name of the model whose probabilities aid; written in the aided arm, but not where a ``gain`` is planted.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    BadCohort
        As ``cases_in`` and ``simulate``; for a panel that does not exist.
    """
    if panel not in PANELS:
        raise BadCohort(f"There is no panel {panel!r}; there are {', '.join(PANELS)}.")
    chosen = PANELS[panel].sized(per_group) if per_group else PANELS[panel]
    cases = cases_in(manifest, roles)
    answers = simulate(chosen, cases, seed=seed, probabilities=probabilities, gain=gain, reliance=reliance)
    aiding = {"aided": model if gain is None else ""}
    rows = [
        (*(a.reader, a.seniority, a.arm, a.case.case, a.case.patient), int(a.case.positive))
        + (a.rating, a.decision, a.seconds, a.confidence, aiding.get(a.arm, ""))
        for a in answers
    ]
    with out.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        table.writerows(rows)
    return len(rows)
