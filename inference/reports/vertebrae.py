"""R10, R11, R12: per patient and per vertebra with clustered intervals, levels, two tasks against one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inference.reports import figures
from inference.reports.asked import ALONE, is_nested, slug
from inference.reports.contract import Figure, Footer, Report, Table, empty, rows_of
from inference.reports.models import linked
from inference.reports.statistics import Answer, Endpoint, NoStatistics, Question, Statistics
from inference.reports.study import SEEN, Study, systems, with_sets
from inference.reports.words import counted, listed, number, p_value

if TYPE_CHECKING:
    import pandas as pd

BODIES = "bodies_predictions.csv"
NO_LEVELS = (
    "did not name vertebrae: the mask was scored inside each true body (mean of the upper half of its pixels), so "
    "none of them could be missed."
)
BOTH_INSIDE = (
    "Each model's mask is scored inside the true bodies (mean of the upper half of their pixels), since a network of "
    "one task names no levels; with that neither profits from finding bodies."
)
NO_VERTEBRAE = "The study holds no table vertebrae_predictions.csv, so nothing can be said of single vertebrae."
PATIENTS, PAIRED = "Each model alone, per patient", "AUC, models compared"
WIDTH = (
    "AUC Obuchowski's for clustered units, the rest by drawing patients anew; an interval without width is a draw in "
    "which nothing varied, and no certainty."
)
INTERVALS = "AUC Obuchowski's for clustered units, the rest by drawing patients anew"
MEASURES = ("AUC", "sensitivity", "specificity", "precision", "accuracy", "F1")


def true_rows(study: Study) -> pd.DataFrame:
    """True vertebrae as units: one case each, in its patient; those that were missed have probability 0."""
    assert study.vertebrae is not None
    return as_units(study.vertebrae)


def bodies_of(study: Study) -> pd.DataFrame | None:
    """True vertebrae as units, each model's mask scored inside of them; None where no masks were measured so."""
    frame = study.table(BODIES)
    return None if frame is None else as_units(with_sets(systems(frame)))


