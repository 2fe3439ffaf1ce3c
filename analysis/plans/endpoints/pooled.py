"""Tests pooled over readers: shown beside the valid ones for comparison with older papers, never as a claim."""

import numpy as np

from analysis.plan import POOLED
from analysis.plans.declared import Endpoint
from analysis.plans.endpoints.pairs import WORDS, compared
from analysis.plans.endpoints.readers import values_for
from analysis.plans.material import Material
from analysis.plans.outcomes import Findings, Table


def pooled(material: Material, endpoint: Endpoint) -> Findings:
    """What would a test say that takes the readings of all readers as independent?"""
    values = values_for(material, endpoint)
    both = ~np.isnan(values.values).any(axis=1)
    truth = np.broadcast_to(values.truth, both.shape)[both]
    pair = (values.values[:, 0][both], values.values[:, 1][both])
    row = compared(truth, pair, (values.arms[0], values.arms[1]), None, endpoint, material.plan.level).row
    warning = (
        f"Pooled over readers: not valid, its type-I error at a nominal 5 % was {POOLED[endpoint.analysis]} % in "
        "simulation; no claim rests on it."
    )
    columns = ("readings", row.first, row.second, "difference", "low", "high", "p (pooled, not valid)")
    cells = (row.n, row.first_value, row.second_value, row.estimate, row.low, row.high, row.p)
    title = f"{WORDS[endpoint.metric]} pooled over {len(values.readers)} readers"
    return Findings(
        f"{endpoint.analysis.capitalize()}, {row.n} readings of {len(values.readers)} readers taken as independent",
        tables=(Table("pooled", title, columns, (cells,)),),
        warnings=(warning,),
    )
