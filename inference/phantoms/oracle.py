"""What the best possible reader answers: who sees every planted sign and knows how often each class shows it.

A model that is clearly above the area under this reader's curve has learnt from something else: a leak.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np

from inference.phantoms.features import log_likelihood_ratios, signs_of
from inference.phantoms.records import Record

# Log-odds where nothing is broken at all.
NOTHING_BROKEN = -9.0


def best_logit(
    table: Literal["age", "kind"], fractures: Sequence[Collection[str]], *, modality: str, ambiguity: float
) -> float:
    """Log-likelihood ratio of the finding, from the names of the signs that each fracture shows.

    With k fractures of which either none or one, each as likely, has the finding, the likelihood ratio of the case is
    the mean of theirs.

    >>> round(best_logit("age", [{"impaction", "cortical_step"}], modality="DX", ambiguity=0.08), 2)
    2.39
    >>> best_logit("age", [], modality="DX", ambiguity=0.08)
    -9.0
    """
    if not fractures:
        return NOTHING_BROKEN
    names = [sign.name for sign in signs_of(table)]
    drawn = np.array([[name in shown for name in names] for shown in fractures])
    ratios = log_likelihood_ratios(table, drawn, modality=modality, ambiguity=ambiguity)
    return float(np.logaddexp.reduce(ratios) - np.log(len(ratios)))


def oracle_row(case: str, role: str, truth: bool, logit: float) -> Record:
    """One row of oracle.csv."""
    return {"case": case, "role": role, "truth": int(truth), "logit": round(logit, 6)}
