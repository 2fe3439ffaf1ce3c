"""R19, R20: how the training went, and what each model is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.reports import figures
from inference.reports.contract import Figure, Footer, Report, Table, empty
from inference.reports.statistics import Statistics
from inference.reports.study import Study, Trained
from inference.reports.words import counted, listed, number

if TYPE_CHECKING:
    import pandas as pd

# A line through so few points is hardly seen.
FEW = 4
NO_CARDS = "The study holds no card.json, so nothing can be said of its models' making."
CURVES = (("loss", "Loss, training"), ("tune_loss", "Loss, tuning"), ("tune_auc", "AUC, tuning"),
          ("tune_dice", "Dice, tuning"), ("rate", "Learning rate"))  # fmt: skip


def curves(study: Study, statistics: Statistics) -> Report:
    """R19: loss, AUC, Dice and learning rate by epoch, a line a fold."""
    import pandas as pd

    id, title = "R19", "Training"
    rows = [
        {"model": label(one), "fold": fold, "epoch": epoch.epoch, **{name: getattr(epoch, name) for name, _ in CURVES},
         "seconds": epoch.seconds}
        for one in study.trained
        for fold, epochs in one.histories.items()
        for epoch in epochs
    ]  # fmt: skip
    if not rows:
        return empty(id, title, "The study holds no history.jsonl, so the training cannot be shown.")
    frame = pd.DataFrame(rows)
    plots = []
    for name, heading in CURVES:
        known = frame.dropna(subset=[name])
        if known.empty:
            continue
        series = [
            (str(model), part["epoch"].tolist(), part[name].tolist())
            for (model, _), part in known.groupby(["model", "fold"], sort=False)
        ]
        plot = figures.lines(series, "Epoch", heading, marks=int(known["epoch"].max()) < FEW)
        if name == "rate":
            plot.update_yaxes(type="log", dtick="D2", exponentformat="e")
        plots.append(Figure(name, f"{heading}, by epoch.", plot, "epochs"))
    table = Table("summary", "Length and outcome of every training", summary(frame))
    whole = Table("epochs", "Every epoch", frame, shown=False)
    took = frame["seconds"].sum() / 60
    text = f"{counted(len(table.frame), 'training')}, {number(took, 1)} minutes in all. A line is a fold."
    footer = Footer(None, {"trainings": len(table.frame), "epochs": len(frame)}, "", study.sources("history.jsonl"))
    return Report(id, title, (text,), (table, whole), tuple(plots), footer=footer)


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for (model, fold), part in frame.groupby(["model", "fold"], sort=False):
        rows.append(
            {
                "model": model, "fold": fold, "epochs": int(part["epoch"].max()),
                "last loss": part["loss"].iloc[-1], "last tuning loss": part["tune_loss"].iloc[-1],
                "best tuning AUC": part["tune_auc"].max(), "best tuning Dice": part["tune_dice"].max(),
                "minutes": part["seconds"].sum() / 60,
            }
        )  # fmt: skip
    return pd.DataFrame(rows).dropna(axis=1, how="all")


def label(one: Trained) -> str:
    return f"{one.card.name}, version {one.card.version}"


def cards(study: Study, statistics: Statistics) -> Report:
    """R20: what every model is: family, size, digests, data, where the threshold comes from, use and limits."""
    import pandas as pd

    id, title = "R20", "Models"
    if not study.trained:
        return empty(id, title, NO_CARDS)
    made = pd.DataFrame([made_row(one) for one in study.trained])
    decided = pd.DataFrame([decision_row(one) for one in study.trained])
    text = list(dict.fromkeys(use_sentence(one) for one in study.trained)) + [
        f"{listed([label(one) for one in study.trained])}: {counted(len(study.trained), 'card')}, each checked against "
        "its own digest when it was read."
    ]
    footer = Footer(None, {"models": len(study.trained)}, "", study.sources("card.json"))
    tables = (Table("models", "What the models are", made), Table("decisions", "Where their thresholds come from",
              decided, "A threshold is chosen on the predictions of the digest, before control or external cases."),
              Table("digests", "Digests", digests(study)))  # fmt: skip
    return Report(id, title, tuple(text), tables, footer=footer)


def made_row(one: Trained) -> dict[str, object]:
    card, spec = one.card, one.card.spec
    data = card.data.get("training")
    size = data.get("cases") if isinstance(data, dict) else None
    return {
        "model": label(one), "family": card.family,
        "inputs": listed([f"{i.name} ({len(i.slices)})" for i in spec.inputs]),
        "size": " × ".join(map(str, spec.size)),
        "parameters (M)": card.parameters / 1e6 if card.parameters else None,
        "MACs (G)": card.macs / 1e9 if card.macs else None,
        "epochs": spec.train.epochs,
        "seed": spec.train.seed, "cases taught": size, "follows": card.paper,
    }  # fmt: skip


def decision_row(one: Trained) -> dict[str, object]:
    decision = one.card.spec.decision
    if decision is None:
        return {"model": label(one), "rule": "not decided"}
    return {
        "model": label(one), "rule": decision.rule, "threshold": decision.threshold,
        "calibration": decision.calibration.tag, "chosen on cases": decision.cases,
        "digest of these predictions": decision.fitted_on[:16] + "…",
        "abstains between": "" if decision.abstain is None else f"{decision.abstain[0]}–{decision.abstain[1]}",
    }  # fmt: skip


def use_sentence(one: Trained) -> str:
    parts = {"Intended use": one.card.intended_use, "Limits": one.card.limits, "Licence": one.card.licence}
    return " ".join(f"{word}: {text.rstrip('.')}." for word, text in parts.items())


def digests(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [{"model": label(one), "card": one.card.digest, "weights": one.card.weights_sha256} for one in study.trained]
    )
