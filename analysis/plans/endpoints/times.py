"""Reading times in two arms: the ratio of geometric means, reader by reader and over readers."""

import math
from functools import partial

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.figures import ForestRow
from analysis.interval import Refusal
from analysis.per_reader import attempt
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import Drawing, dumbbell_drawing, forest_drawing
from analysis.plans.endpoints.readers import arms_of
from analysis.plans.families import claims_of
from analysis.plans.material import Material
from analysis.plans.outcomes import Findings, Table
from analysis.ratings import Floats
from analysis.rows import DifferenceRow
from analysis.timing import InterruptionRule, TimeRatio, time_ratio, time_ratio_by_seniority
from analysis.timing_mixed import mixed_time_ratio


def read_in(material: Material, endpoint: Endpoint) -> Findings:
    """By which factor do reading times change from the first to the second arm?"""
    data = material.readers
    if data.seconds is None:
        raise CannotAnalyse("The table holds no reading times; name their column as seconds in [columns].")
    first, second = arms_of(material, endpoint)[:2]
    values = data.seconds.restricted(arms=(first, second)).values
    rule = InterruptionRule(longest=endpoint.longest)
    single = time_ratio(data.readers, values, rule)
    timed = [data.readers.index(row.reader) for row in single.by_reader]
    found = (
        mixed_time_ratio(tuple(data.readers[place] for place in timed), values[timed], rule)
        if len(timed) > 1
        else single
    )
    if found.p is None or found.se == 0:
        raise CannotAnalyse("The ratio of reading times has no spread, so it cannot be tested.")
    level = material.plan.level
    limits = found.confidence_interval(level)
    row = DifferenceRow(
        first, second, None, found.estimate, found.se, float(found.df), math.log(found.estimate) / found.se, found.p,
        limits.low, limits.high, n=found.n, warnings=found.warnings,
    )  # fmt: skip
    claims = claims_of(endpoint, f"reading time, {second} over {first}", row, wanted="lower", null=1.0)
    means = geometric_means(values, rule)
    tables = [reader_table(material, single, means, (first, second)), *by_seniority(material, values, rule)]
    drawings = (dumbbells(data.readers, means, (first, second)), ratio_forest(single, level, row))
    how = f"mixed model over {len(timed)} readers" if len(timed) > 1 else "Student's t over the cases of one reader"
    return Findings(
        f"Ratio of geometric mean reading times, {how}. {rule.sentence}".rstrip("."),
        claims, (), tuple(tables), drawings, (*dict.fromkeys((*single.warnings, *found.warnings)),),
    )  # fmt: skip


def geometric_means(values: Floats, rule: InterruptionRule) -> Floats:
    """(reader, arm) geometric means of the times that count, over the cases timed in both arms."""
    kept = np.where((values > rule.longest) if rule.longest is not None else False, np.nan, values)
    both = ~np.isnan(kept).any(axis=1, keepdims=True)
    logs = np.where(both, np.log(kept), 0.0).sum(axis=2)
    number = both.sum(axis=2)
    return np.asarray(np.exp(np.divide(logs, number, out=np.full(logs.shape, np.nan), where=number > 0)))


def reader_table(material: Material, found: TimeRatio, means: Floats, arms: tuple[str, str]) -> Table:
    rows = []
    for reader in found.by_reader:
        place = material.readers.readers.index(reader.reader)
        limits = attempt(partial(reader.confidence_interval, material.plan.level))
        low, high = (None, None) if isinstance(limits, Refusal) else (limits.low, limits.high)
        seniority = material.readers.seniority[reader.reader]
        rows.append(
            (reader.reader, seniority, reader.n, float(means[place, 0]), float(means[place, 1]), reader.estimate, low,
             high)
        )  # fmt: skip
    columns = ("reader", "seniority", "cases", f"{arms[0]} (s)", f"{arms[1]} (s)", "ratio", "ratio low", "ratio high")
    return Table("times", "Geometric mean reading times", columns, tuple(rows), "Cases timed in both arms.")


def by_seniority(material: Material, values: Floats, rule: InterruptionRule) -> list[Table]:
    """The ratio in each group of readers, where there are groups."""
    data = material.readers
    groups = [data.seniority[reader] or None for reader in data.readers]
    if len({name for name in groups if name}) < 2:
        return []
    found = attempt(lambda: time_ratio_by_seniority(data.readers, groups, values, rule))
    if isinstance(found, Refusal):
        return []
    rows = []
    for name, ratio in found.groups:
        limits = ratio.confidence_interval(material.plan.level)
        rows.append((name, ratio.readers, ratio.estimate, limits.low, limits.high, ratio.p))
    columns = ("seniority", "readers", "ratio", "low", "high", "p")
    note = (
        "" if found.p is None else f"Ratio of the ratios {found.ratio_of_ratios:.3f}, p {found.p:.3f}; a description."
    )
    return [Table("times by seniority", "Reading times by seniority", columns, tuple(rows), note)]


def dumbbells(readers: tuple[str, ...], means: Floats, arms: tuple[str, str]) -> Drawing:
    rows = [
        (reader, [None if math.isnan(value) else float(value) for value in means[place]])
        for place, reader in enumerate(readers)
    ]
    return dumbbell_drawing("time", "Reading time per case", "Geometric mean, seconds (log scale)", arms, rows)


def ratio_forest(found: TimeRatio, level: float, mean: DifferenceRow) -> Drawing:
    each = []
    for reader in found.by_reader:
        limits = attempt(partial(reader.confidence_interval, level))
        ends = (reader.estimate, reader.estimate) if isinstance(limits, Refusal) else (limits.low, limits.high)
        each.append(ForestRow(reader.reader, reader.estimate, *ends))
    if len(each) > 1:
        each.append(ForestRow("mean over readers", mean.estimate, mean.low, mean.high, True))
    return forest_drawing("forest", "Ratio of reading times", "Ratio", {"readers": each}, zero=1.0)
