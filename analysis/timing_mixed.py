"""Reading times by a mixed model: every reading counts, also where a case was read in one arm only."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from analysis.errors import CannotAnalyse
from analysis.interval import NOISE, Interval, two_sided_p, wald
from analysis.ratings import Floats
from analysis.timing import InterruptionRule, KeptTimes, checked, exponential, said

PARTS = ("readers", "cases", "readers' responses to the arm")


@dataclass(frozen=True)
class TimeComponents:
    """Variances of log seconds: of readers, of cases, of readers' response to the arm, and of what is left."""

    reader: float
    case: float
    reader_arm: float
    error: float


@dataclass(frozen=True)
class MixedTimeRatio:
    """Ratio of geometric mean reading times, second over first arm; se is that of its natural logarithm.

    df: readers - 1; p tests a ratio of 1; n: readings used; excluded: as interrupted, per arm; period and position:
    factor by which times change from the first to the second period, and from one reading to the next.
    """

    estimate: float
    se: float
    df: int
    p: float
    n: int
    readers: int
    cases: int
    components: TimeComponents
    excluded: tuple[int, int]
    period: float | None
    position: float | None
    warnings: tuple[str, ...] = ()

    def confidence_interval(self, level: float = 0.95) -> Interval:
        return exponential(wald(math.log(self.estimate), self.se, level, self.df))


def mixed_time_ratio(
    readers: tuple[str, ...],
    seconds: Floats,
    rule: InterruptionRule,
    period: Floats | None = None,
    position: Floats | None = None,
) -> MixedTimeRatio:
    """By which factor do reading times change, with readers, cases and readers' responses as random?

    readers, seconds, rule: as for `time_ratio`; period, position: the shape of seconds, taken in as fixed linear
    effects on log seconds. Model: log seconds = arm + reader + case + reader x arm + error, all but arm normal and
    independent, by REML. The response of readers to the arm is a component, so that the error of the ratio grows with
    it; Student's t with readers - 1 degrees of freedom. With complete times and no component at zero this is
    `time_ratio`; with gaps it also uses cases read in one arm. A component that REML puts at zero is told in a warning.
    Assumes gaps unrelated to the times that are missing. The likelihood is profiled as by Bates et al. (2015), J. Stat.
    Softw. 67(1), eq. 41, and cases are eliminated, so that 1e5 of them are no burden; `statsmodels` MixedLM, which
    agrees, stops where a variance is zero and takes minutes from 10,000 times on. Source: Laird & Ware (1982),
    Biometrics 38:963-974; Baayen, Davidson & Bates (2008), J. Mem. Lang. 59:390-412. Fewer than two readers or cases, a
    reader without one of the arms, no residual spread, covariates without spread: refused.

    >>> generator = np.random.default_rng(1)
    >>> seconds = np.exp(3 + generator.normal(0, 0.3, (4, 2, 12)) + np.array([0, -0.2])[None, :, None])
    >>> found = mixed_time_ratio(("A", "B", "C", "D"), seconds, InterruptionRule(longest=600))
    >>> round(found.estimate, 3), found.df
    (0.795, 3)
    """
    kept = checked(readers, seconds, rule)
    check_design(readers, kept.values)
    names, covariates = covariates_of(kept.values, period, position)
    sums = Sums.of(kept.values, covariates)
    fitted = fit(sums)
    change, se, df = float(fitted.fixed[1]), math.sqrt(fitted.scale * fitted.unscaled[1, 1]), len(readers) - 1
    reader, case, response = (fitted.scale * float(ratio) ** 2 for ratio in fitted.ratios)
    factors = {name: math.exp(float(value)) for name, value in zip(names, fitted.fixed[2:], strict=True)}
    zero = [name for name, ratio in zip(PARTS, fitted.ratios.tolist(), strict=True) if ratio == 0]
    words = [f"The variance of log times between {name} is estimated as zero." for name in zero]
    return MixedTimeRatio(
        math.exp(change), se, df, two_sided_p(change / se, df), sums.n, len(readers), int((sums.per_case > 0).sum()),
        TimeComponents(reader, case, response, fitted.scale), counts(kept), factors.get("period"),
        factors.get("position"), (*said(kept), *words),
    )  # fmt: skip


def counts(kept: KeptTimes) -> tuple[int, int]:
    excluded = kept.excluded.sum(axis=0)
    return int(excluded[0]), int(excluded[1])


def check_design(readers: tuple[str, ...], seconds: Floats) -> None:
    """Refuse what a model with random readers and cases cannot be fitted to."""
    timed = ~np.isnan(seconds)
    if len(readers) < 2 or int(timed.any(axis=(0, 1)).sum()) < 2:
        raise CannotAnalyse("A mixed model of times needs at least two readers and two cases.")
    both = timed.any(axis=2).sum(axis=1) == 2
    without = [name for name, there in zip(readers, both.tolist(), strict=True) if not there]
    if without:
        raise CannotAnalyse(f"{', '.join(without)} has no time in one of the arms.")


