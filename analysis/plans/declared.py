"""What a plan of a whole study declares: frozen records, one per section of the file, checked when they are made."""

from dataclasses import dataclass, field
from typing import Literal

from analysis.errors import CannotAnalyse
from analysis.interval import check_level

Role = Literal["primary", "secondary", "exploratory"]
Hypothesis = Literal["superiority", "non-inferiority", "equivalence", "non-inferiority then superiority"]
DeclaredDesign = Literal[
    "fully crossed", "split-plot", "missing cells", "single reader", "readers nested in arms", "models only"
]
Metric = Literal["auc", "sensitivity", "specificity", "accuracy"]
CovarianceChoice = Literal["by design", "delong", "jackknife", "unbiased"]
Family = Literal["holm", "hochberg", "fixed sequence", "co-primary"]
MissingRule = Literal["as read", "complete cases", "worst case"]
Of = Literal["readings", "cases", "readers"]
Sampling = Literal["random", "fixed"]
SEED = 20260101


@dataclass(frozen=True)
class Columns:
    """Names of the columns as the tables have them."""

    reader: str = "reader"
    arm: str = "arm"
    case: str = "case"
    truth: str = "truth"
    rating: str = "rating"
    decision: str = "decision"
    seconds: str = "seconds"
    seniority: str = "seniority"
    patient: str = "patient"
    model: str = "model"
    score: str = "score"
    set: str = "set"
    fold: str = "fold"


@dataclass(frozen=True)
class Readers:
    """Who counts as a reader of the study, and what readers stand for."""

    sampling: Sampling = "random"
    names: tuple[str, ...] = ()
    seniorities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cases:
    """What cases stand for; with `nested` several of them may come from one patient (column patient)."""

    sampling: Sampling = "random"
    nested: bool = False


@dataclass(frozen=True)
class Exclusion:
    """One rule, fixed beforehand, over one column; exactly one condition."""

    reason: str
    column: str
    of: Of = "readings"
    equals: str | float | None = None
    differs: str | float | None = None
    one_of: tuple[str, ...] = ()
    below: float | None = None
    above: float | None = None
    missing: bool = False

    def __post_init__(self) -> None:
        given = [self.equals is not None, self.differs is not None, bool(self.one_of)]
        given += [self.below is not None, self.above is not None, self.missing]
        if sum(given) != 1:
            raise CannotAnalyse(
                f"An exclusion has one condition (equals, differs, one_of, below, above or missing), not {sum(given)}."
            )


@dataclass(frozen=True)
class Missing:
    """What happens to readings that are not there."""

    rule: MissingRule = "as read"


@dataclass(frozen=True)
class Multiplicity:
    """How the family-wise error is kept; with `gatekeeping` secondary endpoints wait for all primary ones."""

    primary: Family = "holm"
    secondary: Literal["holm", "hochberg", "fixed sequence"] = "holm"
    gatekeeping: bool = True


@dataclass(frozen=True)
class Scores:
    """The table of the models' output on the same cases; its path is relative to the plan."""

    file: str = ""
    models: tuple[str, ...] = ()
    own_set: str = ""
    sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Features:
    """The table of imaging features, one row per case."""

    file: str = ""
    names: tuple[str, ...] = ()
    multiplicity: Literal["holm", "hochberg", "benjamini-hochberg"] = "holm"


@dataclass(frozen=True)
class Marks:
    """The table of marks of a localisation study, one row per mark, and the lesions of the cases."""

    file: str = ""
    lesions: str = ""


@dataclass(frozen=True)
class Subgroup:
    """One column, of readers or of cases, within whose values the primary endpoints are repeated."""

    column: str


@dataclass(frozen=True)
class Endpoint:
    """One question of the study."""

    name: str
    role: Role
    analysis: str
    metric: Metric = "auc"
    arms: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    seniority: str = ""
    models: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    unit: Literal["case", "patient"] = "case"
    hypothesis: Hypothesis = "superiority"
    margin: float | None = None
    covariance: CovarianceChoice = "by design"
    test: Literal["exact", "midp", "asymptotic", "corrected"] = "exact"
    column: str = ""
    of: Literal["all", "diseased", "non-diseased"] = "all"
    longest: float | None = None

    def __post_init__(self) -> None:
        if self.hypothesis != "superiority" and self.margin is None:
            raise CannotAnalyse(f"The hypothesis {self.hypothesis} of {self.name!r} needs a margin.")
        if self.margin is not None and not 0 < self.margin < 1:
            raise CannotAnalyse(f"The margin of {self.name!r} lies between 0 and 1, not at {self.margin:g}.")
        if self.margin is not None and self.hypothesis == "superiority":
            raise CannotAnalyse(f"{self.name!r} has a margin, so its hypothesis is non-inferiority or equivalence.")


@dataclass(frozen=True)
class StudyPlan:
    """Everything that is fixed before the first reading; differences are second minus first-named."""

    title: str
    design: DeclaredDesign
    endpoints: tuple[Endpoint, ...]
    arms: tuple[str, ...] = ()
    seed: int = SEED
    level: float = 0.95
    columns: Columns = field(default_factory=Columns)
    readers: Readers = field(default_factory=Readers)
    cases: Cases = field(default_factory=Cases)
    exclusions: tuple[Exclusion, ...] = ()
    missing: Missing = field(default_factory=Missing)
    multiplicity: Multiplicity = field(default_factory=Multiplicity)
    scores: Scores = field(default_factory=Scores)
    features: Features = field(default_factory=Features)
    marks: Marks = field(default_factory=Marks)
    subgroups: tuple[Subgroup, ...] = ()

    def __post_init__(self) -> None:
        check_plan(self)

    @property
    def has_readers(self) -> bool:
        return self.design != "models only"

    def of_role(self, role: Role) -> tuple[Endpoint, ...]:
        return tuple(endpoint for endpoint in self.endpoints if endpoint.role == role)


def check_plan(plan: StudyPlan) -> None:
    """Refuse what contradicts itself, before any table is read."""
    check_level(plan.level)
    if not plan.of_role("primary"):
        raise CannotAnalyse("A plan has at least one primary endpoint.")
    for kind, names in (("endpoint", [item.name for item in plan.endpoints]), ("arm", list(plan.arms))):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise CannotAnalyse(f"A plan names every {kind} once; it names {', '.join(twice)} more than once.")
    if plan.has_readers and not plan.arms:
        raise CannotAnalyse("A plan of a study with readers names its arms.")
    if plan.readers.sampling == "fixed" and plan.cases.sampling == "fixed":
        raise CannotAnalyse("With readers and cases both fixed nothing varies, so there is no test.")
    if plan.missing.rule == "worst case" and plan.design in ("split-plot", "readers nested in arms"):
        raise CannotAnalyse(f"In a {plan.design} design it is not known which readings are missing, so no worst case.")
    for endpoint in plan.endpoints:
        strange = [arm for arm in endpoint.arms if arm not in plan.arms]
        if strange:
            raise CannotAnalyse(
                f"The endpoint {endpoint.name!r} names the arm {strange[0]!r}, which the plan does not."
            )
        unknown = [name for name in endpoint.models if plan.scores.models and name not in plan.scores.models]
        if unknown:
            raise CannotAnalyse(
                f"The endpoint {endpoint.name!r} names the model {unknown[0]!r}, which the plan does not."
            )
