"""The model against the readers: against their mean, and against each of them."""

import math
from functools import partial

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.figures import ForestRow
from analysis.interval import Refusal
from analysis.per_reader import attempt
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import forest_drawing
from analysis.plans.endpoints.pairs import WORDS, Compared, compared
from analysis.plans.endpoints.readers import covariance_for, patients_of
from analysis.plans.families import claims_of
from analysis.plans.material import Material, ModelScores
from analysis.plans.outcomes import Cell, Claim, Findings, Table
from analysis.ratings import Floats, Ratings
from analysis.rows import DifferenceRow
from analysis.standalone import Standalone, model_against_readers

COLUMNS = ("reader", "seniority", "arm", "cases", "reader value", "model", "difference", "low", "high", "p")


def readings(material: Material, endpoint: Endpoint) -> Ratings:
    """Ratings or decisions of the readers in the one arm of the endpoint."""
    data = material.readers
    values = data.ratings if endpoint.metric == "auc" else data.decisions
    if values is None:
        kind = "ratings" if endpoint.metric == "auc" else "decisions"
        raise CannotAnalyse(f"The table holds no {kind} of the readers to compare the model with.")
    arms = endpoint.arms or material.plan.arms
    if len(arms) != 1:
        raise CannotAnalyse(f"A model is held against readers of one arm; name it as arms = [{arms[0]!r}].")
    who = [reader for reader in values.readers if len(values.cell(reader, arms[0])[0])]
    if not who:
        raise CannotAnalyse(f"Nobody read in the arm {arms[0]}.")
    return values.restricted(readers=who, arms=arms)


def aligned(item: ModelScores, values: Ratings, metric: str) -> Floats:
    """The model's scores or decisions in the order of the readers' cases, NaN where there is none."""
    own = dict(zip(item.cases, item.score if metric == "auc" else item.decision, strict=True))
    found = np.array([own.get(case, np.nan) for case in values.cases])
    if np.isnan(found).all():
        raise CannotAnalyse(
            f"No case that was read has a {'score' if metric == 'auc' else 'decision'} of {item.model}."
        )
    return found


def all_readers(material: Material, endpoint: Endpoint) -> Findings:
    """Is the model as good as the average reader of one arm? Model minus readers."""
    values = readings(material, endpoint)
    claims: list[Claim] = []
    cells, rows, warnings = [], [], []
    word, arm = WORDS[endpoint.metric], values.arms[0]
    who = " ".join(part for part in (endpoint.seniority, "readers") if part)
    methods = []
    for model in material.models:
        score = aligned(material.of_model(model), values, endpoint.metric)
        kept = ~np.isnan(score)
        if not kept.all():
            warnings.append(f"{int((~kept).sum())} cases without a score of {model} were left out.")
        part = Ratings(
            values.readers, values.arms, tuple(np.array(values.cases)[kept]), values.truth[kept],
            values.values[:, :, kept],
        )  # fmt: skip
        method = covariance_for(part, endpoint)
        found = model_against_readers(
            part, score[kept], endpoint.metric, "jackknife" if method == "unbiased" else method,
            material.plan.cases.sampling,
        )  # fmt: skip
        row = row_of(found, f"{who}, {arm}", model, material.plan.level)
        claims += claims_of(endpoint, f"{word}, {model} minus mean of {who} ({arm})", row)
        rows.append(ForestRow(f"{model} − mean of {who}", row.estimate, row.low, row.high, True))
        cells.append(
            (model, arm, len(found.readers), found.cases, found.readers_mean, found.model, row.estimate, row.low,
             row.high, row.df, row.p)
        )  # fmt: skip
        warnings += list(found.warnings)
        methods.append(method)
    columns = (
        "model",
        "arm",
        "readers",
        "cases",
        "mean of readers",
        "model value",
        "difference",
        "low",
        "high",
        "df",
        "p",
    )
    return Findings(
        f"One-treatment random-reader analysis of {word}: model against the mean of {len(values.readers)} {who}, {arm}",
        tuple(claims), (), (Table("model and readers", f"{word}: model and mean of {who}", columns, tuple(cells)),),
        (forest_drawing("forest", f"{word}: model minus mean of {who}, {arm}", f"Δ {word}", {"model": rows}),),
        tuple(warnings),
    )  # fmt: skip


def row_of(found: Standalone, first: str, second: str, level: float) -> DifferenceRow:
    interval = found.confidence_interval(level)
    return DifferenceRow(
        first, second, None, found.estimate, found.se, found.df if math.isfinite(found.df) else None, found.statistic,
        found.p, interval.low, interval.high, n=found.cases, first_value=found.readers_mean, second_value=found.model,
    )  # fmt: skip


def each_reader(material: Material, endpoint: Endpoint) -> Findings:
    """How does the model differ from each reader on the same cases? Model minus reader."""
    values = readings(material, endpoint)
    word, arm = WORDS[endpoint.metric], values.arms[0]
    claims: list[Claim] = []
    groups: dict[str, list[ForestRow]] = {}
    cells, warnings = [], []
    if len(material.models) > 1 and endpoint.role != "exploratory":
        raise CannotAnalyse(f"{endpoint.name!r} would test {len(material.models)} models; name one as models = [...].")
    for model in material.models:
        score = aligned(material.of_model(model), values, endpoint.metric)
        for place, reader in enumerate(values.readers):
            seniority = material.readers.seniority.get(reader, "")
            pair = attempt(partial(one_reader, material, endpoint, values, place, model, score))
            if isinstance(pair, Refusal):
                warnings.append(f"{model} against {reader}: {pair.sentence}")
                continue
            row = pair.row
            claims += claims_of(endpoint, f"{word}, {model} minus {reader}", row, table=pair.table)
            groups.setdefault(seniority or "readers", []).append(
                ForestRow(f"{model} − {reader}", row.estimate, row.low, row.high)
            )
            line: tuple[Cell, ...] = (
                reader, seniority, arm, row.n, row.first_value, row.second_value, row.estimate, row.low, row.high, row.p
            )  # fmt: skip
            cells.append(line)
            warnings += [f"{model} against {reader}: {text}" for text in row.warnings]
    if not claims:
        raise CannotAnalyse(warnings[0])
    test = "DeLong's test" if endpoint.metric == "auc" else f"McNemar's test ({endpoint.test})"
    if material.plan.cases.nested:
        test = "Obuchowski's clustered test"
    return Findings(
        f"{test} of {word}, {' and '.join(material.models)} against {readers_named(values)}, {arm}",
        tuple(claims), (), (Table("model and each reader", f"{word}: model minus reader", COLUMNS, tuple(cells)),),
        (forest_drawing("forest", f"{word}: model minus reader", f"Δ {word}", groups),), tuple(warnings),
    )  # fmt: skip


def readers_named(values: Ratings) -> str:
    return f"each of {len(values.readers)} readers" if len(values.readers) > 1 else values.readers[0]


def one_reader(
    material: Material, endpoint: Endpoint, values: Ratings, place: int, model: str, score: Floats
) -> Compared:
    own = values.values[place, 0]
    both = ~(np.isnan(own) | np.isnan(score))
    patients = patients_of(material, values, both) if material.plan.cases.nested else None
    names = (values.readers[place], model)
    return compared(
        values.truth[both], (own[both], score[both]), names, values.readers[place], endpoint, material.plan.level,
        patients,
    )  # fmt: skip
