"""Reading times by a mixed model: every reading counts, also where a case was read in one arm only."""

import math
import warnings as python_warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.interval import Interval, two_sided_p, wald
from analysis.ratings import Floats
from analysis.timing import InterruptionRule, KeptTimes, checked, exponential, said

if TYPE_CHECKING:
    import pandas as pd

# statsmodels handles crossed effects as one dense block; beyond this a fit takes minutes.
MOST_READINGS = 6000
PARTS = {"reader": "0 + C(reader)", "case": "0 + C(case)", "reader_arm": "0 + C(reader_arm)"}


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
    independent; by REML of `statsmodels` MixedLM with crossed variance components. The response of readers to the arm
    is a component, so that the error of the ratio grows with it; Student's t with readers - 1 degrees of freedom. With
    complete times and that component above zero this is `time_ratio`; with gaps it also uses cases read in one arm.
    Assumes gaps unrelated to the times that are missing. Source: Laird & Ware (1982), Biometrics 38:963-974;
    Baayen, Davidson & Bates (2008), J. Mem. Lang. 59:390-412. Fewer than two readers or cases, a reader without one
    of the arms, no residual spread, no convergence, more than 6000 readings: refused.

    >>> generator = np.random.default_rng(1)
    >>> seconds = np.exp(3 + generator.normal(0, 0.3, (4, 2, 12)) + np.array([0, -0.2])[None, :, None])
    >>> found = mixed_time_ratio(("A", "B", "C", "D"), seconds, InterruptionRule(longest=600))
    >>> round(found.estimate, 3), found.df
    (0.795, 3)
    """
    kept = checked(readers, seconds, rule)
    check_design(readers, kept.values)
    frame = long_table(kept.values, period, position)
    fitted, words = fit(frame, [name for name in ("period", "position") if name in frame])
    fixed, scale = fitted.fe_params, float(fitted.scale)
    change, se, df = float(fixed["arm"]), float(fitted.bse_fe["arm"]), len(readers) - 1
    parts = dict(zip(fitted.model.exog_vc.names, (float(part) for part in fitted.vcomp), strict=True))
    components = TimeComponents(parts["reader"], parts["case"], parts["reader_arm"], scale)
    return MixedTimeRatio(
        math.exp(change), se, df, two_sided_p(change / se, df), len(frame), len(readers), frame["case"].nunique(),
        components, counts(kept), factor(fixed, "period"), factor(fixed, "position"), (*said(kept), *words),
    )  # fmt: skip


def counts(kept: KeptTimes) -> tuple[int, int]:
    excluded = kept.excluded.sum(axis=0)
    return int(excluded[0]), int(excluded[1])


def factor(fixed: "pd.Series[float]", name: str) -> float | None:
    return math.exp(float(fixed[name])) if name in fixed else None


def check_design(readers: tuple[str, ...], seconds: Floats) -> None:
    """Refuse what a model with random readers and cases cannot be fitted to."""
    timed = ~np.isnan(seconds)
    if len(readers) < 2 or int(timed.any(axis=(0, 1)).sum()) < 2:
        raise CannotAnalyse("A mixed model of times needs at least two readers and two cases.")
    without = [name for name, row in zip(readers, timed.any(axis=2), strict=True) if not row.all()]
    if without:
        raise CannotAnalyse(f"{', '.join(without)} has no time in one of the arms.")
    if timed.sum() > MOST_READINGS:
        raise CannotAnalyse(
            f"A mixed model of {int(timed.sum())} times takes too long (at most {MOST_READINGS}); "
            "the ratio paired by case does not."
        )


def long_table(seconds: Floats, period: Floats | None, position: Floats | None) -> "pd.DataFrame":
    """One row per time, with log seconds; periods as 0 and 1."""
    import pandas as pd

    timed = ~np.isnan(seconds)
    reader, arm, case = np.nonzero(timed)
    frame = pd.DataFrame({"log_seconds": np.log(seconds[timed]), "reader": reader, "arm": arm, "case": case})
    frame["reader_arm"] = 2 * frame["reader"] + frame["arm"]
    for name, values in (("period", period), ("position", position)):
        if values is None:
            continue
        if np.shape(values) != seconds.shape or bool(np.isnan(np.asarray(values, dtype=float)[timed]).any()):
            raise CannotAnalyse(f"Every time needs its {name}.")
        column = np.asarray(values, dtype=float)[timed]
        if float(np.ptp(column)) == 0:
            raise CannotAnalyse(f"All times have the same {name}, which therefore has no effect to estimate.")
        frame[name] = column - column.min()
    return frame


def fit(frame: "pd.DataFrame", covariates: list[str]) -> tuple[Any, list[str]]:
    """The REML fit and what has to be said about it."""
    from statsmodels.regression.mixed_linear_model import MixedLM
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    formula = " + ".join(["log_seconds ~ arm", *covariates])
    if no_residual(frame, covariates):
        raise CannotAnalyse("Readers, cases and arms leave nothing of the times unexplained, so there is no error.")
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        try:
            model = MixedLM.from_formula(formula, frame, groups=np.ones(len(frame)), re_formula="0", vc_formula=PARTS)
            found = model.fit(reml=True)
        except np.linalg.LinAlgError as failure:
            raise CannotAnalyse("The mixed model of times cannot be fitted: its equations are singular.") from failure
    if not found.converged or not np.isfinite(found.bse_fe["arm"]) or found.bse_fe["arm"] <= 0:
        raise CannotAnalyse("The mixed model of times did not converge; the ratio paired by case needs no model.")
    boundary = any(issubclass(item.category, ConvergenceWarning) for item in caught)
    said = ["A variance component lies at or near zero, so the model rests on the other ones."] if boundary else []
    return found, said


def no_residual(frame: "pd.DataFrame", covariates: list[str]) -> bool:
    """Do reader x arm and case explain every time?"""
    import pandas as pd

    columns = [pd.get_dummies(frame[name], dtype=float).to_numpy() for name in ("reader_arm", "case")]
    design = np.hstack([*columns, frame[covariates].to_numpy(dtype=float)])
    target = frame["log_seconds"].to_numpy()
    solution = np.linalg.lstsq(design, target, rcond=None)[0]
    return bool(np.abs(target - design @ solution).max() < 1e-10)
