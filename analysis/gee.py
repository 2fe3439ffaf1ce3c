"""Two arms compared by generalised estimating equations, where decisions cluster in cases, patients or readers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from analysis.clustered import FEW, Labels, few
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, wald
from analysis.ratings import Bools, Floats

Link = Literal["logit", "identity"]
Correlation = Literal["independence", "exchangeable"]
LINKS = ("logit", "identity")
CORRELATIONS = ("independence", "exchangeable")


@dataclass(frozen=True)
class Coefficient:
    """One term of the model with its robust standard error; statistic is Wald's chi-square on 1 df."""

    name: str
    estimate: float
    se: float
    statistic: float
    p: float


@dataclass(frozen=True)
class Gee:
    """Effect of the second arm: log odds ratio (logit) or difference of shares (identity)."""

    estimate: float
    se: float
    statistic: float
    p: float
    link: Link
    correlation: Correlation
    working: float | None
    coefficients: tuple[Coefficient, ...]
    n: int
    clusters: int
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Wald's interval on the scale of the link."""
        return wald(self.estimate, self.se, level)


def gee(
    outcome: Floats,
    second: Bools,
    clusters: Labels,
    link: Link = "logit",
    correlation: Correlation = "exchangeable",
    adjust: Labels | None = None,
) -> Gee:
    """How much likelier is success in the second arm, where decisions of one cluster resemble each other?

    outcome: (n,) 0 or 1; second: (n,) True for the second arm; clusters: (n,) labels; adjust: (n,) labels that get a
    fixed effect each (readers), the first in sorted order being the reference. Binomial family with the logit link, or
    Gaussian with identity, by `statsmodels` GEE; robust (sandwich) standard errors, the working correlation and the
    scale from moments without correction for the number of coefficients, as geepack has it.
    Source: Liang & Zeger (1986), Biometrika 73:13-22. Refused: fewer than two clusters, one arm only, an outcome
    that is not 0 or 1, and with the logit link an arm or a level whose outcomes are all alike (its odds do not exist).
    Fewer than 20 clusters: a warning, as the sandwich is then too small.

    >>> outcome = np.array([1.0, 1, 0, 1, 1, 1, 0, 1])
    >>> found = gee(outcome, np.array([0, 1, 0, 1, 0, 1, 0, 1]) == 1, [1, 1, 1, 1, 2, 2, 3, 3], link="identity")
    >>> round(found.estimate, 6), round(found.se, 6)
    (0.5, 0.176777)
    """
    from statsmodels.genmod.cov_struct import Exchangeable, Independence
    from statsmodels.genmod.families import Binomial, Gaussian
    from statsmodels.genmod.generalized_estimating_equations import GEE

    if link not in LINKS or correlation not in CORRELATIONS:
        raise CannotAnalyse(f"GEE has the links {', '.join(LINKS)} and the correlations {', '.join(CORRELATIONS)}.")
    outcome, second, groups = np.asarray(outcome, dtype=float), np.asarray(second), np.asarray(clusters)
    names, design = design_of(second, adjust)
    check(outcome, groups, design, link)
    structure = Exchangeable() if correlation == "exchangeable" else Independence()
    family = Binomial() if link == "logit" else Gaussian()
    model = GEE(outcome, design, groups=np.unique(groups, return_inverse=True)[1], family=family, cov_struct=structure)
    fitted = model.fit(ddof_scale=0, maxiter=500, ctol=1e-12)
    ses = np.asarray(fitted.bse, dtype=float)
    if not fitted.converged or not bool(np.isfinite(ses).all()) or not ses[1] > 0:
        raise CannotAnalyse("The estimating equations have no solution with a variance for these decisions.")
    rows = tuple(
        coefficient(name, float(value), float(se))
        for name, value, se in zip(names, np.asarray(fitted.params), ses, strict=True)
    )
    count = len(np.unique(groups))
    return Gee(
        rows[1].estimate, rows[1].se, rows[1].statistic, rows[1].p, link, correlation,
        float(structure.dep_params) if correlation == "exchangeable" else None, rows, len(outcome), count,
        (few(count),) if count < FEW else (),
    )  # fmt: skip


def coefficient(name: str, estimate: float, se: float) -> Coefficient:
    statistic = (estimate / se) ** 2
    return Coefficient(name, estimate, se, statistic, float(stats.chi2.sf(statistic, 1)))


def design_of(second: Bools, adjust: Labels | None) -> tuple[list[str], Floats]:
    """Intercept, arm, and one column for every level of `adjust` after the first."""
    columns, names = [np.ones(len(second)), second.astype(float)], ["intercept", "second arm"]
    if adjust is not None:
        labels = np.asarray(adjust)
        for level in np.unique(labels)[1:]:
            columns.append((labels == level).astype(float))
            names.append(str(level))
    return names, np.stack(columns, axis=1)


def check(outcome: Floats, groups: Labels, design: Floats, link: Link) -> None:
    """Refuse what has no finite solution, with the reason."""
    if len(groups) != len(outcome) or len(design) != len(outcome):
        raise CannotAnalyse("Outcomes, arms and clusters of GEE must be of the same decisions.")
    if not bool(np.isin(outcome, (0.0, 1.0)).all()):
        raise CannotAnalyse("An outcome of GEE must be 0 or 1; at least one is neither.")
    if len(np.unique(groups)) < 2:
        raise CannotAnalyse("GEE needs at least two clusters.")
    if len(np.unique(design[:, 1])) < 2:
        raise CannotAnalyse("GEE compares two arms, and all decisions are of one.")
    if link == "identity":
        return
    levels = [design[:, 1] == 1, design[:, 1] == 0, *(design[:, 2:].T == 1), (design[:, 2:] == 0).all(axis=1)]
    if any(len(np.unique(outcome[level])) < 2 for level in levels):
        raise CannotAnalyse(
            "All decisions of an arm or of a reader came out alike, so their odds do not exist; use the identity link."
        )
