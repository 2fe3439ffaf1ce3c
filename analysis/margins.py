"""A difference held against a margin: non-inferiority, equivalence, and superiority afterwards."""

import math
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from analysis.delong import AucDifference
from analysis.errors import CannotAnalyse
from analysis.interval import Interval, check_level, wald
from analysis.paired import PairedTable, tango, tango_score

Verdict = Literal["superior", "non-inferior", "not shown"]


@dataclass(frozen=True)
class MarginTest:
    """Second minus first, higher being better, held against a margin; every p but `p_equivalence` is one-sided.

    statistic and p are of H0: difference <= -margin; upper_statistic is of H0: difference >= margin; p_equivalence is
    the larger of both one-sided p (TOST); p_superiority is of H0: difference <= 0.
    """

    estimate: float
    se: float
    margin: float
    df: float
    statistic: float
    p: float
    upper_statistic: float
    p_equivalence: float
    p_superiority: float
    table: PairedTable | None = None

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Two-sided; Tango's for proportions, as it inverts the same score test, else Wald's."""
        if self.table is not None:
            return tango(self.table, level)
        return wald(self.estimate, self.se, level, self.df).clipped(-1.0, 1.0)

    def verdict(self, level: float = 0.95) -> Verdict:
        """Non-inferiority at (1 - level)/2 one-sided, and only where it is shown superiority at the same level.

        The fixed sequence keeps the error of both within that level: Morikawa & Yoshida (1995), J. Biopharm. Stat.
        5:297-306.
        """
        check_level(level)
        alpha = (1 - level) / 2
        if self.p >= alpha:
            return "not shown"
        return "superior" if self.p_superiority < alpha else "non-inferior"

    def equivalent(self, level: float = 0.95) -> bool:
        """Whether both one-sided tests reject at (1 - level)/2: the interval lies within ± margin."""
        check_level(level)
        return self.p_equivalence < (1 - level) / 2


def margin_test(estimate: float, se: float, margin: float, df: float = math.inf) -> MarginTest:
    """Is the second arm worse by less than the margin, going by an estimate and its standard error?

    estimate: second minus first, higher is better; margin > 0 in its units; df: of Student's t, infinite for the
    normal. statistic = (estimate + margin)/se, upper_statistic = (estimate - margin)/se. Source: Chen, Petrick &
    Sahiner (2012), Acad. Radiol. 19:1158-1165; Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657-680 (TOST).
    A margin that is not positive, or a difference that does not vary: refused.

    >>> found = margin_test(0.0438003220611916, 0.0206825047854446, 0.05, 15.0661079388731)
    >>> round(found.statistic, 6), round(found.p, 6), round(found.p_equivalence, 6), found.verdict()
    (4.53525, 0.000195, 0.38423, 'non-inferior')
    """
    check_margin(margin)
    if not se > 0:
        raise CannotAnalyse("Nothing varies, so the difference cannot be held against a margin.")
    lower, upper = (estimate + margin) / se, (estimate - margin) / se
    return judged(estimate, se, margin, df, (lower, upper, estimate / se), None)


def auc_margin_test(found: AucDifference, margin: float) -> MarginTest:
    """Is the AUC of the second rating lower by less than the margin?

    found: from `delong.delong_test`, `delong.delong_test_unpaired` or `clustered_auc.clustered_auc_test`; see
    `margin_test`.

    >>> import numpy as np
    >>> from analysis.delong import delong_test
    >>> truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    >>> areas = delong_test(truth, np.array([1.0, 2, 3, 2, 3, 4]), np.array([1.0, 1, 3, 2, 4, 4]))
    >>> found = auc_margin_test(areas, 0.05)
    >>> round(found.p, 6), found.verdict()
    (0.020152, 'non-inferior')
    """
    return margin_test(found.estimate, found.se, margin, math.inf if found.df is None else found.df)


def paired_margin_test(table: PairedTable, margin: float) -> MarginTest:
    """Is the second of two paired proportions lower by less than the margin?

    statistic: the score of H0: difference = -margin, with the discordant share estimated under H0; it has width also
    without discordant pairs. Source: Nam (1997), Biometrics 53:1422-1430; Tango (1998), Stat. Med. 17:891-908;
    equivalence by both one-sided tests. No cases, or a margin outside (0, 1): refused.

    >>> found = paired_margin_test(PairedTable(60, 10, 8, 22), 0.15)
    >>> round(found.statistic, 6), round(found.p, 6), found.verdict()
    (2.750779, 0.002973, 'non-inferior')
    """
    check_margin(margin)
    if margin >= 1:
        raise CannotAnalyse(f"The margin of a difference of proportions lies below 1, not at {margin:g}.")
    b, c, n, estimate = table.first_only, table.second_only, table.n, table.difference
    se = math.sqrt(max(b + c - (b - c) ** 2 / n, 0.0)) / n
    scores = (tango_score(table, -margin), tango_score(table, margin), tango_score(table, 0.0))
    return judged(estimate, se, margin, math.inf, scores, table)


def judged(
    estimate: float, se: float, margin: float, df: float, scores: tuple[float, float, float], table: PairedTable | None
) -> MarginTest:
    """scores: of H0 at -margin, at +margin and at 0."""
    lower, upper, at_zero = scores
    p = upper_tail(lower, df)
    return MarginTest(
        estimate, se, margin, df, lower, p, upper, max(p, upper_tail(-upper, df)), upper_tail(at_zero, df), table
    )


def upper_tail(statistic: float, df: float) -> float:
    return float(stats.norm.sf(statistic) if math.isinf(df) else stats.t.sf(statistic, df))


def check_margin(margin: float) -> None:
    if not (math.isfinite(margin) and margin > 0):
        raise CannotAnalyse(f"A margin is a positive number, not {margin:g}.")
