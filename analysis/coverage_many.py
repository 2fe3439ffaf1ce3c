"""Questions to methods for many readers, with the pooled tests beside them that a study must not use."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analysis.covariance import Covariance, Figure
from analysis.coverage import LEVEL, Question, Worlds, holds, whole
from analysis.delong import delong_test
from analysis.margins import margin_test
from analysis.mrmc import Sampling, obuchowski_rockette
from analysis.paired import mcnemar, paired_table
from analysis.ratings import Ratings
from analysis.seniority import interaction
from analysis.simulation import RoeMetz, Study, Variances
from analysis.standalone import model_against_readers
from analysis.ustatistics import Metric, u_statistics

ALPHA = 1 - LEVEL
INVALID = "not valid; never a primary result"
METHODS: tuple[Covariance, ...] = ("delong", "jackknife", "unbiased")


def population(model: RoeMetz, figure: Figure) -> tuple[float, float]:
    """Means of both arms over all readers."""
    return model.auc if figure == "auc" else model.sensitivity


def rejects(figure: Figure, method: Covariance, readers: Sampling, cases: Sampling, study: Study) -> bool:
    values = study.ratings if figure == "auc" else study.decisions
    return obuchowski_rockette(values, figure, method, readers, cases).p < ALPHA


def difference_holds(figure: Figure, method: Covariance, readers: Sampling, model: RoeMetz, study: Study) -> bool:
    values = study.ratings if figure == "auc" else study.decisions
    found = obuchowski_rockette(values, figure, method, readers)
    if readers == "fixed":
        own = study.auc if figure == "auc" else study.sensitivity
        truth = float((own[:, 1] - own[:, 0]).mean())
    else:
        first, second = population(model, figure)
        truth = second - first
    return holds(found.confidence_interval(LEVEL), truth)


def arm_holds(figure: Figure, model: RoeMetz, study: Study) -> bool:
    values = study.ratings if figure == "auc" else study.decisions
    found = obuchowski_rockette(values, figure)
    return holds(found.arms[0].confidence_interval(LEVEL), population(model, figure)[0])


def pooled_delong(study: Study) -> bool:
    values = study.ratings.values
    truth = np.tile(study.ratings.truth, len(values))
    return delong_test(truth, values[:, 0].ravel(), values[:, 1].ravel()).p < ALPHA


def averaged_delong(study: Study) -> bool:
    return delong_test(study.ratings.truth, *study.ratings.values.mean(axis=0)).p < ALPHA


def pooled_mcnemar(study: Study) -> bool:
    found = study.decisions.values[:, :, study.decisions.truth]
    return mcnemar(paired_table(found[:, 0].ravel(), found[:, 1].ravel()), "asymptotic").p < ALPHA


def obuchowski_rockette_questions(worlds: Worlds) -> Iterator[Question]:
    """Random readers in a world where they respond differently, fixed readers in one where none responds."""
    model = worlds.different
    for figure in ("auc", "sensitivity"):
        kind: Figure = "auc" if figure == "auc" else "sensitivity"
        for method in METHODS:
            name = f"Obuchowski-Rockette, {figure}, {method}"
            test = whole(worlds.equal, partial(rejects, kind, method, "random", "random"))
            yield Question(name, "type-I error", test)
            yield Question(name, "coverage", whole(model, partial(difference_holds, kind, method, "random", model)))
        name = f"Obuchowski-Rockette, {figure}, fixed readers"
        yield Question(name, "type-I error", whole(worlds.same, partial(rejects, kind, "delong", "fixed", "random")))
        yield Question(name, "coverage", whole(model, partial(difference_holds, kind, "delong", "fixed", model)))
        yield Question(f"mean of one arm, {figure}, delong", "coverage", whole(model, partial(arm_holds, kind, model)))


def pooled_questions(worlds: Worlds) -> Iterator[Question]:
    """What a study with several readers must not do."""
    for name, ask in (
        ("DeLong pooled over readers", pooled_delong),
        ("DeLong on the readers' averages", averaged_delong),
        ("McNemar pooled over readers", pooled_mcnemar),
    ):
        yield Question(name, "type-I error", whole(worlds.equal, ask), INVALID)


def u_rejects(metric: Metric, study: Study) -> bool:
    values = study.ratings if metric == "auc" else study.decisions
    return (u_statistics(values, metric).p or 0.0) < ALPHA


def u_holds(metric: Metric, model: RoeMetz, study: Study) -> bool:
    values = study.ratings if metric == "auc" else study.decisions
    first, second = population(model, "auc" if metric == "auc" else "sensitivity")
    return holds(u_statistics(values, metric).confidence_interval(LEVEL), second - first)


def u_statistics_questions(worlds: Worlds) -> Iterator[Question]:
    """Fully crossed, so that they stand beside Obuchowski and Rockette's analysis of the same studies."""
    metrics: tuple[Metric, ...] = ("auc", "sensitivity")
    for metric in metrics:
        yield Question(f"U-statistics, {metric}", "type-I error", whole(worlds.equal, partial(u_rejects, metric)))
        ask = partial(u_holds, metric, worlds.different)
        yield Question(f"U-statistics, {metric}", "coverage", whole(worlds.different, ask))


