"""R08: imaging features between the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.reports import figures
from inference.reports.asked import ALONE
from inference.reports.contract import Figure, Footer, Report, Table, empty
from inference.reports.models import linked
from inference.reports.statistics import Answer, Endpoint, NoStatistics, Question, Statistics
from inference.reports.study import Study
from inference.reports.words import counted, listed

if TYPE_CHECKING:
    import pandas as pd


def features(study: Study, statistics: Statistics) -> Report:
    """R08: counts and shares by class, chi-square or Fisher, odds ratios, p adjusted over all features by Holm."""

    id, title = "R08", "Imaging features by class"
    frame = study.features
    if frame is None:
        return empty(id, title, "The study holds no table features.csv, so there are no features to compare.")
    truths = truth_of(study)
    frame = frame.drop(columns=[name for name in ("folder", "reader") if name in frame.columns])
    kept = frame[frame["case"].isin(truths)]
    if kept.empty:
        return empty(id, title, "No case of features.csv has a known truth in predictions, readings or manifest.")
    truth = kept["case"].map(truths)
    names = [name for name in kept.columns if name not in ("case", "patient", "truth")]
    same = [name for name in names if is_truth(kept[name], truth)]
    names = [name for name in names if name not in same]
    if not names:
        return empty(id, title, "Every column of features.csv is the truth itself, so there are no features.")
    try:
        answer = asked(statistics, kept, truth, names)
        found = answer.findings("features")
    except NoStatistics as sentence:
        return empty(id, title, f"The statistics refuse: {sentence}")
    rows = found.tables["features"].merge(odds(kept, truth, names), on="feature", how="left")
    rows = rows.merge(differences(answer, names), on="feature", how="left")
    rows = rows[["feature", "diseased", "not diseased", *DIFFERENCE, "odds ratio", "test", "effect", "effect low",
                 "effect high", "p", "p adjusted"]]  # fmt: skip
    rows = rows.dropna(axis=1, how="all")
    clear = rows[rows["p adjusted"].astype(float) < 0.05]["feature"].tolist()
    text = [f"{len(clear)} of {counted(len(rows), 'feature')} differ between the classes after Holm's correction"
            f"{': ' + listed([name.replace('_', ' ') for name in clear]) if clear else ''}.", ODDS]  # fmt: skip
    text += [f"Left out, since it is the truth itself and no feature: {listed(same)}."] if same else []
    plot = figures.bars(shares(kept, truth, names), "feature", ["diseased", "not diseased"], "Share with the feature")
    counts = {"cases": len(kept), "positives": int(truth.sum()), "features": len(names)}
    return Report(
        id, title, tuple(text), (Table("features", "Features by class", rows, found.notes["features"]),
                                 Table("shares", "Shares of the figure", shares(kept, truth, names), shown=False)),
        (Figure("shares", "Share of cases with each feature.", plot, "shares"),),
        footer=Footer(answer.seed, counts, "of the difference of shares DeLong's", study.sources("features.csv"),
                      {"The statistics of the features": linked(answer)}),
    )  # fmt: skip


DIFFERENCE = ("difference of shares", "difference of shares low", "difference of shares high")
ODDS = (
    "Odds ratios are cross products of the counts, with one half added to every cell where one is empty; chi-square "
    "unless an expected count lies below 5, then Fisher's exact test. A difference of shares is twice the "
    "area under the ROC curve of the feature less one."
)


def is_truth(column: pd.Series, truth: pd.Series) -> bool:
    """Whether a column says of every case what the truth says."""
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce")
    return bool((values == truth).all())


def asked(statistics: Statistics, kept: pd.DataFrame, truth: pd.Series, names: list[str]) -> Answer:
    """Every feature tested between the classes, and each with two values as a score of its own, for its intervals."""
    import pandas as pd

    columns = {"patient": kept["case"], "case": kept["case"], "truth": truth}
    two = [name for name in names if kept[name].dropna().isin((0, 1)).all() and kept[name].nunique() == 2]
    scored = [("truth", truth), *((name, kept[name]) for name in two)]
    table = pd.concat([pd.DataFrame({"model": name, "set": "all", **columns, "score": values, "decision": values})
                       for name, values in scored], ignore_index=True).dropna()  # fmt: skip
    question = Question(
        "Features", "models only",
        (Endpoint("pairs", "models compared", "auc", "primary", {"models": ["truth", *two[:1]]}),
         Endpoint("features", "features", "accuracy"), Endpoint(ALONE, "model alone")),
        sections={"features": {"file": "signs.csv", "names": names, "multiplicity": "holm"}},
    )  # fmt: skip
    return statistics.ask("features", question, table, signs=kept)


def differences(answer: Answer, names: list[str]) -> pd.DataFrame:
    """Share with the feature in the diseased minus that in the others: 2 · AUC − 1, its limits likewise."""
    found = answer.findings(ALONE).tables["models"]
    found = found[found["model"].isin(names)].rename(columns={"model": "feature"})
    ends = dict(zip(("AUC", "AUC low", "AUC high"), DIFFERENCE, strict=True))
    return found[["feature"]].assign(**{new: 2 * found[old].astype(float) - 1 for old, new in ends.items()})


def truth_of(study: Study) -> dict[str, int]:
    """Truth of every case, from whichever table has it."""
    found: dict[str, int] = {}
    for frame in (study.predictions, study.readings, study.manifest):
        if frame is not None and "truth" in frame.columns:
            known = frame.dropna(subset=["truth"])
            found |= dict(zip(known["case"], known["truth"].astype(float).astype(int), strict=True))
    return found


def odds(frame: pd.DataFrame, truth: pd.Series, names: list[str]) -> pd.DataFrame:
    """Odds ratio of each feature with two values."""
    import pandas as pd

    rows = []
    for name in names:
        values = pd.to_numeric(frame[name], errors="coerce")
        if values.dropna().nunique() != 2:
            continue
        high = values == values.max()
        cells = [((high == a) & (truth == b) & values.notna()).sum() for a, b in ((1, 1), (0, 1), (1, 0), (0, 0))]
        a, b, c, d = (float(n) + 0.5 * (0 in cells) for n in cells)
        rows.append({"feature": name, "odds ratio": a * d / (b * c)})
    return pd.DataFrame(rows, columns=["feature", "odds ratio"])


def shares(frame: pd.DataFrame, truth: pd.Series, names: list[str]) -> pd.DataFrame:
    """Share of each class that has the feature."""
    import pandas as pd

    rows = []
    for name in names:
        values = pd.to_numeric(frame[name], errors="coerce")
        if values.dropna().isin((0, 1)).all():
            rows.append({"feature": name, "diseased": float(values[truth == 1].mean()),
                         "not diseased": float(values[truth == 0].mean())})  # fmt: skip
    return pd.DataFrame(rows, columns=["feature", "diseased", "not diseased"])
