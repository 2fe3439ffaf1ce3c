"""R02, R03, R06, R13: what models reach on each set, their curves, confusion, and what a move elsewhere costs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from inference.cards import OUT_OF_FOLD, TUNING
from inference.reports import figures
from inference.reports.asked import ALONE, CALIBRATION, PAIRS, of_set, scores
from inference.reports.contract import Figure, Footer, Report, Table, empty, rows_of
from inference.reports.statistics import Answer, Findings, NoStatistics, Statistics
from inference.reports.study import FOLDS, SEEN, TUNED, Study
from inference.reports.words import counted, number, p_value

if TYPE_CHECKING:
    import pandas as pd

SHIFT, FALL = 0.10, 0.05
INTERVALS = "AUC DeLong's (Obuchowski's where patients have several cases), F1 by the bootstrap, others Wilson's"
NO_PREDICTIONS = "The study holds no table predictions.csv, so there is nothing to say of its models."


def sets_of(study: Study) -> list[str]:
    """Sets with both classes, the own one first, what was seen in training last."""
    frame = study.predictions
    if frame is None:
        return []
    known = [name for name, part in frame.groupby("set", sort=False) if part["truth"].nunique() == 2]
    return sorted(map(str, known), key=lambda name: (name in (SEEN, TUNED), name != study.own_set, name))


def counts_of(frame: pd.DataFrame) -> dict[str, int]:
    cases = frame.drop_duplicates("case")
    return {
        "cases": len(cases),
        "patients": int(cases["patient"].nunique()) if "patient" in cases.columns else 0,
        "positives": int((cases["truth"].astype(float) == 1).sum()),
    }


def footer(study: Study, answers: dict[str, Answer], interval: str, *names: str) -> Footer:
    """Counts of the predictions, digests of the named tables, links to the statistics' own pages."""
    frame = study.predictions
    seed = next(iter(answers.values())).seed if answers else None
    links = {f"The statistics of {word}": linked(one) for word, one in answers.items()}
    # Logits beside a card are predictions too.
    beside = (OUT_OF_FOLD, TUNING) if "predictions.csv" in names else ()
    sources = study.sources(*dict.fromkeys((*names, *beside)))
    return Footer(seed, {} if frame is None else counts_of(frame), interval, sources, links)


def linked(answer: Answer) -> str:
    """Path of the statistics' page beside the exports."""
    return str(answer.page.relative_to(answer.page.parents[3]))


def asked(study: Study, statistics: Statistics, names: list[str]) -> tuple[dict[str, Answer], list[str]]:
    """Answers for each set, and what was refused."""
    answers, refused = {}, []
    for name in names:
        try:
            answers[name] = of_set(study, statistics, name)
        except NoStatistics as sentence:
            refused.append(f"{name}: {sentence}")
    return answers, refused


def alone(answers: dict[str, Answer]) -> tuple[pd.DataFrame, str]:
    """One row a model and set with every metric, and the note of the statistics."""
    import pandas as pd

    frames, notes = [], []
    for answer in answers.values():
        found = answer.findings(ALONE)
        frames.append(found.tables["models"])
        notes.append(found.notes["models"])
    said = [part for note in notes for part in re.split(r"(?<=[a-z]\.) ", note)]
    return pd.concat(frames, ignore_index=True), " ".join(dict.fromkeys(said))


def metrics(study: Study, statistics: Statistics) -> Report:
    """R02: AUC, accuracy, sensitivity, specificity, precision, F1 of every model on every set."""
    id, title = "R02", "Models on each set"
    if study.predictions is None:
        return empty(id, title, NO_PREDICTIONS)
    answers, refused = asked(study, statistics, sets_of(study))
    if not answers:
        return empty(id, title, " ".join(refused) or "No set has both classes, so no measure of accuracy exists.")
    frame, note = alone(answers)
    text = [best_sentence(frame, name) for name in answers]
    text += [f"! Not computed: {sentence}" for sentence in refused]
    figure = Figure(
        "auc", "Area under the ROC curve of every model on every set, with 95 % intervals.",
        figures.forest(frame.assign(label=frame["model"] + ", " + frame["set"]), "label", "AUC", "AUC"), "models",
    )  # fmt: skip
    return Report(
        id, title, tuple(text), (Table("models", "Measures at the frozen threshold", frame, note),), (figure,),
        footer=footer(study, answers, INTERVALS, "predictions.csv"),
    )  # fmt: skip


def best_sentence(frame: pd.DataFrame, name: str) -> str:
    part = frame[frame["set"] == name].dropna(subset=["AUC"])
    if part.empty:
        return f"No AUC could be computed on {name}."
    best = rows_of(part.sort_values("AUC", ascending=False))[0]
    size = f"{counted(int(best['cases']), 'case')}, {int(best['diseased'])} positive"
    word = "reached" if len(part) == 1 else "had the highest AUC:"
    return (
        f"On {name} ({size}) {best['model']} {word} {number(best['AUC'], 3)} "
        f"({number(best['AUC low'], 3)}–{number(best['AUC high'], 3)})."
    )


