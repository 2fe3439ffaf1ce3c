"""The analyses that a plan can name: for which metrics, which data they need, and whether they may carry a claim."""

from dataclasses import dataclass

from analysis.errors import CannotAnalyse
from analysis.plan import POOLED
from analysis.plans.declared import Endpoint, Metric, StudyPlan

DECIDED: tuple[Metric, ...] = ("sensitivity", "specificity", "accuracy")
OR_METRICS: tuple[Metric, ...] = ("auc", "sensitivity", "specificity")
EVERY: tuple[Metric, ...] = ("auc", *DECIDED)


@dataclass(frozen=True)
class Entry:
    """One analysis: the metrics it has, what must be there, and its words for the methods paragraph.

    readers, scores: whether readings, or scores of models, must be there; arms: how many arms it compares;
    claims: whether it may be primary or secondary with a verdict, or only describes.
    """

    name: str
    metrics: tuple[Metric, ...]
    methods: str
    readers: bool = False
    scores: bool = False
    arms: int = 0
    claims: bool = True
    seniorities: bool = False
    pooled: bool = False
    nested: bool | None = None
    column: bool = False


ENTRIES = (
    Entry(
        "obuchowski-rockette",
        OR_METRICS,
        "Arms were compared over all readers and cases by the Obuchowski-Rockette analysis with Hillis's degrees of "
        "freedom (Obuchowski & Rockette 1995; Hillis 2007).",
        readers=True,
        arms=2,
        nested=False,
    ),
    Entry(
        "u-statistics",
        EVERY,
        "Arms were compared by U-statistics, which hold for arbitrary designs (Gallas 2006; Gallas, Bandos, Samuelson "
        "& Wagner 2009).",
        readers=True,
        arms=2,
        nested=False,
    ),
    Entry(
        "delong per reader",
        ("auc",),
        "AUCs of each reader were compared by DeLong's test (DeLong, DeLong & Clarke-Pearson 1988).",
        readers=True,
        arms=2,
        nested=False,
    ),
    Entry(
        "mcnemar per reader",
        DECIDED,
        "Decisions of each reader were compared by McNemar's test with Newcombe's interval of the paired difference "
        "(McNemar 1947; Newcombe 1998).",
        readers=True,
        arms=2,
        nested=False,
    ),
    Entry(
        "clustered per reader",
        EVERY,
        "Within each reader units nested in patients were compared by Obuchowski's methods for clustered data "
        "(Obuchowski 1997, 1998).",
        readers=True,
        arms=2,
        nested=True,
    ),
    Entry(
        "interaction",
        OR_METRICS,
        "Whether the difference between arms depends on seniority was tested as the seniority-by-arm interaction of "
        "the Obuchowski-Rockette model.",
        readers=True,
        arms=2,
        seniorities=True,
        nested=False,
    ),
    Entry(
        "model against readers",
        OR_METRICS,
        "The model alone was compared with the mean of the readers by the one-treatment random-reader random-case "
        "analysis (Hillis, Obuchowski & Berbaum 2011; Chakraborty 2017).",
        readers=True,
        scores=True,
        arms=1,
        nested=False,
    ),
    Entry(
        "model against each reader",
        EVERY,
        "The model was compared with each reader on the same cases by DeLong's test (AUC) or McNemar's test "
        "(decisions), and by Obuchowski's methods for clustered data where units nest in patients (Obuchowski 1997, "
        "1998).",
        readers=True,
        scores=True,
        arms=1,
    ),
    Entry(
        "models compared",
        EVERY,
        "Models were compared on the same cases, pair by pair: by DeLong's test (AUC) or McNemar's test (decisions), "
        "and by Obuchowski's methods for clustered data where units nest in patients (Obuchowski 1997, 1998).",
        scores=True,
    ),
    Entry(
        "model alone",
        EVERY,
        "Models were described by AUC with DeLong's interval and by proportions with Wilson's interval; F1 has a "
        "bootstrap interval.",
        scores=True,
        claims=False,
    ),
    Entry(
        "external sets",
        EVERY,
        "Internal and external sets were analysed separately, each with its own table, at the threshold that was "
        "frozen before; a shift of specificity by more than .10 is flagged.",
        scores=True,
        claims=False,
    ),
    Entry(
        "cross-validation",
        ("auc",),
        "Each case was predicted once, by the model of the fold that left its patient out; these out-of-fold "
        "predictions were pooled per case. Folds share their training data, so no test treats them as independent.",
        scores=True,
        claims=False,
    ),
    Entry(
        "features",
        ("accuracy",),
        "Features were compared between classes by the chi-square test (Fisher's exact test where an expected count "
        "is below 5) or, where they are graded, by the Mann-Whitney test.",
        claims=False,
    ),
    Entry(
        "calibration",
        ("auc",),
        "Calibration of probabilities was described by the Brier score, the calibration intercept and slope, and the "
        "ratio of expected to observed cases.",
        scores=True,
        claims=False,
    ),
    Entry(
        "decision curve",
        ("auc",),
        "Net benefit was computed over threshold probabilities (Vickers & Elkin 2006).",
        scores=True,
        claims=False,
    ),
    Entry(
        "reading time",
        ("accuracy",),
        "Reading times were compared as the ratio of geometric means by a mixed model with random readers, cases and "
        "responses of readers to the arm (Laird & Ware 1982), for single readers by Student's t over cases (Bland & "
        "Altman 1996); interruptions were excluded by the rule of the plan.",
        readers=True,
        arms=2,
    ),
    Entry(
        "reliance",
        ("accuracy",),
        "Changes of mind between the two rounds were counted by whether the model was right; over- and under-reliance "
        "follow Schemmer et al. 2023.",
        readers=True,
        scores=True,
        arms=2,
        claims=False,
    ),
    Entry(
        "agreement",
        ("accuracy",),
        "Agreement of readers was described by Fleiss' kappa of all and Cohen's kappa of each pair.",
        readers=True,
        claims=False,
    ),
    Entry(
        "froc",
        ("auc",),
        "Localisation was analysed by the weighted AFROC area with the Obuchowski-Rockette analysis (Chakraborty & "
        "Zhai 2016).",
        readers=True,
        arms=2,
    ),
    Entry(
        "mean of column",
        ("accuracy",),
        "Means of a measure per case have intervals by the bootstrap of patients.",
        claims=False,
        column=True,
    ),
    Entry(
        "delong pooled over readers",
        ("auc",),
        "A DeLong test pooled over readers is shown for comparison with older papers only.",
        readers=True,
        arms=2,
        claims=False,
        pooled=True,
    ),
    Entry(
        "mcnemar pooled over readers",
        DECIDED,
        "A McNemar test pooled over readers is shown for comparison with older papers only.",
        readers=True,
        arms=2,
        claims=False,
        pooled=True,
    ),
)
BY_NAME = {entry.name: entry for entry in ENTRIES}


