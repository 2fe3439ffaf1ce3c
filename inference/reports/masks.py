"""R14, R15: how well masks fit, beside what an empty mask would reach; and masks to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.reports import figures
from inference.reports.contract import Figure, Footer, Panel, Picture, Report, Table, empty, rows_of
from inference.reports.models import linked
from inference.reports.pictures import film, of_model, overlay, true_mask, which_slice
from inference.reports.statistics import Answer, Endpoint, NoStatistics, Question, Statistics
from inference.reports.study import SEEN, Study
from inference.reports.words import counted, listed, number

if TYPE_CHECKING:
    import pandas as pd

NO_MASKS = "The study holds no table segmentation.csv; run `python -m inference evaluate` where masks are stored."
# Measure, its name, on which cases.
MEASURES = (
    ("dice", "Dice", "diseased"), ("iou", "IoU", "diseased"), ("precision", "precision", "diseased"),
    ("recall", "recall", "diseased"), ("hd95", "HD95", "diseased"), ("mae", "MAE", "all"),
    ("s_measure", "S-measure", "diseased"), ("e_measure", "E-measure", "diseased"),
    ("weighted_f", "weighted F", "diseased"),
    ("false_positive_area", "false-positive area of controls", "non-diseased"),
    ("pixel_accuracy", "pixel accuracy", "all"), ("background_accuracy", "pixel accuracy of an empty mask", "all"),
)  # fmt: skip
RULES = (
    "Overlap and distance on positives: a positive without any mask has Dice 0 and no distance. On controls every "
    "marked pixel is false-positive area (share of the image). HD95 in mm where the size of a pixel is known."
)
SHOWN = 6


def fits(study: Study, statistics: Statistics) -> Report:
    """R14: Dice, IoU, precision, recall, HD95, MAE, S, E, F on positives; false area; pixel accuracy and its floor."""
    import pandas as pd

    id, title = "R14", "Masks against the truth"
    frame = study.masks
    if frame is None:
        return empty(id, title, NO_MASKS)
    frame = frame[frame["set"] != SEEN] if (frame["set"] != SEEN).any() else frame
    frame, thin = enough(frame)
    if frame.empty:
        return empty(id, title, f"{listed(thin)}: a mean with an interval needs two positive and two other patients.")
    try:
        answer = asked(statistics, frame)
    except NoStatistics as sentence:
        return empty(id, title, f"The statistics refuse: {sentence}")
    rows, text = [], []
    for column, name, _ in MEASURES:
        if column not in frame.columns:
            continue
        try:
            means = answer.findings(column).tables["means"]
        except NoStatistics as sentence:
            text.append(f"! Not computed: {name}: {sentence}")
            continue
        rows.append(means.assign(measure=name))
    whole = pd.concat(rows, ignore_index=True).rename(columns={"low": "mean low", "high": "mean high"})
    kept = ["model", "set", "measure", "cases", "patients", "mean", "mean low", "mean high", "median"]
    positives = [name for _, name, of in MEASURES if of == "diseased"]
    groups = (
        ("overlap", "Masks of positives", positives[:5], RULES), ("maps", "Maps of positives", positives[5:], ""),
        ("controls", "All cases, and controls", ["MAE", "false-positive area of controls"], ""),
    )  # fmt: skip
    tables = [Table("pixels", "Pixel accuracy, never without that of an empty mask", beside(whole), FLOOR)]
    tables += [
        Table(name, heading, across(whole, measures), note)
        for name, heading, measures, note in groups
        if set(measures) & set(whole["measure"])
    ]
    tables.append(Table("masks", "Every measure", whole[kept], shown=False))
    text = pixel_sentences(tables[0].frame) + text
    text += [f"! {listed(thin)} left out: fewer than two positive or two other patients."] if thin else []
    dice = whole[whole["measure"] == "Dice"]
    plots = []
    if not dice.empty:
        named = {"mean": "Dice", "mean low": "Dice low", "mean high": "Dice high"}
        labelled = dice.rename(columns=named).assign(label=dice["model"] + ", " + dice["set"])
        plot = figures.forest(labelled, "label", "Dice", "Dice on positives")
        plots.append(Figure("dice", "Mean Dice on positives.", plot, "masks"))
    counts = {"cases": int(frame["case"].nunique()), "patients": int(frame["patient"].nunique()),
              "positives": int((frame.drop_duplicates("case")["truth"].astype(float) == 1).sum())}  # fmt: skip
    return Report(
        id, title, tuple(text), tuple(tables), tuple(plots),
        footer=Footer(answer.seed, counts, "of means by drawing patients anew", study.sources("segmentation.csv"),
                      {"The statistics of the masks": linked(answer)}),
    )  # fmt: skip


FLOOR = "The gain is what the masks add to an empty mask; where it is negative an empty mask is better by this measure."


def enough(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Sets with two positive and two other patients, and the names of those without."""
    people = frame.groupby(["set", frame["truth"].astype(float) == 1])["patient"].nunique().unstack(fill_value=0)
    thin = [str(name) for name, row in people.iterrows() if len(row) < 2 or row.min() < 2]
    return frame[~frame["set"].isin(thin)], thin


