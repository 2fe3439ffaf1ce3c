"""Designs beyond the crossed one: U-statistics for any of them, and the interaction with seniority."""

import math
from dataclasses import replace

from analysis.errors import CannotAnalyse
from analysis.figures import ForestRow
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import forest_drawing
from analysis.plans.endpoints.pairs import WORDS
from analysis.plans.endpoints.readers import arms_of, covariance_for, forests, reader_rows, values_for
from analysis.plans.families import claims_of
from analysis.plans.material import Material
from analysis.plans.outcomes import Claim, Estimate, Findings, Table
from analysis.rows import DifferenceRow
from analysis.seniority import interaction as seniority_interaction
from analysis.ustatistics import ArmDifference, u_statistics


def u_statistic(material: Material, endpoint: Endpoint) -> Findings:
    """Do the arms differ over readers and cases, whatever was read by whom?"""
    values = values_for(material, endpoint)
    found = u_statistics(values, endpoint.metric)
    if not found.differences:
        raise CannotAnalyse(" ".join(found.warnings) or "There is no difference of two arms to test.")
    first, second = ({mean.arm: mean.estimate for mean in found.arms}.get(arm) for arm in values.arms)
    row = replace(
        difference_row(found.differences[0], material.plan.level),
        n=len(values.cases), first_value=first, second_value=second,
    )  # fmt: skip
    word = WORDS[endpoint.metric]
    means = []
    for mean in found.arms:
        limits = mean.confidence_interval(material.plan.level)
        means.append(
            Estimate("mean over scores", mean.arm, endpoint.metric, mean.estimate, mean.se, limits.low, limits.high)
        )
    return Findings(
        f"U-statistics of {word}: {len(values.readers)} readers, {len(values.cases)} cases, every score counting alike",
        claims_of(endpoint, f"{word}, {row.second} minus {row.first}", row),
        tuple(means),
        (),
        forests(material, endpoint, reader_rows(material, endpoint, values), row),
        found.warnings,
    )


def difference_row(found: ArmDifference, level: float) -> DifferenceRow:
    limits = found.confidence_interval(level)
    return DifferenceRow(
        found.first, found.second, None, found.estimate, found.se, found.df if math.isfinite(found.df) else None,
        found.statistic, found.p, limits.low, limits.high, warnings=found.warnings,
    )  # fmt: skip


def interaction(material: Material, endpoint: Endpoint) -> Findings:
    """Does the gain from the second arm depend on seniority?"""
    values = values_for(material, endpoint)
    plan, seniority = material.plan, material.readers.seniority
    known = {seniority[reader] for reader in values.readers} - {""}
    order = [name for name in plan.readers.seniorities if name in known] or sorted(known)
    if len(order) < 2:
        raise CannotAnalyse("The interaction with seniority needs readers of at least two seniorities.")
    groups = {reader: name for name in order for reader in values.readers if seniority[reader] == name}
    method = covariance_for(values, endpoint)
    found = seniority_interaction(values, groups, endpoint.metric, method, plan.readers.sampling, plan.cases.sampling)
    word, (first, second) = WORDS[endpoint.metric], arms_of(material, endpoint)[:2]
    claims: list[Claim] = []
    for contrast in found.contrasts:
        limits = contrast.confidence_interval(plan.level)
        row = DifferenceRow(
            f"gain of {contrast.first}", f"gain of {contrast.second}", None, contrast.estimate, contrast.se,
            contrast.df if math.isfinite(contrast.df) else None, contrast.statistic, contrast.p, limits.low,
            limits.high,
        )  # fmt: skip
        label = f"gain in {word} ({second} minus {first}), {contrast.second} minus {contrast.first}"
        claims += claims_of(endpoint, label, row, wanted="other")
    rows, lines = [], []
    for group in found.groups:
        limits = group.confidence_interval(plan.level)
        rows.append((group.group, len(group.readers), group.estimate, limits.low, limits.high, group.se, group.p))
        lines.append(ForestRow(group.group, group.estimate, limits.low, limits.high, True))
    columns = ("seniority", "readers", "gain", "low", "high", "se", "p")
    note = "p values of the groups describe; the claim is the difference between the gains."
    return Findings(
        f"Seniority-by-arm interaction of {word} in the Obuchowski-Rockette model, {len(values.readers)} readers",
        tuple(claims), (), (Table("gains", f"Gain in {word} by seniority", columns, tuple(rows), note),),
        (forest_drawing("forest", f"Gain in {word}, {second} minus {first}", f"Δ {word}", {"mean": lines}),),
        found.warnings,
    )  # fmt: skip
