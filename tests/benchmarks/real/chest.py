"""Chest films that five radiologists read: the families of S0 in their small architectures, normal or abnormal.

Developed on the films of one half of the patients, decided, then asked the films of the other half. Some five minutes
of one core.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from inference.explain.picture import over_png
from inference.imaging.images import read_image
from inference.models import registry
from inference.outputs import CaseLoss, Heatmap, Output, Probability
from inference.reports import figures, report
from inference.reports.asked import ALONE, PAIRS, models_only
from inference.reports.contract import Figure, Panel, Picture, Report, Table
from inference.reports.heatmaps import CAUTION
from inference.reports.pictures import overlay
from inference.reports.statistics import Findings, Statistics
from inference.reports.words import number, probability
from inference.spec import Input, ModelSpec
from inference.steps import Flip, Percentile, ResizePad, ZScore
from tests.benchmarks.real.calling import as_csv, declared, inference, once, source
from tests.benchmarks.real.chest_readers import (
    Floats,
    Judged,
    Metric,
    at_specificities,
    compared,
    judged,
    paired,
    rate,
    votes,
)
from tests.benchmarks.real.page import About, Measured, Reached, at_least, interval, written
from tests.inference.discs import toml_of
from tests.journeys import films

SET = "nih_cxr_810_five_readers"
FAMILIES = {"MobileNet": "s0-mobilenet", "EfficientNet": "s0-efficientnet", "MnasNet": "s0-mnasnet"}
SIZE = (96, 96)
EPOCHS = 20
# What S0's own criteria ask of each family, and of the best, on synthetic films.
EACH, BEST = 0.76, 0.80
HEAD = ("case", "patient", "role", "file", "truth")
SHOWN = (("right: abnormal", True, True), ("right: abnormal", True, True), ("wrong: called abnormal", False, True),
         ("wrong: called normal", True, False))  # fmt: skip
RIGHTS = (
    "Images: NIH Clinical Center, ChestX-ray14 (Wang et al., CVPR 2017), 256 × 256. Labels and readings: Majkowska et "
    "al., Radiology 2020, doi 10.1148/radiol.2019191293; Nabulsi et al., Sci Rep 2021; for research and education."
)


@dataclass(frozen=True)
class Asked:
    """What the models said of the films of the study; all arrays in the order of the rows.

    Attributes
    ----------
    rows : DataFrame
        ``predictions.csv`` of all models, one below the other, with a column ``family``.
    """

    rows: pd.DataFrame

    @cached_property
    def cases(self) -> pd.DataFrame:
        """Films with what is known of them, and what the first family said."""
        first = self.rows["family"].iloc[0]
        films_once: pd.DataFrame = self.rows[self.rows["family"] == first].reset_index(drop=True)
        return films_once

    @cached_property
    def scores(self) -> dict[str, Floats]:
        """Probabilities by family."""
        return {str(name): part["probability"].to_numpy() for name, part in self.rows.groupby("family", sort=False)}


def measure(
    out: Path, *, families: Mapping[str, str] = FAMILIES, epochs: int = EPOCHS, patients: int = 0, explained: int = 4
) -> Measured:
    """Every family taught, decided and asked; the readers beside them; the page.

    Parameters
    ----------
    families : mapping of str to str
        Name to recipe.
    epochs : int
    patients : int
        So many of each half; 0 for all.
    explained : int
        Films with heat maps.
    """
    source(SET)
    home = out.resolve() / "chest"
    manifest = cohort(home, patients)
    asked = Asked(pd.concat([answers(home, manifest, *one, epochs) for one in families.items()], ignore_index=True))
    readers = judged(votes(asked.cases["case"]))
    files = home / "chest_files"
    statistics = Statistics(files / "analysis")
    alone = of_models(asked, statistics)
    beside = compared(moved(asked, readers), "sensitivity", "at-readers", statistics)
    sections = (
        plane(asked, readers, alone), at_readers(asked, readers, beside), at_own(asked, readers, statistics),
        looked(home, asked, explained),
        *(replace(report(id, home, "s0", files), id=numeral) for numeral, id in (("VI", "R22"), ("VII", "R20"))),
    )  # fmt: skip
    return written(about(asked, readers), home, numbers_of(alone, beside), sections)


def adapted(name: str, recipe: str, epochs: int = EPOCHS) -> ModelSpec:
    """A family of S0 in its small architecture: frontal films instead of lateral ones, no place taught, mirrored."""
    small = registry.load(recipe, "small")
    heat = small.output(Heatmap)
    question = Probability("abnormal film", "normal", "abnormal")
    outputs: tuple[Output, ...] = (question, heat) if heat else (question,)
    taught = replace(
        small.train, losses=(CaseLoss(smoothing=0.05),), epochs=epochs, augment=(*small.train.augment, Flip())
    )
    return registry.checked(
        replace(
            small, name=name, inputs=(Input("DX", view="frontal"),), outputs=outputs, train=taught,
            preprocess=(Percentile(), ZScore(), ResizePad(SIZE)),
        )
    )  # fmt: skip


def cohort(home: Path, patients: int) -> Path:
    """The manifest: one half of the patients develops, the other is the control set."""
    rows = []
    for half, role in ((films.DEVELOP, "develop"), (films.STUDY, "control")):
        table = films.truths(half)
        chosen = table["Patient ID"].unique()[: patients or None]
        for _, row in table[table["Patient ID"].isin(chosen)].iterrows():
            image = str(row["Image ID"])
            rows.append((image, row["Patient ID"], role, films.film(image), row["Abnormal"]))
    stale = (home / "models", home / "answers")
    return declared(home / "cohort" / "manifest.csv", as_csv(HEAD, rows), *stale)


def answers(home: Path, manifest: Path, family: str, recipe: str, epochs: int) -> pd.DataFrame:
    """One family through train, decide and predict."""
    name = f"chest-{family.lower()}"
    model, out = home / "models" / name, home / "answers" / name
    spec = declared(home / "models" / f"{name}.toml", toml_of(adapted(name, recipe, epochs)), model, out)
    version = model / "1"
    if not version.is_dir():
        once(model / "draft" / "card.json", "train", spec, manifest, "--out", home / "models")
        once(version, "decide", model)
    said = once(out / "predictions.csv", "predict", manifest, "--model", version, "--out", out)
    return pd.read_csv(said, dtype={"case": str, "patient": str}).assign(family=family)


def of_models(asked: Asked, statistics: Statistics) -> tuple[pd.DataFrame, Findings | None]:
    """Every model alone, and, where there are several, their areas compared pair by pair."""
    rows = asked.rows
    table = rows[["patient", "case", "truth"]].assign(
        model=rows["family"], set="films of other patients", score=rows["probability"], decision=rows["positive"]
    )
    answer = models_only(statistics, "models", "Chest films, models", table)
    compared = answer.findings(PAIRS) if rows["family"].nunique() > 1 else None
    return answer.findings(ALONE).tables["models"], compared


def numbers_of(alone: tuple[pd.DataFrame, Findings | None], beside: pd.DataFrame) -> tuple[Reached, ...]:
    frame = alone[0]
    found = []
    for row in frame.to_dict("records"):
        said = interval(row["AUC"], row["AUC low"], row["AUC high"])
        found.append(at_least(f"{row['model']}, AUC on films of other patients", row["AUC"], EACH, said=said))
    best = float(frame["AUC"].max())
    known = "principal components and a logistic regression .776, SOURCE.md of the set"
    found.append(at_least("the best family, AUC", best, BEST, known=known))
    gains = beside.groupby("model", sort=False)["difference"].mean()
    for model, gain in gains.items():
        part = beside[beside["model"] == model]
        clear = int((part["p (Holm)"] < 0.05).sum())
        found.append(
            Reached(
                f"{model}, sensitivity at the radiologists' specificities minus theirs, mean of {len(part)}",
                f"{number(float(gain), 3)}; {clear} of {len(part)} differ (Holm)",
            )
        )
    return tuple(found)


def about(asked: Asked, readers: Sequence[Judged]) -> About:
    cases = asked.cases
    return About(
        "chest",
        "Chest films, normal or abnormal: three networks and five radiologists",
        "The families of S0, developed on the films of one half of the patients and decided there, on the films of the "
        "other half. The published truth is the majority of three of the radiologists.",
        {"films": str(len(cases)), "patients": str(cases["patient"].nunique()),
         "abnormal": str(int(cases["truth"].sum())), "models": str(len(asked.scores)), "readers": str(len(readers))},
        RIGHTS,
    )  # fmt: skip


def plane(asked: Asked, readers: Sequence[Judged], alone: tuple[pd.DataFrame, Findings | None]) -> Report:
    """ROC curves with the radiologists as points."""
    frame, compared = alone
    areas = frame.set_index("model")["AUC"].astype(float)
    truth = asked.cases["truth"].tolist()
    traced = {
        f"{model} · AUC {number(areas[model], 3)}": figures.roc_points(truth, score.tolist())
        for model, score in asked.scores.items()
    }
    plot = figures.roc(traced, [reader.point for reader in readers])
    plot.update_layout(height=620, legend={"orientation": "h", "y": -0.16, "x": 0})
    title = (
        "ROC curves of the families against the published truth; radiologists as points with Wilson's 95 % limits, "
        "each against the majority of three others."
    )
    points = pd.DataFrame(
        [
            {"reader": one.name, "of the published truth": not one.outside, "abnormal by three others":
             int(one.truth.sum()), "sensitivity": one.point.sensitivity,
             "sensitivity low": one.point.sensitivity_limits[0], "sensitivity high": one.point.sensitivity_limits[1],
             "specificity": one.point.specificity, "specificity low": one.point.specificity_limits[0],
             "specificity high": one.point.specificity_limits[1]}
            for one in readers if one.point.sensitivity_limits and one.point.specificity_limits
        ]
    )  # fmt: skip
    tables = [
        Table("models", "Models at their frozen thresholds", frame.drop(columns="set"),
              "AUC with Obuchowski's interval, since a patient has several films (DeLong's where each has one)."),
        Table("readers", "Radiologists", points),
    ]  # fmt: skip
    if compared is not None:
        columns = ["first", "second", "estimate", "low", "high", "p", "p_adjusted"]
        named = {"estimate": "difference", "low": "difference low", "high": "difference high",
                 "p_adjusted": "p (Holm)"}  # fmt: skip
        pairs = compared.claims[columns].rename(columns=named)
        tables.append(Table("pairs", "AUC, second minus first", pairs))
    return Report("II", "Models and radiologists", tables=tuple(tables), figures=(Figure("plane", title, plot),))


def moved(asked: Asked, readers: Sequence[Judged]) -> pd.DataFrame:
    """Pairs with every model at every reader's specificity."""
    return paired(readers, at_specificities(readers, asked.scores), asked.cases)


