"""What an endpoint answers with: claims, estimates, tables and drawings, each a frozen record ready for JSON."""

from dataclasses import dataclass
from typing import Literal

from analysis.plans.declared import Hypothesis
from analysis.plans.drawings import Drawing
from analysis.rows import DifferenceRow

Cell = str | float | int | None
Verdict = Literal["met", "not met", "not tested", "described"]


@dataclass(frozen=True)
class Estimate:
    """One number of one reader, model or arm, with its interval; what it is of stands in `label`."""

    label: str
    group: str
    metric: str
    estimate: float
    se: float | None
    low: float | None
    high: float | None
    n: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """One hypothesis with its test; p is one-sided for non-inferiority and equivalence, two-sided otherwise.

    `wanted` is the direction that the study hopes for; `null` the value of no difference, 1 for a ratio. `p_adjusted`
    is held against alpha, or against alpha/2 where p is one-sided; None where nothing was claimed.
    """

    label: str
    hypothesis: Hypothesis
    margin: float | None
    p: float
    one_sided: bool
    row: DifferenceRow
    wanted: Literal["higher", "lower", "other"] = "higher"
    null: float = 0.0
    p_adjusted: float | None = None
    verdict: Verdict = "described"
    sentence: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the report and of a CSV file; numbers in full precision."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Findings:
    """What one analysis found; `method` says in words what was computed in the end."""

    method: str
    claims: tuple[Claim, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    tables: tuple[Table, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """One endpoint of the plan with its findings, or with the sentence why there are none."""

    name: str
    role: str
    analysis: str
    metric: str
    valid: bool
    sentence: str
    findings: Findings | None
