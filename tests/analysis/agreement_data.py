"""The data sets of the agreement entries as (rater, subject), NaN where a judgement is missing."""

import numpy as np
import pandas as pd

from analysis.ratings import Floats
from tests.analysis.oracle_entries import oracle_data

ARMS: dict[str, object] = {"vandyke": 1, "vandyke+t1": 1, "vandyke+t2": 2}


def judged(name: str) -> Floats:
    """`vandyke+t2` is the second treatment of vandyke; without it the first, or the microscope."""
    base = name.split("+", maxsplit=1)[0]
    frame = oracle_data(base)
    if base in ("vandyke", "mitotic_binary"):
        arm = ARMS.get(name, "microscope")
        frame = frame[frame["treatment"] == arm].pivot(index="case", columns="reader", values="rating")
    elif base != "cac_raw4raters":
        frame = frame.drop(columns="subject")
    if base == "irr_diagnoses":
        places, _ = pd.factorize(frame.to_numpy().T.ravel(), sort=True)
        return (places + 1.0).reshape(frame.shape[1], -1)
    return frame.to_numpy(dtype=float).T


def complete(values: Floats) -> Floats:
    """The subjects that everybody judged."""
    return values[:, ~np.isnan(values).any(axis=0)]


def from_table(counts: Floats) -> Floats:
    """(2, subject) of a square table of two raters."""
    rows, columns = np.indices(counts.shape)
    number = counts.astype(int).ravel()
    return np.stack([np.repeat(rows.ravel(), number), np.repeat(columns.ravel(), number)]).astype(float)