def at_readers(asked: Asked, readers: Sequence[Judged], beside: pd.DataFrame) -> Report:
    """Each model at each reader's specificity."""
    note = (
        "The model's threshold is moved on these films to the reader's specificity, against the truth without this "
        "reader, so this describes; what the frozen thresholds reach stands in the next section. McNemar's test for "
        "clustered films (Obuchowski), Holm over all rows."
    )
    specificity = {reader.name: reader.specificity for reader in readers}
    table = moved(asked, readers)
    models = table[table["arm"] == "model"].groupby("reader", sort=False)[["truth", "decision"]]
    there = [rate(part, "specificity") for _, part in models]
    frame = beside.copy()
    frame.insert(2, "reader's specificity", frame["reader"].map(specificity))
    frame.insert(3, "model's specificity", there)
    return Report(
        "III", "Models at the radiologists' specificities",
        tables=(Table("at-readers", "Sensitivity, model minus reader", frame, note),),
    )  # fmt: skip


def at_own(asked: Asked, readers: Sequence[Judged], statistics: Statistics) -> Report:
    """Each model at its frozen threshold beside each reader: sensitivity and specificity."""
    decided = {str(name): part["positive"].to_numpy() == 1 for name, part in asked.rows.groupby("family", sort=False)}
    said = {(model, reader.name): positive for model, positive in decided.items() for reader in readers}
    table = paired(readers, said, asked.cases)
    note = "McNemar's test for clustered films (Obuchowski), Holm over all rows of a table; truth without the reader."
    metrics: tuple[Metric, ...] = ("sensitivity", "specificity")
    tables = [
        Table(metric, f"{metric.capitalize()}, model minus reader",
              compared(table, metric, f"frozen-{metric}", statistics), note)
        for metric in metrics
    ]  # fmt: skip
    return Report("IV", "Models at their frozen thresholds and radiologists", tables=tuple(tables))


