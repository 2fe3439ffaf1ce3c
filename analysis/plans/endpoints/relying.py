"""What readers do with the model's advice: changes of mind by whether the model was right, over- and under-reliance."""

from functools import partial

from analysis.complementarity import complementarity
from analysis.errors import CannotAnalyse
from analysis.figures import ForestRow
from analysis.interval import Refusal
from analysis.per_reader import attempt
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import Drawing, forest_drawing
from analysis.plans.endpoints.against import aligned
from analysis.plans.endpoints.readers import arms_of
from analysis.plans.material import Material
from analysis.plans.outcomes import Cell, Estimate, Findings, Table
from analysis.ratings import Floats, Ratings
from analysis.reliance import RATES, ReaderReliance, Reliance, reliance

WORDS = {
    "over_reliance": "over-reliance",
    "under_reliance": "under-reliance",
    "follows_wrong": "follows a wrong model",
    "refuses_right": "refuses a right model",
    "beneficial": "beneficial switches",
    "harmful": "harmful switches",
}
NOTE = (
    "Over-reliance: right unaided, model wrong, then wrong. Under-reliance: wrong unaided, model right, still wrong. "
    "Means over readers with Student's t; single readers with Wilson's intervals."
)


def relied(material: Material, endpoint: Endpoint) -> Findings:
    """How do readers rely on the model that assisted them?"""
    first, second = arms_of(material, endpoint)[:2]
    decisions = material.readers.decisions
    if decisions is None:
        raise CannotAnalyse("The table holds no decisions of the readers, so changes of mind cannot be counted.")
    if len(material.models) != 1:
        raise CannotAnalyse(f"{endpoint.name!r} asks for the one model that assisted; name it as models = [...].")
    values = decisions.restricted(arms=(first, second))
    model = aligned(material.of_model(material.models[0]), values, "decision")
    found = reliance(values.readers, values.values[:, 0], values.values[:, 1], model, values.truth)
    estimates = tuple(means_of(found, second, material.plan.level))
    tables = (switch_table(found, material), rate_table(found, material), *team_table(values, model, material))
    return Findings(
        f"Changes of mind from {first} to {second} by whether {material.models[0]} was right, {found.n} pairs",
        (), estimates, tables, tuple(forest(found, material)), found.warnings,
    )  # fmt: skip


def team_table(values: Ratings, model: Floats, material: Material) -> list[Table]:
    """Whether reader and model together are better than the better of both alone, in accuracy."""
    plan = material.plan
    found = attempt(
        partial(
            complementarity,
            values.readers,
            values.values[:, 0],
            values.values[:, 1],
            model,
            values.truth,
            seed=plan.seed,
        )
    )
    if isinstance(found, Refusal):
        return []
    limits = found.confidence_interval(plan.level)
    rows: list[tuple[Cell, ...]] = [
        (row.reader, row.n, row.unaided, row.model, row.aided, row.estimate, None, None) for row in found.by_reader
    ]
    rows.append(("mean over readers", None, None, None, None, found.estimate, limits.low, limits.high))
    columns = (
        "reader",
        "cases",
        values.arms[0],
        "model",
        values.arms[1],
        "gain over the better",
        "gain low",
        "gain high",
    )
    note = "Accuracy. Gain over the better of the unaided reader and the model; its interval by the bootstrap of cases."
    return [Table("team", "Reader and model together", columns, tuple(rows), note)]


def means_of(found: Reliance, arm: str, level: float) -> list[Estimate]:
    rows = []
    for rate in RATES:
        mean = found.mean(rate)
        if isinstance(mean, Refusal) or rate not in WORDS:
            continue
        limits = mean.confidence_interval(level) if mean.se is not None else None
        low, high = (None, None) if limits is None else (limits.low, limits.high)
        rows.append(Estimate("mean over readers", arm, WORDS[rate], mean.estimate, mean.se, low, high, mean.readers))
    return rows


def switch_table(found: Reliance, material: Material) -> Table:
    """Counts of every reader: right or wrong, before and after, where the model was right and where it was wrong."""
    rows: list[tuple[Cell, ...]] = []
    for reader in found.by_reader:
        parts = (reader.table.model_right, reader.table.model_wrong)
        counts = [n for part in parts for n in (part.both, part.first_only, part.second_only, part.neither)]
        rows.append((reader.reader, material.readers.seniority.get(reader.reader, ""), *counts))
    changes = ("right → right", "right → wrong", "wrong → right", "wrong → wrong")
    columns = ("reader", "seniority", *(f"model {word}: {change}" for word in ("right", "wrong") for change in changes))
    return Table("switches", "Changes of mind, unaided → aided", columns, tuple(rows))


def rate_table(found: Reliance, material: Material) -> Table:
    columns = ["reader", "seniority"]
    for word in WORDS.values():
        columns += [word, f"{word} low", f"{word} high"]
    rows = []
    for reader in found.by_reader:
        cells: list[Cell] = [reader.reader, material.readers.seniority.get(reader.reader, "")]
        for rate in WORDS:
            cells += limits_of(reader, rate, material.plan.level)
        rows.append(tuple(cells))
    cells = ["mean over readers", ""]
    means = {item.metric: item for item in means_of(found, "", material.plan.level)}
    for word in WORDS.values():
        mean = means.get(word)
        cells += [None, None, None] if mean is None else [mean.estimate, mean.low, mean.high]
    return Table("reliance", "Reliance on the model", tuple(columns), (*rows, tuple(cells)), NOTE)


def limits_of(reader: ReaderReliance, rate: str, level: float) -> list[Cell]:
    found = getattr(reader.rates, rate)
    if isinstance(found, Refusal):
        return [None, None, None]
    limits = found.confidence_interval(level)
    return [found.estimate, limits.low, limits.high]


def forest(found: Reliance, material: Material) -> list[Drawing]:
    """Over- and under-reliance of every reader, and their means."""
    groups: dict[str, list[ForestRow]] = {}
    for rate in ("over_reliance", "under_reliance"):
        for reader in found.by_reader:
            estimate, low, high = limits_of(reader, rate, material.plan.level)
            if isinstance(estimate, float) and isinstance(low, float) and isinstance(high, float):
                groups.setdefault(WORDS[rate], []).append(ForestRow(reader.reader, estimate, low, high))
        mean = found.mean(rate)
        if not isinstance(mean, Refusal) and mean.se is not None:
            limits = mean.confidence_interval(material.plan.level)
            groups.setdefault(WORDS[rate], []).append(
                ForestRow("mean over readers", mean.estimate, limits.low, limits.high, True)
            )
    if not groups:
        return []
    return [forest_drawing("reliance", "Over- and under-reliance on the model", "Share of cases", groups)]
