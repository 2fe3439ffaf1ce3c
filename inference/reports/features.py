"""R08: imaging features between the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.reports import figures
from inference.reports.contract import Figure, Footer, Report, Table, empty
from inference.reports.models import linked
from inference.reports.statistics import Endpoint, NoStatistics, Question, Statistics
from inference.reports.study import Study
from inference.reports.words import counted, listed

if TYPE_CHECKING:
    import pandas as pd


def features(study: Study, statistics: Statistics) -> Report:
    """R08: counts and shares by class, chi-square or Fisher, odds ratios, p adjusted over all features by Holm."""
    import pandas as pd

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
    table = pd.DataFrame({"model": "truth", "set": "all", "patient": kept["case"], "case": kept["case"],
                          "truth": truth, "score": truth, "decision": truth})  # fmt: skip
    names = [name for name in kept.columns if name not in ("case", "patient", "truth")]
    question = Question(
        "Features", "models only",
        (Endpoint("pairs", "models compared", "auc", "primary"), Endpoint("features", "features", "accuracy")),
        sections={"features": {"file": "signs.csv", "names": names, "multiplicity": "holm"}},
    )  # fmt: skip
    try:
        answer = statistics.ask("features", question, table, signs=kept)
        found = answer.findings("features")
    except NoStatistics as sentence:
        return empty(id, title, f"The statistics refuse: {sentence}")
    rows = found.tables["features"].merge(odds(kept, truth, names), on="feature", how="left")
    rows = rows[["feature", "diseased", "not diseased", "odds ratio", "test", "effect", "effect low", "effect high",
                 "p", "p adjusted"]]  # fmt: skip
    clear = rows[rows["p adjusted"].astype(float) < 0.05]["feature"].tolist()
    text = [f"{len(clear)} of {counted(len(rows), 'feature')} differ between the classes after Holm's correction"
            f"{': ' + listed(clear) if clear else ''}.", ODDS]  # fmt: skip
    plot = figures.bars(shares(kept, truth, names), "feature", ["diseased", "not diseased"], "Share with the feature")
    counts = {"cases": len(kept), "positives": int(truth.sum()), "features": len(names)}
    return Report(
        id, title, tuple(text), (Table("features", "Features by class", rows, found.notes["features"]),
                                 Table("shares", "Shares of the figure", shares(kept, truth, names), shown=False)),
        (Figure("shares", "Share of cases with each feature.", plot, "shares"),),
        footer=Footer(answer.seed, counts, "of the effect (Cramér's V)", study.sources("features.csv"),
                      {"The statistics of the features": linked(answer)}),
    )  # fmt: skip


ODDS = (
    "Odds ratios are cross products of the counts, with one half added to every cell where one is empty; chi-square "
    "unless an expected count lies below 5, then Fisher's exact test."
)


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