def as_units(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    frame = frame[frame["true_level"].notna()]
    # What was taught or chosen on is left out where anything else is there.
    tested = frame[frame["set"] != SEEN]
    frame = frame if tested.empty else tested
    decided = pd.to_numeric(frame["positive"], errors="coerce") if "positive" in frame.columns else float("nan")
    return pd.DataFrame(
        {
            "model": frame["system"], "set": frame["set"], "patient": frame["patient"],
            "case": frame["case"] + "/" + frame["true_level"], "truth": pd.to_numeric(frame["truth"]),
            "score": pd.to_numeric(frame["probability"]), "decision": decided, "level": frame["true_level"],
            "image": frame["case"], "found": frame["level"],
        }
    )  # fmt: skip


def with_unnamed(study: Study) -> tuple[pd.DataFrame | None, list[str]]:
    """Vertebrae that models found, and inside the true bodies those of models without levels, with their names."""
    import pandas as pd

    found = None if study.vertebrae is None else true_rows(study)
    inside = bodies_of(study)
    if inside is None:
        return found, []
    if found is None:
        return inside, list(dict.fromkeys(inside["model"]))
    inside = inside[~inside["model"].isin(found["model"])]
    return pd.concat([found, inside], ignore_index=True), list(dict.fromkeys(inside["model"]))


def vertebrae_asked(statistics: Statistics, name: str, rows: pd.DataFrame) -> Answer:
    """All models on the vertebrae of these rows, nested in patients: alone, per patient, compared."""
    options = {"unit": "patient"}
    endpoints = (
        Endpoint(PAIRED, "models compared", "auc", "primary"),
        Endpoint(f"{PAIRED}, per patient", "models compared", "auc", "secondary", options),
        Endpoint("sensitivity, models compared", "models compared", "sensitivity", "secondary"),
        Endpoint("specificity, models compared", "models compared", "specificity", "secondary"),
        Endpoint(ALONE, "model alone"),
        Endpoint(PATIENTS, "model alone", options=options),
    )
    sections: dict[str, dict[str, object]] = {"cases": {"nested": True}}
    sections["multiplicity"] = {"primary": "holm", "secondary": "holm", "gatekeeping": False}
    columns = ["model", "set", "patient", "case", "truth", "score", "decision"]
    return statistics.ask(
        name, Question("Vertebrae in patients", "models only", endpoints, (), sections), rows[columns]
    )


def footer(study: Study, rows: pd.DataFrame, answers: dict[str, Answer], interval: str) -> Footer:
    counts = {
        "patients": int(rows["patient"].nunique()), "vertebrae": int(rows["case"].nunique()),
        "fractured": int(rows.drop_duplicates("case")["truth"].sum()),
    }  # fmt: skip
    seed = next(iter(answers.values())).seed if answers else None
    links = {f"The statistics of {word}": linked(one) for word, one in answers.items()}
    return Footer(seed, counts, interval, study.sources("vertebrae_predictions.csv", BODIES), links)


def per_vertebra(study: Study, statistics: Statistics) -> Report:
    """R10: every measure per patient and per vertebra on every set, then by level."""
    import pandas as pd

    id, title = "R10", "Per patient and per vertebra"
    rows, inside = with_unnamed(study)
    if rows is None:
        return empty(id, title, NO_VERTEBRAE)
    answers, text, patients, units = {}, [], [], []
    for name, part in rows.groupby("set", sort=False):
        try:
            answer = vertebrae_asked(statistics, f"vertebrae-{slug(str(name))}", part)
            patients.append(answer.findings(PATIENTS).tables["models"])
            units.append(answer.findings(ALONE).tables["models"])
        except NoStatistics as sentence:
            text.append(f"! Not computed on {name}: {sentence}")
            continue
        answers[str(name)] = answer
    tables = []
    if units:
        tables = [
            Table("patients", "Per patient: the highest vertebra counts", pd.concat(patients, ignore_index=True)),
            Table("vertebrae", "Per vertebra", pd.concat(units, ignore_index=True), WIDTH),
        ]
        text += [unit_sentence(row) for row in rows_of(tables[1].frame)]
    levels, plot = by_level(statistics, rows, text)
    tables += [] if levels is None else [Table("levels", "Per vertebra, level by level", levels)]
    if inside:
        text.append(f"{listed(inside)} {NO_LEVELS}")
    named = rows[~rows["model"].isin(inside)]
    missed = named["found"].isna() & (named["truth"] == 1)
    if len(named):
        text.append(f"Fractured vertebrae that were not found at all, over all models: {int(missed.sum())}; they count "
                    "with probability 0.")  # fmt: skip
    plots = () if plot is None else (plot,)
    return Report(id, title, tuple(text), tuple(tables), plots, footer=footer(study, rows, answers, INTERVALS))


def unit_sentence(row: Mapping[str, Any]) -> str:
    area = f"AUC {number(row['AUC'], 3)} ({number(row['AUC low'], 3)}–{number(row['AUC high'], 3)})"
    return (
        f"{row['model']}, {row['set']}: {'no AUC' if row['AUC'] is None else area} per vertebra, sensitivity "
        f"{number(row['sensitivity'], 3)}, specificity {number(row['specificity'], 3)}."
    )


def by_level(statistics: Statistics, rows: pd.DataFrame, text: list[str]) -> tuple[pd.DataFrame | None, Figure | None]:
    """The same with every level as a set of its own, all cohorts together."""
    try:
        answer = vertebrae_asked(statistics, "vertebrae-by-level", rows.assign(set=rows["level"]))
        frame = answer.findings(ALONE).tables["models"].rename(columns={"set": "level"})
        order = ordered_levels(rows)
        frame = frame.sort_values("level", key=lambda column: column.map(order), kind="stable")
        frame = frame.sort_values("model", kind="stable")
    except NoStatistics as sentence:
        text.append(f"! Not computed by level: {sentence}")
        return None, None
    kept = [name for name in frame.columns if not name.startswith(("precision", "F1", "accuracy"))]
    known = frame.dropna(subset=["AUC"])
    if known.empty:
        return frame[kept], None
    plot = figures.forest(known.assign(label=known["level"] + ", " + known["model"]), "label", "AUC", "AUC")
    return frame[kept], Figure("levels", "AUC per vertebra, level by level.", plot, "levels")


def level_success(study: Study, statistics: Statistics) -> Report:
    """R11: how often the level is right: of fractured bodies, per level, all of a patient, off by one."""
    import pandas as pd

    id, title = "R11", "Levels named rightly"
    if study.vertebrae is None:
        return empty(id, title, NO_VERTEBRAE)
    rows = true_rows(study)
    order = ordered_levels(rows)
    found = rows["found"].map(order).astype(float)
    true = rows["level"].map(order).astype(float)
    rows = rows.assign(right=(found == true).astype(int), beside=((found - true).abs() == 1).astype(int),
                       missed=rows["found"].isna().astype(int))  # fmt: skip
    broken = rows[rows["truth"] == 1]
    patients = rows.groupby(["model", "set", "patient", "image"], as_index=False)["right"].min()
    parts = (("fractured bodies", broken, "right"), ("all bodies", rows, "right"),
             ("patients with every level right", patients.assign(case=patients["image"]), "right"),
             ("bodies off by one level", rows, "beside"), ("bodies not found", rows, "missed"))  # fmt: skip
    tables, text, answers = [], [], {}
    wholes = []
    for name, part, column in parts:
        try:
            frame, answer = shares(statistics, name, part, column)
        except NoStatistics as sentence:
            text.append(f"! Not computed for {name}: {sentence}")
            continue
        answers[name] = answer
        wholes.append(frame.assign(of=name))
    if wholes:
        whole = pd.concat(wholes, ignore_index=True)
        kept = ["model", "set", "of", "n", "patients", "share", "share low", "share high"]
        tables.append(Table("levels", "Level success", whole[kept], DEFINITION))
        text += success_sentences(whole)
    by = rows.groupby(["model", "level"], sort=False).agg(
        bodies=("right", "size"), right=("right", "sum"), share=("right", "mean"), off_by_one=("beside", "sum"),
        missed=("missed", "sum"),
    ).reset_index().sort_values("level", key=lambda column: column.map(order), kind="stable")  # fmt: skip
    tables.append(Table("by-level", "Right, beside and missed, level by level", by.rename(columns=SPOKEN)))
    plot = Figure(
        "by-level", "Share of bodies whose level was named rightly.",
        figures.lines([(str(m), p["level"].tolist(), p["share"].tolist()) for m, p in by.groupby("model", sort=False)],
                      "Level", "Share right", marks=True), "by-level",
    )  # fmt: skip
    note = "Wilson's where every patient has one unit, else by drawing patients anew"
    return Report(id, title, tuple(text), tuple(tables), (plot,), footer=footer(study, rows, answers, note))


SPOKEN = {"off_by_one": "off by one"}
DEFINITION = (
    "Two definitions stand side by side: of all bodies on the film, and of the fractured ones alone. "
    "A body is the true one at its place, whatever it was called; its level is right where the names agree. "
    "A body that was not found is wrong. All-right asks it of every body of a film."
)


def ordered_levels(rows: pd.DataFrame) -> dict[str, int]:
    """Place of every level from the head down, by anatomy."""
    from inference.cohorts.levels import CODES

    # T13 stands between T12 and L1 though its code is higher than theirs.
    rank = {name: float(code) for name, code in CODES.items()} | {"T13": CODES["T12"] + 0.5}
    names = {*rows["level"].dropna(), *rows["found"].dropna()}
    return {name: place for place, name in enumerate(sorted(names, key=lambda name: rank.get(name, 99.0)))}


def shares(statistics: Statistics, name: str, part: pd.DataFrame, column: str) -> tuple[pd.DataFrame, Answer]:
    """Share of units with a one in that column, per model and set; Wilson's interval where each patient has one unit.

    To the statistics a share is the sensitivity among units that all count as diseased.
    """
    endpoints = (Endpoint(PAIRED, "models compared", "auc", "primary"), Endpoint(ALONE, "model alone"))
    table = part.assign(score=part[column], truth=1, decision=part[column])
    table = table[["model", "set", "patient", "case", "truth", "score", "decision"]]
    question = Question(name, "models only", endpoints, (), {"cases": {"nested": is_nested(table)}})
    answer = statistics.ask(f"levels-{slug(name)}", question, table)
    frame = answer.findings(ALONE).tables["models"]
    names = {f"sensitivity{end}": f"share{end}" for end in ("", " low", " high")}
    people = part.groupby(["model", "set"])["patient"].nunique().rename("patients").reset_index()
    kept = frame[["model", "set", "cases", *names]].rename(columns=names | {"cases": "n"})
    return kept.merge(people, on=["model", "set"]), answer


def success_sentences(whole: pd.DataFrame) -> list[str]:
    said = []
    for row in rows_of(whole[whole["of"].isin(("all bodies", "fractured bodies"))]):
        said.append(
            f"{row['model']}, {row['set']}: level right of {row['of']} in {number(row['share'], 3)} "
            f"({number(row['share low'], 3)}–{number(row['share high'], 3)}, n {row['n']})."
        )
    return said


def tasks(study: Study, statistics: Statistics) -> Report:
    """R12: two tasks against one on the same vertebrae, inside the true bodies where masks were measured there."""
    import pandas as pd

    id, title = "R12", "Two tasks against one"
    rows = bodies_of(study)
    if rows is None and study.vertebrae is None:
        return empty(id, title, NO_VERTEBRAE)
    rows, way = (true_rows(study), "") if rows is None else (rows, BOTH_INSIDE)
    models = list(dict.fromkeys(rows["model"]))
    if len(models) < 2:
        return empty(id, title, "The study holds one model of vertebrae only, so there is nothing to compare it with.")
    text, answers, found = [], {}, []
    for name, part in rows.groupby("set", sort=False):
        try:
            answer = vertebrae_asked(statistics, f"tasks-{slug(str(name))}", part)
        except NoStatistics as sentence:
            text.append(f"! Not computed on {name}: {sentence}")
            continue
        answers[str(name)] = answer
        for endpoint, word in ((PAIRED, "AUC per vertebra"), (f"{PAIRED}, per patient", "AUC per patient"),
                               ("sensitivity, models compared", "sensitivity per vertebra"),
                               ("specificity, models compared", "specificity per vertebra")):  # fmt: skip
            try:
                claims = answer.findings(endpoint).claims
            except NoStatistics as sentence:
                text.append(f"! Not computed on {name}, {word}: {sentence}")
                continue
            found.append(compared(claims, str(name), word))
    if not found:
        return empty(id, title, " ".join(text))
    frame = pd.concat(found, ignore_index=True)
    paired = same_version(frame)
    clear = int((paired["p"].astype(float) < 0.05).sum())
    text.insert(0, f"{clear} of {counted(len(paired), 'paired difference')} lie beyond chance at .05 without "
                   f"correction; the smallest p is {p_value(float(paired['p'].min()))}.")  # fmt: skip
    text += [way] if way else []
    label = paired["measure"] + ", " + paired["set"]
    plot = figures.forest(paired.assign(label=label), "label", "difference", "second minus first model", zero=0.0)
    note = "Obuchowski's test of clustered AUCs, McNemar's adjusted for patients; Holm over the secondary rows of a set"
    return Report(
        id, title, tuple(text), (Table("tasks", "Second minus first model on the same vertebrae", paired),),
        (Figure("tasks", "Paired differences with 95 % intervals.", plot, "tasks"),),
        footer=footer(study, rows, answers, note),
    )  # fmt: skip


def compared(claims: pd.DataFrame, name: str, word: str) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "set": name, "measure": word, "first": claims["first"], "second": claims["second"],
            "first value": claims["first_value"], "second value": claims["second_value"],
            "difference": claims["estimate"], "difference low": claims["low"], "difference high": claims["high"],
            "p": claims["p"], "p (Holm)": claims["p_adjusted"],
        }
    )  # fmt: skip


def same_version(frame: pd.DataFrame) -> pd.DataFrame:
    """Pairs of different models in one version (seed); all pairs where versions do not match up."""
    first, second = (frame[column].str.split(" · ").str for column in ("first", "second"))
    kept = (first[1] == second[1]) & (first[0] != second[0])
    both = first[1].notna() & second[1].notna()
    return frame[kept | ~both] if (kept | ~both).any() else frame
