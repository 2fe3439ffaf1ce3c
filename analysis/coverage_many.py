"""Questions to methods for many readers, with the pooled tests beside them that a study must not use."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analysis.covariance import Covariance, Figure
from analysis.coverage import LEVEL, Question, Worlds, holds, whole
from analysis.delong import delong_test
from analysis.mrmc import Sampling, obuchowski_rockette
from analysis.paired import mcnemar, paired_table
from analysis.simulation import RoeMetz, Study

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