def curves(study: Study, statistics: Statistics) -> Report:
    """R03: ROC curves per set; DeLong's tests pair by pair with Holm's correction over the pairs of a set."""
    import pandas as pd

    id, title = "R03", "ROC curves and paired comparison"
    if study.predictions is None:
        return empty(id, title, NO_PREDICTIONS)
    answers, refused = asked(study, statistics, sets_of(study))
    plots: list[Figure] = []
    tables: list[Table] = []
    text: list[str] = []
    for name, answer in answers.items():
        part = scores(study.predictions[study.predictions["set"] == name])
        areas = answer.findings(ALONE).tables["models"].set_index("model")["AUC"].astype(float)
        traced = {
            f"{model} · AUC {number(areas[model], 3)}": figures.roc_points(
                rows["truth"].tolist(), rows["score"].tolist()
            )
            for model, rows in part.groupby("model", sort=False)
        }
        place = len(tables)
        plots.append(Figure(f"roc-{place}", f"ROC curves, {name}.", figures.roc(traced), f"roc-{place}"))
        tables.append(Table(f"roc-{place}", f"Points of the curves, {name}", points_table(traced), shown=False))
        try:
            tables.append(Table(f"delong-{place}", f"AUC, second minus first model, {name}", pairs(answer)))
        except NoStatistics:
            text.append(f"On {name} there is one model, so nothing is compared.")
    text += [f"! Not computed: {sentence}" for sentence in refused]
    if not plots:
        return empty(id, title, " ".join(text) or "No set has both classes, so there is no curve.")
    if any(one.name.startswith("delong") for one in tables):
        frame = pd.concat([one.frame for one in tables if one.name.startswith("delong")])
        text.insert(0, significant(frame))
    note = "differences DeLong's (Obuchowski's where patients have several cases), p adjusted by Holm over the pairs"
    return Report(
        id, title, tuple(text), tuple(tables), tuple(plots),
        footer=footer(study, answers, note, "predictions.csv"),
    )  # fmt: skip


