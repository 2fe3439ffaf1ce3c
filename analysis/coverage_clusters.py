"""Questions to methods for units within patients, with the test beside them that does not see the patients."""

from collections.abc import Iterator
from functools import partial
from typing import get_args

import numpy as np
from scipy import stats

from analysis.cluster_bootstrap import cluster_bootstrap, cluster_bootstrap_test
from analysis.clustered import ClusteredTest, cluster_counts, clustered_mcnemar
from analysis.clustered_auc import clustered_auc, clustered_auc_test
from analysis.coverage import ALPHA, INVALID, LEVEL, Outcomes, Question, covers, holds, seed_of, several
from analysis.delong import delong_test, placements
from analysis.gee import Gee, Link, gee
from analysis.paired import mcnemar, paired_table
from analysis.ratings import Bools, Floats
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


def by_gee(link: Link, clusters: Clusters, generator: np.random.Generator) -> Gee:
    patients, (first, second) = clusters.draw(generator)
    arm = np.repeat([False, True], len(patients))
    return gee(np.concatenate([first, second]), arm, np.tile(patients, 2), link, "independence")


def gee_rejects(link: Link, clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    return [by_gee(link, clusters, generator).p < ALPHA]


def gee_holds(link: Link, clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    return [covers(by_gee(link, clusters, generator), 0.0)]


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


def bootstrap_holds(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, ratings = rated(clusters, generator)

    def area(drawn: Bools, values: Floats) -> float:
        return float(placements(drawn, values[0])[drawn].mean())

    found = cluster_bootstrap(truth, ratings[:1], patients, area, 0.5, REPLICATES, seed_of(generator))
    return [holds(found.confidence_interval(LEVEL), float(stats.norm.cdf(1 / np.sqrt(2))))]


def bootstrap_rejects(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, (first, second) = rated(clusters, generator)
    found = cluster_bootstrap_test(truth, first, second, patients, REPLICATES, seed_of(generator))
    return [found.p is not None and found.p < ALPHA]


def areas_difference_holds(clusters: Clusters, generator: np.random.Generator) -> Outcomes:
    patients, truth, ratings = rated(clusters, generator)
    return [covers(clustered_auc_test(truth, ratings[0], ratings[1], patients), 0.0)]


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


def cluster_questions(clusters: Clusters) -> Iterator[Question]:
    """Sixty patients with six units each; the arms do not differ."""
    yield Question("McNemar over units, patients ignored", "type-I error", partial(over_units, clusters), INVALID)
    yield from several(clustered_questions(clusters), 3)
    links: tuple[Link, ...] = ("identity", "logit")
    for link in links:
        yield Question(f"GEE, {link} link", "type-I error", partial(gee_rejects, link, clusters), SANDWICH)
        yield Question(f"GEE, {link} link", "coverage", partial(gee_holds, link, clusters), SANDWICH)
    yield Question("AUC, bootstrap of patients", "coverage", partial(bootstrap_holds, clusters), PERCENTILES)
    yield Question("two AUCs, bootstrap of patients", "type-I error", partial(bootstrap_rejects, clusters))