def covariates_of(seconds: Floats, period: Floats | None, position: Floats | None) -> tuple[list[str], list[Floats]]:
    """Names and values of the covariates, each around its mean; refused where they say nothing."""
    timed = ~np.isnan(seconds)
    names, found = [], []
    for name, given in (("period", period), ("position", position)):
        if given is None:
            continue
        values = np.asarray(given, dtype=float)
        if values.shape != seconds.shape or bool(np.isnan(values[timed]).any()):
            raise CannotAnalyse(f"Every time needs its {name}.")
        if float(np.ptp(values[timed])) == 0:
            raise CannotAnalyse(f"All times have the same {name}, which therefore has no effect to estimate.")
        names.append(name)
        found.append(np.where(timed, values - values[timed].mean(), 0.0))
    return names, found


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over readings that the likelihood needs; columns: reader x arm cells, covariates, log seconds.

    products: (column, column) sums of products; by_case: (column, case) sums; per_case: (case,) readings.
    """

    products: Floats
    by_case: Floats
    per_case: Floats
    cells: int

    @property
    def n(self) -> int:
        return int(self.per_case.sum())

    @classmethod
    def of(cls, seconds: Floats, covariates: list[Floats]) -> "Sums":
        timed = ~np.isnan(seconds)
        logs = np.log(np.where(timed, seconds, 1.0))
        # Around the mean, so that squares keep their digits.
        outcome = np.where(timed, logs - logs[timed].mean(), 0.0)
        flat = [column.reshape(-1, seconds.shape[2]) for column in (*covariates, outcome)]
        cells = timed.reshape(-1, seconds.shape[2]).astype(float)
        of_cells = np.stack([column.sum(axis=1) for column in flat])
        among = np.array([[float((one * two).sum()) for two in flat] for one in flat])
        products = np.block([[np.diag(cells.sum(axis=1)), of_cells.T], [of_cells, among]])
        by_case = np.vstack([cells, *(column.sum(axis=0) for column in flat)])
        return cls(products, by_case, cells.sum(axis=0), len(cells))

    def without_cases(self, ratio: float) -> Floats:
        """Products after cases with this standard deviation (in units of the error's; inf: fixed) are taken out."""
        kept = self.per_case > 0
        weight = 1 / (self.per_case[kept] + (0.0 if math.isinf(ratio) else 1 / ratio**2)) if ratio else np.zeros(1)
        return self.products - (self.by_case[:, kept] * weight) @ self.by_case[:, kept].T

    @property
    def fixed_part(self) -> Floats:
        """(column, fixed effect): constant, arm, covariates, and last the outcome, as sums of columns."""
        free = len(self.products) - self.cells
        found = np.zeros((len(self.products), 2 + free))
        found[: self.cells, 0] = 1
        found[1 : self.cells : 2, 1] = 1
        found[self.cells :, 2:] = np.eye(free)
        return found

    @property
    def random_part(self) -> Floats:
        """(column, random effect): readers, then readers' responses."""
        found = np.zeros((len(self.products), self.cells // 2 + self.cells))
        found[: self.cells, : self.cells // 2] = np.repeat(np.eye(self.cells // 2), 2, axis=0)
        found[: self.cells, self.cells // 2 :] = np.eye(self.cells)
        return found


@dataclass(frozen=True, eq=False)
class Fitted:
    """REML at given ratios of standard deviations to the error's: deviance, effects, their unscaled covariance."""

    deviance: float
    ratios: Floats
    fixed: Floats
    unscaled: Floats
    scale: float


def profiled(sums: Sums, ratios: Floats) -> Fitted:
    """Deviance with effects and error variance at their best; ratios of readers, cases, responses."""
    reader, case, response = (abs(float(ratio)) for ratio in ratios)
    inner = sums.without_cases(case)
    fixed, random = sums.fixed_part, sums.random_part.copy()
    random[:, : sums.cells // 2] *= reader
    random[:, sums.cells // 2 :] *= response
    block = np.eye(random.shape[1]) + random.T @ inner @ random
    across = random.T @ inner @ fixed
    whole = fixed.T @ inner @ fixed - across.T @ np.linalg.solve(block, across)
    design, target = whole[:-1, :-1], whole[:-1, -1]
    effects = np.asarray(np.linalg.solve(design, target), dtype=float)
    free = sums.n - len(effects)
    scale = float(whole[-1, -1] - target @ effects) / free
    volume = np.linalg.slogdet(block)[1] + np.linalg.slogdet(design)[1] + np.log1p(case**2 * sums.per_case).sum()
    deviance = free * math.log(max(scale, NOISE)) + float(volume)
    unscaled = np.asarray(np.linalg.inv(design), dtype=float)
    return Fitted(deviance, np.array([reader, case, response]), effects, unscaled, scale)


def fit(sums: Sums) -> Fitted:
    """The ratios of least deviance, those that make no difference at zero."""
    fixed_cases = sums.without_cases(math.inf)
    known, target = fixed_cases[:-1, :-1], fixed_cases[:-1, -1]
    left = float(fixed_cases[-1, -1] - target @ np.linalg.lstsq(known, target, rcond=None)[0])
    if left <= 1e-12 * max(float(sums.products[-1, -1]), NOISE):
        raise CannotAnalyse("Readers, cases and arms leave nothing of the times unexplained, so there is no error.")
    if (
        np.linalg.matrix_rank(sums.fixed_part[:, :-1].T @ sums.products @ sums.fixed_part[:, :-1])
        < len(known) - sums.cells + 2
    ):
        raise CannotAnalyse("Arm, period and position cannot be told apart in these times.")

    def deviance(ratios: Floats) -> float:
        return profiled(sums, ratios).deviance

    starts = [optimize.minimize(deviance, np.full(3, start), method="L-BFGS-B").x for start in (0.3, 1.0)]
    best = min(starts, key=deviance)
    best = np.abs(optimize.minimize(deviance, best, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-11}).x)
    for place in range(3):
        without = best.copy()
        without[place] = 0.0
        if deviance(without) <= deviance(best) + 1e-8:
            best = without
    return profiled(sums, best)