def not_inferior(model: RoeMetz, study: Study) -> bool:
    """The second arm is worse by exactly the margin."""
    found = obuchowski_rockette(study.ratings).differences[0]
    return margin_test(found.estimate, found.se, model.auc[0] - model.auc[1], found.df).p < ALPHA / 2


def still_cases(worlds: Worlds) -> RoeMetz:
    """Cases do not respond to the arm, as where they are fixed no difference may come from them."""
    parts = worlds.equal.variances
    frozen = Variances(parts.reader, parts.arm_reader, parts.case + parts.arm_case, 0.0, parts.reader_case, parts.error)
    size = (worlds.equal.readers, worlds.equal.positives, worlds.equal.negatives)
    return RoeMetz(worlds.equal.auc, frozen, *size)


def with_model(model: RoeMetz, cases: Sampling, generator: np.random.Generator) -> list[bool]:
    """A model whose area is the mean of the readers' and whose errors are its own."""
    study = model.draw(generator)
    truth = study.ratings.truth
    score = generator.normal(size=len(truth)) + truth * model.mu[0] / np.sqrt(model.spread)
    readers = study.ratings.restricted(arms=("first",))
    return [model_against_readers(readers, score, cases=cases).p < ALPHA]


def groups_of(ratings: Ratings) -> dict[str, str]:
    half = len(ratings.readers) // 2
    return {name: "senior" if place < half else "junior" for place, name in enumerate(ratings.readers)}


def groups_differ(study: Study) -> bool:
    return interaction(study.ratings, groups_of(study.ratings)).p < ALPHA


def any_group(study: Study) -> bool:
    """At least one group is found to respond, p values adjusted by Holm."""
    found = interaction(study.ratings, groups_of(study.ratings))
    return any(row.p_adjusted < ALPHA for row in found.groups)


def further_questions(worlds: Worlds) -> Iterator[Question]:
    """Margins, fixed cases, the model against the readers, groups of readers."""
    margin = worlds.margin
    yield Question(
        "non-inferiority of the AUC, true difference at the margin", "type-I error",
        whole(margin, partial(not_inferior, margin)), nominal=ALPHA / 2,
    )  # fmt: skip
    still = still_cases(worlds)
    test = whole(still, partial(rejects, "auc", "delong", "random", "fixed"))
    yield Question("Obuchowski-Rockette, auc, fixed cases", "type-I error", test)
    ask = partial(with_model, worlds.equal, "random")
    yield Question("model against the readers' mean", "type-I error", ask)
    yield Question("seniority x arm interaction", "type-I error", whole(worlds.equal, groups_differ))
    yield Question("effect in any group of seniority, Holm", "type-I error", whole(worlds.equal, any_group))
