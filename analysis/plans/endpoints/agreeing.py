"""How far readers agree with each other, arm by arm, on their decisions."""

from functools import partial

import numpy as np

from analysis.agreement import fleiss_kappa, pairwise_kappa
from analysis.errors import CannotAnalyse
from analysis.interval import Refusal
from analysis.per_reader import attempt
from analysis.plans.declared import Endpoint
from analysis.plans.material import Material
from analysis.plans.outcomes import Estimate, Findings, Table


def agreed(material: Material, endpoint: Endpoint) -> Findings:
    """Cohen's kappa of each pair of readers and Fleiss' kappa of all, in each arm."""
    decisions = material.readers.decisions
    if decisions is None:
        raise CannotAnalyse("The table holds no decisions, so there is no agreement on them.")
    level, found, warnings = material.plan.level, [], []
    for place, arm in enumerate(decisions.arms):
        values = decisions.values[:, place]
        values = values[:, ~np.isnan(values).all(axis=0)]
        whole = attempt(partial(fleiss_kappa, values))
        if isinstance(whole, Refusal):
            warnings.append(f"{arm}: {whole.sentence}")
        else:
            limits = whole.confidence_interval(level)
            label = f"all {len(decisions.readers)} readers (Fleiss)"
            found.append(
                Estimate(label, arm, "kappa", whole.estimate, whole.se, limits.low, limits.high, values.shape[1])
            )
        pairs = attempt(partial(pairwise_kappa, decisions.readers, values, "none"))
        if isinstance(pairs, Refusal):
            warnings.append(f"{arm}: {pairs.sentence}")
            continue
        for one, two, kappa in pairs:
            limits = kappa.confidence_interval(level)
            found.append(
                Estimate(
                    f"{one} and {two}", arm, "kappa", kappa.estimate, kappa.se, limits.low, limits.high, values.shape[1]
                )
            )
    if not found:
        raise CannotAnalyse(warnings[0] if warnings else "There are no two readers to agree.")
    rows = tuple((item.label, item.group, item.n, item.estimate, item.low, item.high) for item in found)
    table = Table("kappa", "Agreement beyond chance", ("readers", "arm", "cases", "kappa", "low", "high"), rows)
    return Findings("Agreement of readers beyond chance", (), tuple(found), (table,), (), tuple(warnings))