def looked(home: Path, asked: Asked, count: int) -> Report:
    """Heat maps of some films by every family, through the command `explain`."""
    cases = asked.cases.set_index("case")
    chosen = surest(asked.cases, count)
    rows = [(case, cases["patient"][case], "control", films.film(case), cases["truth"][case]) for case in chosen]
    manifest = declared(home / "looked.csv", as_csv(HEAD, rows))
    shown = {case: [Picture(overlay(film_of(case)), f"{words}: {case}")] for case, words in chosen.items()}
    said = asked.rows.set_index(["family", "case"])["probability"]
    for family in asked.scores:
        name = f"chest-{family.lower()}"
        out = home / "answers" / name
        maps = {case: out / "heatmaps" / f"{case}.png" for case in chosen}
        if not all(path.is_file() for path in maps.values()):
            inference("explain", manifest, "--model", home / "models" / name / "1", "--out", out)
        for case, path in maps.items():
            picture = over_png(film_of(case), read_image(path).values[0] / 255)
            shown[case].append(Picture(picture, f"{family}: {probability(float(said[family, case]))}"))
    text = f"The surest of their kind by {next(iter(asked.scores))}; red is what raised the logit of abnormal most."
    panel = Panel("Heat maps", tuple(tuple(row) for row in shown.values()))
    return Report("V", "Where the networks look", (text, CAUTION), panels=(panel,))


def surest(cases: pd.DataFrame, count: int) -> dict[str, str]:
    """Films to look at, each with what it shows: the surest right and wrong answers of the first family."""
    chosen: dict[str, str] = {}
    for words, truth, positive in SHOWN[:count]:
        part = cases[(cases["truth"] == truth) & (cases["positive"] == positive) & ~cases["case"].isin(chosen)]
        for case in part.sort_values("probability", ascending=not positive)["case"].head(1):
            chosen[str(case)] = words
    return chosen


def film_of(case: str) -> NDArray[np.float32]:
    """In [0, 1], from its darkest to its brightest percentile."""
    values = read_image(films.film(case)).values[0]
    low, high = np.percentile(values, (1, 99))
    return np.asarray(np.clip((values - low) / (high - low), 0, 1), dtype=np.float32)