def asked(statistics: Statistics, frame: pd.DataFrame) -> Answer:
    """Means of every measure, by model and set."""
    endpoints = [Endpoint("pairs", "models compared", "auc", "primary")]
    endpoints += [
        Endpoint(column, "mean of column", "accuracy", options={"column": column, "of": of})
        for column, _, of in MEASURES
        if column in frame.columns
    ]
    columns = [column for column, _, _ in MEASURES if column in frame.columns]
    table = frame[["patient", "case", "set", "truth", *columns]].assign(
        model=frame["system"], score=frame["pixel_accuracy"], decision=frame["truth"]
    )
    question = Question("Masks", "models only", tuple(endpoints), (), {"cases": {"nested": True}})
    return statistics.ask("masks", question, table)


def across(whole: pd.DataFrame, measures: list[str]) -> pd.DataFrame:
    """One row a model and set, a column a measure, each with its limits."""
    keys = ["model", "set"]
    frame = whole[keys].drop_duplicates().set_index(keys)
    for name in measures:
        part = whole[whole["measure"] == name].set_index(keys)
        if not part.empty:
            frame = frame.assign(
                **{name: part["mean"], f"{name} low": part["mean low"], f"{name} high": part["mean high"]}
            )
    return frame.reset_index()


def beside(whole: pd.DataFrame) -> pd.DataFrame:
    """Pixel accuracy and that of an empty mask in one row."""
    keys = ["model", "set"]
    ours = whole[whole["measure"] == "pixel accuracy"].set_index(keys)
    floor = whole[whole["measure"] == "pixel accuracy of an empty mask"].set_index(keys)
    frame = ours[["cases", "mean", "mean low", "mean high"]].rename(
        columns={"mean": "pixel accuracy", "mean low": "pixel accuracy low", "mean high": "pixel accuracy high"}
    )
    frame = frame.assign(**{"of an empty mask": floor["mean"]})
    return frame.assign(gain=frame["pixel accuracy"] - frame["of an empty mask"]).reset_index()


def pixel_sentences(frame: pd.DataFrame) -> list[str]:
    """How often masks beat an empty mask by pixel accuracy, and where they do not."""
    better = frame[frame["gain"] > 0]
    said = [
        f"By pixel accuracy {len(better)} of {counted(len(frame), 'pair')} of model and set are better than a mask "
        f"without any pixel, which has {number(frame['of an empty mask'].min(), 4)} to "
        f"{number(frame['of an empty mask'].max(), 4)}; Dice on positives and false area on controls say more."
    ]
    worse = rows_of(frame[frame["gain"] <= 0].sort_values("gain"))
    said += [
        f"! {row['model']}, {row['set']}: pixel accuracy {number(row['pixel accuracy'], 4)} is no more than the "
        f"{number(row['of an empty mask'], 4)} of an empty mask."
        for row in worse[:SHOWN]
    ]
    return said + ([f"! {len(worse) - SHOWN} more are in the table."] if len(worse) > SHOWN else [])


def looked_at(study: Study, statistics: Statistics) -> Report:
    """R15: image, truth, and each model's mask, for the best, the middle and the worst Dice and for controls."""
    id, title = "R15", "Masks to look at"
    frame = study.masks
    if frame is None:
        return empty(id, title, NO_MASKS)
    rows = []
    for case in chosen(frame):
        image = film(study, case)
        if image is None:
            continue
        part = frame[frame["case"] == case]
        truth = true_mask(study, case)
        row = [
            Picture(overlay(image), f"{case}{which_slice(study, case)}, {part['set'].iloc[0]}"),
            Picture(overlay(image, truth), "truth"),
        ]
        for one in rows_of(part):
            mask = of_model(study, one["folder"], "masks", case)
            if mask is not None:
                dice = one["dice"]
                said = f"Dice {number(dice, 2)}" if dice == dice else f"{int(one['false_positive_pixels'])} px false"
                row.append(Picture(overlay(image, truth, mask), f"{one['system']}: {said}"))
        rows.append(tuple(row))
    if not rows:
        return empty(id, title, "No image of a measured case lies in the study's folder, so there is nothing to show.")
    footer = Footer(None, {"cases": len(rows)}, "", study.sources("segmentation.csv"))
    return Report(id, title, (OUTLINES,), panels=(Panel("Masks", tuple(rows)),), footer=footer)


OUTLINES = (
    "Outlines: green the truth, orange the model's mask from one half. By the Dice of the first model: the best, the "
    "middle, the worst positives, and controls with the most false area."
)


def chosen(frame: pd.DataFrame) -> list[str]:
    """Four positives over the range of Dice and two controls with the most false area."""
    first = frame[frame["system"] == frame["system"].iloc[0]]
    ranked = first.dropna(subset=["dice"]).sort_values("dice", ascending=False)["case"].tolist()
    places = sorted({0, len(ranked) // 3, 2 * len(ranked) // 3, len(ranked) - 1} & set(range(len(ranked))))
    controls = first[first["dice"].isna()].sort_values("false_positive_pixels", ascending=False)["case"].tolist()
    return [str(case) for case in [*(ranked[place] for place in places), *controls[: SHOWN - 4]]]
