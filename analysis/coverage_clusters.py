"""Questions to methods for units within patients, with the test beside them that does not see the patients."""

from collections.abc import Iterator
from functools import partial
from typing import get_args

import numpy as np
from scipy import stats

from analysis.cluster_bootstrap import cluster_bootstrap, cluster_bootstrap_test
from analysis.clustered import ClusteredTest, cluster_counts, clustered_mcnemar
from analysis.clustered_auc import clustered_auc, clustered_auc_test
from analysis.coverage import ALPHA, INVALID, LEVEL, Outcomes, Question, covers, holds, rejects, seed_of, several
from analysis.delong import delong_test, placements
from analysis.gee import Correlation, Gee, Link, gee
from analysis.paired import mcnemar, paired_table
from analysis.ratings import Bools, Floats
from analysis.resampling import Bootstrap
from analysis.simulation import Clusters, Labels

SANDWICH = (
    "the sandwich variance, as geepack has it, is a little small with 60 patients; Obuchowski's corrects for them"
)
PERCENTILES = "percentiles over 60 patients, and of 200 draws here, are short; the clustered interval lies nearer"
# Few, as every replicate of any statistic is computed by itself.
REPLICATES = 200


def over_units(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    _, (first, second) = clusters.draw(generator)
    return [mcnemar(paired_table(first, second), "asymptotic").p < ALPHA]


def over_clusters(test: ClusteredTest, clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, (first, second) = clusters.draw(generator)
    return [clustered_mcnemar(cluster_counts(first, second, patients), test).p < ALPHA]


def difference_holds(test: ClusteredTest, clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, (first, second) = clusters.draw(generator)
    found = clustered_mcnemar(cluster_counts(first, second, patients), test)
    return [holds(found.confidence_interval(LEVEL), 0.0)]


def by_gee(
    link: Link, correlation: Correlation, clusters: Clusters, generator: np.random.Generator, readers: int = 1
) -> Gee:
    """Where there are several readers they take turns over the units, and are adjusted for."""
    patients, (first, second) = clusters.draw(generator)
    arm = np.repeat([False, True], len(patients))
    reader = np.arange(2 * len(patients)) % readers if readers > 1 else None
    return gee(np.concatenate([first, second]), arm, np.tile(patients, 2), link, correlation, reader)


def gee_rejects(link: Link, correlation: Correlation, clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    return [rejects(by_gee(link, correlation, clusters, generator))]


def gee_holds(link: Link, correlation: Correlation, clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    return [covers(by_gee(link, correlation, clusters, generator), 0.0)]


def reader_rejects(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    """The second of two readers decides as the first."""
    return [rejects(by_gee("logit", "independence", clusters, generator, readers=2).coefficients[-1])]


def rated(clusters: Clusters, generator: np.random.Generator) -> tuple[Labels, Bools, Floats]:
    """Patients, truth and two ratings of units: a third of them diseased, areas equal at Phi(1 / sqrt 2)."""
    patients, latent = clusters.latent(generator)
    truth = generator.random(len(patients)) < 1 / 3
    return patients, truth, truth - latent


def area_holds(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, ratings = rated(clusters, generator)
    found = clustered_auc(truth, ratings[0], patients)
    return [holds(found.confidence_interval(LEVEL), float(stats.norm.cdf(1 / np.sqrt(2))))]


def areas_differ(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, ratings = rated(clusters, generator)
    return [clustered_auc_test(truth, ratings[0], ratings[1], patients).p < ALPHA]


def areas_differ_over_units(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    _, truth, ratings = rated(clusters, generator)
    return [delong_test(truth, ratings[0], ratings[1]).p < ALPHA]


def first_area(truth: Bools, ratings: Floats) -> float:
    return float(placements(truth, ratings[0])[truth].mean())


def bootstrap_holds(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, ratings = rated(clusters, generator)
    found = cluster_bootstrap(truth, ratings[:1], patients, first_area, 0.5, REPLICATES, seed_of(generator))
    return [holds(found.confidence_interval(LEVEL), float(stats.norm.cdf(1 / np.sqrt(2))))]


def drawn_areas(clusters: Clusters, generator: np.random.Generator) -> Bootstrap:
    patients, truth, (first, second) = rated(clusters, generator)
    return cluster_bootstrap_test(truth, first, second, patients, REPLICATES, seed_of(generator))


def areas_difference_holds(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, ratings = rated(clusters, generator)
    return [covers(clustered_auc_test(truth, ratings[0], ratings[1], patients), 0.0)]


def knows_nothing(clusters: Clusters, generator: np.random.Generator) -> tuple[Labels, Bools, Floats]:
    """Patients, truth and two ratings of units that say nothing about it."""
    patients, latent = clusters.latent(generator)
    return patients, generator.random(len(patients)) < 1 / 3, latent


def area_rejects(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, ratings = knows_nothing(clusters, generator)
    return [rejects(clustered_auc(truth, ratings[0], patients))]


def drawn_area_rejects(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, ratings = knows_nothing(clusters, generator)
    found = cluster_bootstrap(truth, ratings[:1], patients, first_area, 0.5, REPLICATES, seed_of(generator))
    return [rejects(found)]


def clustered_questions(clusters: Clusters) -> Iterator[Question]:
    tests: tuple[ClusteredTest, ...] = get_args(ClusteredTest)
    for test in tests:
        yield Question(f"clustered McNemar, {test}", "type-I error", partial(over_clusters, test, clusters))
        yield Question(f"clustered difference, {test}", "coverage", partial(difference_holds, test, clusters))
    name = "DeLong over units, patients ignored"
    yield Question(name, "type-I error", partial(areas_differ_over_units, clusters), INVALID)
    yield Question("clustered AUCs, paired test", "type-I error", partial(areas_differ, clusters))
    yield Question("clustered AUCs, difference", "coverage", partial(areas_difference_holds, clusters))
    yield Question("clustered AUC", "coverage", partial(area_holds, clusters))
    yield Question("clustered AUC against 1/2", "type-I error", partial(area_rejects, clusters))


def cluster_questions(clusters: Clusters) -> Iterator[Question]:
    """Sixty patients with six units each; the arms do not differ."""
    yield Question("McNemar over units, patients ignored", "type-I error", partial(over_units, clusters), INVALID)
    yield from several(clustered_questions(clusters), 3)
    links: tuple[Link, ...] = ("identity", "logit")
    kinds: tuple[Correlation, ...] = ("independence", "exchangeable")
    for kind in kinds:
        for link in links:
            name = f"GEE, {link} link" if kind == "independence" else f"GEE, {link} link, {kind}"
            yield Question(name, "type-I error", partial(gee_rejects, link, kind, clusters), SANDWICH)
            yield Question(name, "coverage", partial(gee_holds, link, kind, clusters), SANDWICH)
    yield Question("GEE, effect of a reader adjusted for", "type-I error", partial(reader_rejects, clusters), SANDWICH)
    yield Question("AUC, bootstrap of patients", "coverage", partial(bootstrap_holds, clusters), PERCENTILES)
    yield Question("AUC against 1/2, bootstrap of patients", "type-I error", partial(drawn_area_rejects, clusters))
    name = "two AUCs, bootstrap of patients"
    yield Question(name, "type-I error", lambda generator: [rejects(drawn_areas(clusters, generator))])
    yield Question(name, "coverage", lambda generator: [covers(drawn_areas(clusters, generator), 0.0)])
