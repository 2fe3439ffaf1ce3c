"""Arms compared over many readers, and reader by reader."""

from dataclasses import replace

import numpy as np

from analysis.covariance import Covariance, Figure
from analysis.errors import CannotAnalyse
from analysis.figures import ForestRow
from analysis.interval import Refusal
from analysis.mrmc import Mrmc, obuchowski_rockette
from analysis.per_reader import attempt
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import Drawing, forest_drawing
from analysis.plans.endpoints.pairs import WORDS, Compared, compared
from analysis.plans.families import claims_of
from analysis.plans.material import Material
from analysis.plans.outcomes import Cell, Estimate, Findings, Table
from analysis.ratings import Ratings
from analysis.rows import DifferenceRow, arm_difference_row

COVARIANCE_WORDS = {"delong": "DeLong's", "jackknife": "the jackknife", "unbiased": "Gallas's unbiased"}


def values_for(material: Material, endpoint: Endpoint) -> Ratings:
    """Ratings for the AUC, decisions for the rest, in the two arms of the endpoint."""
    data = material.readers
    values = data.ratings if endpoint.metric == "auc" else data.decisions
    if values is None:
        kind = "ratings" if endpoint.metric == "auc" else "decisions"
        raise CannotAnalyse(f"The table holds no {kind}, so there is no {WORDS[endpoint.metric]}.")
    return values.restricted(arms=arms_of(material, endpoint))


def arms_of(material: Material, endpoint: Endpoint) -> tuple[str, ...]:
    return endpoint.arms or material.plan.arms


def covariance_for(values: Ratings, endpoint: Endpoint) -> Covariance:
    """DeLong's where every cell is read, the unbiased one elsewhere, unless the plan names one."""
    if endpoint.covariance != "by design":
        return endpoint.covariance
    return "unbiased" if values.missing else "delong"


def obuchowski(material: Material, endpoint: Endpoint) -> Findings:
    """Obuchowski-Rockette over the readers of the endpoint."""
    values = values_for(material, endpoint)
    method = covariance_for(values, endpoint)
    figure: Figure = "auc" if endpoint.metric == "auc" else (
        "sensitivity" if endpoint.metric == "sensitivity" else "specificity"
    )  # fmt: skip
    plan = material.plan
    found = obuchowski_rockette(values, figure, method, plan.readers.sampling, plan.cases.sampling)
    row = replace(
        arm_difference_row(found.differences[0], plan.level),
        n=len(values.cases), first_value=found.arms[0].estimate, second_value=found.arms[1].estimate,
    )  # fmt: skip
    word = WORDS[endpoint.metric]
    label = f"{word}, {row.second} minus {row.first}"
    rows = reader_rows(material, endpoint, values)
    return Findings(
        f"Obuchowski-Rockette analysis of {word} with {COVARIANCE_WORDS[method]} covariance, "
        f"{plan.readers.sampling} readers and {plan.cases.sampling} cases, {len(found.readers)} readers, "
        f"{len(values.cases)} cases",
        claims_of(endpoint, label, row),
        arm_estimates(found, endpoint.metric, plan.level),
        (reader_table(material, endpoint, rows, found),),
        forests(material, endpoint, rows, row),
        found.warnings,
    )


def arm_estimates(found: Mrmc, metric: str, level: float) -> tuple[Estimate, ...]:
    answer = []
    for mean in found.arms:
        limits = mean.confidence_interval(level)
        answer.append(Estimate("mean over readers", mean.arm, metric, mean.estimate, mean.se, limits.low, limits.high))
    return tuple(answer)


def reader_rows(material: Material, endpoint: Endpoint, values: Ratings) -> list[Compared | Refusal]:
    """Second minus first arm of every reader, each on the cases of both arms."""
    first, second = values.arms

    def row_of(reader: str) -> Compared | Refusal:
        def compute() -> Compared:
            place = values.readers.index(reader)
            both = ~np.isnan(values.values[place]).any(axis=0)
            patients = patients_of(material, values, both) if material.plan.cases.nested else None
            pair = (values.values[place, 0, both], values.values[place, 1, both])
            return compared(values.truth[both], pair, (first, second), reader, endpoint, material.plan.level, patients)

        return attempt(compute)

    return [row_of(reader) for reader in values.readers]


