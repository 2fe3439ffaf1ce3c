"""Two binary decisions on units that nest in clusters (vertebrae in patients): McNemar's test adjusted for clusters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, wald
from analysis.paired import PairedTable, paired_table
from analysis.ratings import Floats

ClusteredTest = Literal["obuchowski", "durkalski", "eliasziw", "yang"]
TESTS = ("obuchowski", "durkalski", "eliasziw", "yang")
Labels = Sequence[Any] | npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class ClusterCounts:
    """Units of every cluster by the outcome under the first and the second arm; each (cluster,)."""

    both: Floats
    first_only: Floats
    second_only: Floats
    neither: Floats

    @property
    def sizes(self) -> Floats:
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def steps(self) -> Floats:
        """Second minus first successes of every cluster."""
        return self.second_only - self.first_only

    @property
    def table(self) -> PairedTable:
        """The units of all clusters together."""
        cells = (self.both, self.first_only, self.second_only, self.neither)
        return PairedTable(*(int(part.sum()) for part in cells))


@dataclass(frozen=True)
class ClusteredMcNemar:
    """Second minus first proportion; the statistic is chi-square on 1 degree of freedom."""

    estimate: float
    se: float
    statistic: float | None
    p: float
    table: PairedTable
    clusters: int
    test: ClusteredTest
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Student's t with clusters - 1 degrees of freedom, the spreads behind se; clipped to [-1, 1]."""
        return wald(self.estimate, self.se, level, self.clusters - 1).clipped(-1.0, 1.0)


def cluster_counts(first: Floats, second: Floats, clusters: Labels) -> ClusterCounts:
    """How do two binary outcomes of the same units go together in every cluster?

    first, second: (unit,) 0 or 1; clusters: (unit,) label of the cluster. Anything else is refused.

    >>> counts = cluster_counts(np.array([1.0, 1, 0]), np.array([1.0, 0, 1]), ["a", "a", "b"])
    >>> counts.first_only.tolist(), counts.second_only.tolist()
    ([1.0, 0.0], [0.0, 1.0])
    """
    paired_table(first, second)
    labels = np.asarray(clusters)
    if labels.shape != np.shape(first):
        raise CannotAnalyse(f"Every unit needs its cluster: {np.size(first)} units, {labels.size} clusters named.")
    names, places = np.unique(labels, return_inverse=True)
    one, two = np.asarray(first) == 1, np.asarray(second) == 1
    parts = [
        np.bincount(places, weights=chosen, minlength=len(names)).astype(float)
        for chosen in (one & two, one & ~two, ~one & two, ~one & ~two)
    ]
    return ClusterCounts(*parts)


def clustered_mcnemar(counts: ClusterCounts, test: ClusteredTest = "obuchowski") -> ClusteredMcNemar:
    """Do two paired proportions differ where units of one cluster resemble each other?

    With K clusters of n units, d = second minus first successes of a cluster, N units:
    obuchowski: (K - 1)/K (sum d)² / sum d²; Obuchowski (1998), Stat. Med. 17:1495-1507, in the form of Yang et al.
    durkalski: (sum d/n)² / sum (d/n)², clusters counting equally; Durkalski et al. (2003), Stat. Med. 22:2417-2428.
    eliasziw: McNemar's statistic over 1 + (nc - 1) rho; Eliasziw & Donner (1991), Stat. Med. 10:1981-1991.
    yang: as obuchowski, its variance the mean of those under equality and without it; Yang, Sun & Hardin (2010),
    Biometrical J. 52:638-652.
    estimate = sum d / N (durkalski: mean of d/n); se from the spread between clusters about that estimate (eliasziw:
    the unclustered one inflated), so interval and test may differ a little. One cluster, or none: refused; no
    discordant unit: 0, p = 1 and a warning. Fewer than 20 clusters: a warning, as chi-square is approximate there.

    >>> counts = ClusterCounts(*np.array([[1.0, 0, 2, 1], [1, 0, 0, 0], [0, 2, 1, 1], [0, 1, 0, 0]]))
    >>> round(clustered_mcnemar(counts).statistic, 6), round(clustered_mcnemar(counts, "durkalski").statistic, 6)
    (0.964286, 0.947368)
    """
    if test not in TESTS:
        raise CannotAnalyse(f"The clustered test is {', '.join(TESTS)}, not {test}.")
    clusters = len(counts.sizes)
    if clusters < 2:
        raise CannotAnalyse(f"A clustered test needs at least two clusters, not {clusters}.")
    table = counts.table
    warnings = (few(clusters),) if clusters < FEW else ()
    if not (counts.first_only.any() or counts.second_only.any()):
        same = "No unit was decided differently; the difference is 0 and nothing speaks against equality."
        return ClusteredMcNemar(0.0, 0.0, None, 1.0, table, clusters, test, (same, *warnings))
    estimate, se, statistic = {"durkalski": durkalski, "eliasziw": eliasziw}.get(test, obuchowski)(counts)
    if test == "yang":
        statistic = yang(counts)
    return ClusteredMcNemar(
        estimate, se, statistic, float(stats.chi2.sf(statistic, 1)), table, clusters, test, warnings
    )