def entry_of(endpoint: Endpoint) -> Entry:
    """The analysis that an endpoint names; a pooled or unknown one is refused with its reason."""
    found = BY_NAME.get(endpoint.analysis)
    if endpoint.analysis in POOLED and (found is None or endpoint.role != "exploratory"):
        allowed = "" if found is None else "; it may stand as exploratory, with its warning"
        raise CannotAnalyse(
            f"{endpoint.analysis.capitalize()} is no valid {endpoint.role} analysis of several readers (its type-I "
            f"error at a nominal 5 % was {POOLED[endpoint.analysis]} % in simulation); use "
            f"obuchowski-rockette{allowed}."
        )
    if found is None:
        raise CannotAnalyse(f"The plan knows no analysis {endpoint.analysis!r}; it knows {', '.join(BY_NAME)}.")
    return found


def check_endpoint(endpoint: Endpoint, plan: StudyPlan) -> None:
    """Refuse an endpoint that could not be valid with any table."""
    entry = entry_of(endpoint)
    if endpoint.metric not in entry.metrics and len(entry.metrics) > 1:
        raise CannotAnalyse(f"{capital(entry.name)} has the metrics {', '.join(entry.metrics)}, not {endpoint.metric}.")
    if entry.metrics == ("auc",) and endpoint.metric != "auc":
        raise CannotAnalyse(f"{capital(entry.name)} has the metric auc only, not {endpoint.metric}.")
    if endpoint.role == "primary" and not entry.claims:
        raise CannotAnalyse(f"{capital(entry.name)} describes and tests nothing, so it is no primary analysis.")
    if entry.readers and not plan.has_readers:
        raise CannotAnalyse(f"{capital(entry.name)} needs readers, and the design is models only.")
    if entry.scores and plan.has_readers and not plan.scores.file:
        raise CannotAnalyse(f"{capital(entry.name)} needs the models' scores; name their table in [scores] file.")
    if entry.arms == 2 and len(endpoint.arms or plan.arms) < 2:
        raise CannotAnalyse(f"{capital(entry.name)} compares two arms, and the plan names only one.")
    if entry.arms == 2 and len(endpoint.arms or plan.arms) > 2:
        raise CannotAnalyse(
            f"{endpoint.name!r} compares two arms, and the plan names more; name its two as arms = [first, second]."
        )
    if entry.column and not endpoint.column:
        raise CannotAnalyse(f"{capital(entry.name)} needs the name of a column.")
    check_nesting(endpoint, entry, plan)


def check_nesting(endpoint: Endpoint, entry: Entry, plan: StudyPlan) -> None:
    """Units nested in patients need clustered tests; several readers need more than a test per reader."""
    nested = plan.cases.nested and endpoint.unit == "case"
    if nested and entry.nested is False:
        raise CannotAnalyse(
            f"{capital(entry.name)} takes cases as independent, and the plan says that several come from one patient; "
            "use clustered per reader, or unit = 'patient'."
        )
    if not plan.cases.nested and (entry.nested is True or endpoint.unit == "patient"):
        raise CannotAnalyse(f"{endpoint.name!r} speaks of patients; say nested = true in [cases].")
    if entry.name in ("obuchowski-rockette", "interaction") and plan.design == "single reader":
        raise CannotAnalyse(f"{capital(entry.name)} needs several readers, and the design is a single reader.")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