def patients_of(material: Material, values: Ratings, chosen: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> list[str]:
    """Patient of each chosen case; where a case is a patient itself, its own name."""
    return [material.patients.get(values.cases[place], values.cases[place]) for place in np.flatnonzero(chosen)]


def reader_table(material: Material, endpoint: Endpoint, rows: list[Compared | Refusal], found: Mrmc | None) -> Table:
    """Every reader: seniority, both values, difference, interval, p value."""
    word = WORDS[endpoint.metric]
    first, second = arms_of(material, endpoint)[:2]
    cells: list[tuple[Cell, ...]] = []
    readers = found.readers if found is not None else material.readers.readers
    for reader, pair in zip(readers, rows, strict=True):
        seniority = material.readers.seniority.get(reader, "")
        if isinstance(pair, Refusal):
            cells.append((reader, seniority, None, None, None, None, None, None, None))
            continue
        row = pair.row
        cells.append(
            (reader, seniority, row.n, row.first_value, row.second_value, row.estimate, row.low, row.high, row.p)
        )  # fmt: skip
    columns = ("reader", "seniority", "cases", first, second, "difference", "low", "high", "p")
    refused = [
        f"{reader}: {row.sentence}" for reader, row in zip(readers, rows, strict=True) if isinstance(row, Refusal)
    ]
    tests = (
        "p values of single readers describe; they are not adjusted"
        if found is not None
        else "p values before adjustment for several claims"
    )
    return Table("readers", f"{word} of each reader", columns, tuple(cells), " ".join([f"{tests}.", *refused]))


def forests(
    material: Material, endpoint: Endpoint, rows: list[Compared | Refusal], mean: DifferenceRow | None
) -> tuple[Drawing, ...]:
    """Differences of the readers by seniority, and their mean as a diamond."""
    order = [*material.plan.readers.seniorities, *sorted({*material.readers.seniority.values()} - {""}), "readers"]
    groups: dict[str, list[ForestRow]] = {name: [] for name in dict.fromkeys(order)}
    for pair in rows:
        if isinstance(pair, Compared):
            row = pair.row
            seniority = material.readers.seniority.get(str(row.reader), "") or "readers"
            groups[seniority].append(ForestRow(str(row.reader), row.estimate, row.low, row.high))
    groups = {name: members for name, members in groups.items() if members}
    if mean is not None:
        groups["mean"] = [ForestRow("mean over readers", mean.estimate, mean.low, mean.high, True)]
    if not groups:
        return ()
    word, (first, second) = WORDS[endpoint.metric], arms_of(material, endpoint)[:2]
    title = f"Difference in {word}, {second} minus {first}"
    return (forest_drawing("forest", title, f"Δ {word}", groups),)


def per_reader(material: Material, endpoint: Endpoint) -> Findings:
    """DeLong's or McNemar's test of every reader, or their clustered forms; every reader is a claim."""
    values = values_for(material, endpoint)
    rows = reader_rows(material, endpoint, values)
    tested = [pair for pair in rows if isinstance(pair, Compared)]
    if not tested:
        raise CannotAnalyse(next(row.sentence for row in rows if isinstance(row, Refusal)))
    word = WORDS[endpoint.metric]
    claims = tuple(
        claim
        for pair in tested
        for claim in claims_of(
            endpoint, f"{pair.row.reader}: {word}, {pair.row.second} minus {pair.row.first}", pair.row, table=pair.table
        )
    )
    kind = {
        (False, True): "DeLong's test",
        (False, False): f"McNemar's test ({endpoint.test})",
        (True, True): "Obuchowski's test of clustered AUCs",
        (True, False): "McNemar's test adjusted for clusters",
    }[material.plan.cases.nested, endpoint.metric == "auc"]
    warnings = [f"{pair.row.reader}: {text}" for pair in tested for text in pair.row.warnings]
    return Findings(
        f"{kind} of {word} reader by reader, {len(tested)} readers",
        claims,
        (),
        (reader_table(material, endpoint, rows, None),),
        forests(material, endpoint, rows, None),
        tuple(warnings),
    )