FEW = 20


def few(clusters: int) -> str:
    return f"There are only {clusters} clusters; the distribution of the test is approximate below {FEW}."


def obuchowski(counts: ClusterCounts) -> tuple[float, float, float]:
    steps, clusters, units = counts.steps, len(counts.steps), counts.sizes.sum()
    estimate = steps.sum() / units
    spread = ((steps - counts.sizes * estimate) ** 2).sum()
    se = math.sqrt(clusters / (clusters - 1) * spread) / units
    return float(estimate), se, over_squares((clusters - 1) / clusters * steps.sum() ** 2, (steps**2).sum())


def yang(counts: ClusterCounts) -> float:
    steps, clusters = counts.steps, len(counts.steps)
    about = steps - counts.sizes * (steps.sum() / counts.sizes.sum())
    return over_squares((clusters - 1) / clusters * steps.sum() ** 2, ((about**2).sum() + (steps**2).sum()) / 2)


def durkalski(counts: ClusterCounts) -> tuple[float, float, float]:
    shares = counts.steps / counts.sizes
    se = float(shares.std(ddof=1)) / math.sqrt(len(shares))
    return float(shares.mean()), se, over_squares(shares.sum() ** 2, (shares**2).sum())


def eliasziw(counts: ClusterCounts) -> tuple[float, float, float]:
    inflation = eliasziw_inflation(counts)
    first, second, units = counts.first_only.sum(), counts.second_only.sum(), counts.sizes.sum()
    se = math.sqrt(inflation * (first + second - (second - first) ** 2 / units)) / units
    return float((second - first) / units), se, float((second - first) ** 2 / (first + second) / inflation)


def over_squares(numerator: float, denominator: float) -> float:
    """The statistic; 0 where every cluster balances within itself."""
    return float(numerator / denominator) if denominator > 0 else 0.0


def eliasziw_inflation(counts: ClusterCounts) -> float:
    """1 + (nc - 1) rho of Eliasziw & Donner (1991): rho from the pooled analysis of variance of the four outcomes."""
    sizes, clusters, units = counts.sizes, len(counts.sizes), counts.sizes.sum()
    mean = units / clusters
    if mean == 1:
        return 1.0
    discordant = counts.first_only + counts.second_only
    torn = int((discordant > 0).sum())
    if torn < 2:
        raise CannotAnalyse("Eliasziw's test needs at least two clusters with a unit decided differently.")
    typical = mean - ((sizes - mean) ** 2).sum() / (clusters * (clusters - 1) * mean)
    cells = np.stack([counts.both, counts.first_only, counts.second_only, counts.neither])
    shares = cells.sum(axis=1, keepdims=True) / units
    between = ((cells - sizes * shares) ** 2 / sizes).sum() / clusters
    within = (cells * (sizes - cells) / sizes).sum() / (clusters * (mean - 1))
    if between + within == 0:
        raise CannotAnalyse("All units came out alike, so Eliasziw's correlation within clusters does not exist.")
    rho_all = (between - within) / (between + (typical - 1) * within)
    # rho of the discordant units: rho_all / (rho_all + (1 - rho_all) share), without dividing by rho_all.
    scaled = rho_all + (1 - rho_all) * float(shares[1, 0] + shares[2, 0])
    if scaled <= 0:
        raise CannotAnalyse("Units of one cluster differ too much for Eliasziw's correction; use Obuchowski's test.")
    rho = rho_all / scaled
    size = discordant.sum() / torn
    spread = ((discordant - size) ** 2).sum() - (clusters - torn) * size**2
    lower = size - spread / (torn * (torn - 1) * size)
    inflation = float(1 + (lower + torn * (size - lower) - 1) * rho)
    if inflation <= 0:
        raise CannotAnalyse("Eliasziw's correction is not positive here; use Obuchowski's or Durkalski's test.")
    return inflation