def points_table(traced: dict[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(
        [pd.DataFrame({"curve": label, "1 − specificity": x, "sensitivity": y}) for label, (x, y) in traced.items()],
        ignore_index=True,
    )


def pairs(answer: Answer) -> pd.DataFrame:
    """DeLong's differences with p as they are and adjusted."""
    import pandas as pd

    found = answer.findings(PAIRS).claims
    return pd.DataFrame(
        {
            "first": found["first"], "second": found["second"], "first AUC": found["first_value"],
            "second AUC": found["second_value"], "difference": found["estimate"], "difference low": found["low"],
            "difference high": found["high"], "p": found["p"], "p (Holm)": found["p_adjusted"],
        }
    )  # fmt: skip


def significant(frame: pd.DataFrame) -> str:
    clear = frame[frame["p (Holm)"].astype(float) < 0.05]
    if clear.empty:
        return f"None of {counted(len(frame), 'paired comparison')} shows a difference after Holm's correction."
    least = rows_of(clear.sort_values("p (Holm)"))[0]
    return (
        f"{len(clear)} of {counted(len(frame), 'paired comparison')} differ after Holm's correction; the clearest is "
        f"{least['second']} minus {least['first']}, {number(least['difference'], 3)} (adjusted p "
        f"{p_value(least['p (Holm)'])})."
    )


def confusion(study: Study, statistics: Statistics) -> Report:
    """R06: counts and row shares of every model and reader on the set that was read."""
    import pandas as pd

    id, title = "R06", "Confusion matrices"
    rows: list[tuple[str, pd.DataFrame]] = []
    if study.predictions is not None:
        part = scores(study.predictions[study.predictions["set"] == study.own_set]).dropna(subset=["decision"])
        rows += [(str(name), one) for name, one in part.groupby("model", sort=False)]
    if study.readings is not None and "decision" in study.readings.columns:
        known = study.readings.dropna(subset=["decision"])
        several = known["arm"].nunique() > 1
        rows += [
            (f"{reader}, {arm}" if several else str(reader), one)
            for (reader, arm), one in known.groupby(["reader", "arm"], sort=False)
        ]
    if not rows:
        return empty(id, title, "Neither predictions nor readings hold decisions, so nothing can be counted.")
    cells = {name: counted_cells(one) for name, one in rows}
    frame = pd.DataFrame(
        [
            {"who": name, "true positive": c[1][1], "false negative": c[1][0], "false positive": c[0][1],
             "true negative": c[0][0]}
            for name, c in cells.items()
        ]
    )  # fmt: skip
    figure = Figure("matrices", "Counts and shares of each row; rows are the truth, columns the answer.",
                    figures.matrices(cells), "counts")  # fmt: skip
    return Report(
        id, title, (f"At the frozen thresholds, on {study.own_set or 'the cases that were read'}.",),
        (Table("counts", "Counts", frame),), (figure,),
        footer=footer(study, {}, "", "predictions.csv", "readings.csv"),
    )  # fmt: skip


def counted_cells(frame: pd.DataFrame) -> list[list[int]]:
    truth, decision = frame["truth"].astype(float) == 1, frame["decision"].astype(float) == 1
    return [[int((~truth & ~decision).sum()), int((~truth & decision).sum())],
            [int((truth & ~decision).sum()), int((truth & decision).sum())]]  # fmt: skip


def moved(study: Study, statistics: Statistics) -> Report:
    """R13: internal and external sets side by side, the shift of the operating point, calibration."""
    import pandas as pd

    id, title = "R13", "Internal and external"
    names = [name for name in sets_of(study) if name not in (SEEN, TUNED)]
    if len(names) < 2:
        return empty(id, title, "There is one set of cases only, so nothing can be said of other hospitals.")
    # At home is where the model comes from, also where readers read the cases of another hospital.
    home = next((name for name in ("control", FOLDS) if name in names), names[0])
    names = sorted(names, key=lambda name: name != home)
    answers, refused = asked(study, statistics, names)
    frame, note = alone(answers)
    text = [f"! Not computed: {sentence}" for sentence in refused] + shifts(frame, home)
    calibrated = [
        found.tables["calibration"]
        for answer in answers.values()
        if (found := calibration(answer)) is not None
    ]  # fmt: skip
    tables = [Table("sets", "The same thresholds on every set", frame, note)]
    ordered = frame.sort_values("model", kind="stable")
    ordered = ordered.assign(label=ordered["model"] + ", " + ordered["set"])
    plots = [
        Figure("auc", "AUC on every set.", figures.forest(ordered, "label", "AUC", "AUC"), "sets"),
        Figure("specificity", "Specificity at the frozen threshold on every set.",
               figures.forest(ordered, "label", "specificity", "Specificity"), "sets"),
    ]  # fmt: skip
    if calibrated:
        tables.append(Table("calibration", "Calibration", pd.concat(calibrated, ignore_index=True), CALIBRATED))
        points = fifths(study, names)
        tables.append(Table("fifths", "Points of the calibration figure", points, shown=False))
        series = [(str(label), one["predicted"].tolist(), one["observed"].tolist())
                  for label, one in points.groupby("label", sort=False)]  # fmt: skip
        plot = figures.lines(series, "Mean predicted probability", "Observed share", marks=True)
        plot.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line={"color": figures.GREY, "dash": "dot", "width": 1})
        plots.append(
            Figure("calibration", "Observed against predicted, in fifths of each set's cases.", plot, "fifths")
        )
    return Report(
        id, title, tuple(text), tuple(tables), tuple(plots), footer=footer(study, answers, INTERVALS, "predictions.csv")
    )


CALIBRATED = "Perfect calibration: slope 1, intercept 0, expected over observed 1."


def fifths(study: Study, names: list[str]) -> pd.DataFrame:
    """Mean probability and share of positives in fifths of the cases, by model and set."""
    import pandas as pd

    assert study.predictions is not None
    rows = []
    table = scores(study.predictions[study.predictions["set"].isin(names)])
    for (model, name), part in table.groupby(["model", "set"], sort=False):
        for place, one in enumerate(np.array_split(part.sort_values("score").index.to_numpy(), 5)):
            if len(one):
                chosen = part.loc[one]
                rows.append({"label": f"{model}, {name}", "fifth": place + 1, "cases": len(one),
                             "predicted": chosen["score"].mean(), "observed": chosen["truth"].mean()})  # fmt: skip
    return pd.DataFrame(rows)


def calibration(answer: Answer) -> Findings | None:
    """What was found of calibration; None where it was refused."""
    try:
        return answer.findings(CALIBRATION)
    except NoStatistics:
        return None


def shifts(frame: pd.DataFrame, own: str) -> list[str]:
    """A sentence for every set on which the specificity lies more than .10 from that of the own set."""
    said = []
    for model, part in frame.groupby("model", sort=False):
        by_set = {str(row["set"]): row for row in rows_of(part.dropna(subset=["specificity", "AUC"]))}
        if own not in by_set:
            continue
        home = by_set.pop(own)
        for name, here in by_set.items():
            change = here["specificity"] - home["specificity"]
            if abs(change) > SHIFT:
                falls = home["AUC"] - here["AUC"] > FALL
                said.append(
                    f"! The operating point of {model} shifted: at the frozen threshold its specificity is "
                    f"{number(here['specificity'], 3)} ({number(here['specificity low'], 3)}–"
                    f"{number(here['specificity high'], 3)}) on {name} and {number(home['specificity'], 3)} on {own}. "
                    f"The AUC is {number(here['AUC'], 3)} and {number(home['AUC'], 3)}: "
                    + ("the ranking suffers too." if falls else "the ranking holds, the threshold does not fit there.")
                )
    return said or [f"No specificity lies more than {SHIFT:.2f} from that on {own} at the frozen threshold."]
