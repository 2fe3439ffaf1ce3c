"""R01, R21: who the cases are, how they came to the analysis, and what models reach in parts of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.reports import figures
from inference.reports.asked import ALONE, models_only, scores
from inference.reports.contract import Figure, Footer, Report, Table, empty
from inference.reports.models import INTERVALS, footer
from inference.reports.statistics import NoStatistics, Statistics
from inference.reports.study import SEEN, TUNED, Study
from inference.reports.words import counted, listed

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure as Plot

NO_COHORT = "The study holds no manifest.csv, so nothing can be said of its cases."
# Columns of the manifest that say where things lie, not what they are.
PLACES = ("case", "patient", "role", "site", "input", "file", "truth", "slice", "row", "column", "height", "width",
          "mask", "levels", "folder", "set", "film", "pixel_mm", "synthetic")  # fmt: skip
MOST_VALUES, LEAST_CASES = 9, 8
ROLES = {"develop": "development", "control": "control", "external": "external"}


def cohort(study: Study, statistics: Statistics) -> Report:
    """R01: cases, patients, prevalence, age, sex, further facts by role and site; the flow; levels and grades."""
    id, title = "R01", "Cases"
    frame = study.manifest
    if frame is None:
        return empty(id, title, NO_COHORT)
    groups = frame.assign(group=[ROLES.get(str(role), str(role)) + (f", {site}" if site == site else "")
                                 for role, site in zip(frame["role"], frame["site"], strict=True)])  # fmt: skip
    tables = [Table("cohort", "Cases by role and site", described(groups))]
    for name, column, heading in (("levels", "level", "Fractured levels"),
                                  ("grades", "grade", "Genant's grade of fractured vertebrae")):  # fmt: skip
        counts_of = counts_of_vertebrae(study, groups, column)
        if counts_of is not None:
            tables.append(Table(name, heading, counts_of, SEEN_BODIES))
        elif (counts_of := counts_of_cases(groups, column)) is not None:
            tables.append(Table(name, heading, counts_of, ONE_A_CASE))
    figure = Figure("flow", "From the cases to the analysis.", flow(study, frame), "cohort")
    leaks = torn(frame)
    text = [cohort_sentence(frame), leaks]
    counts = {"cases": len(frame), "patients": int(frame["patient"].nunique()),
              "positives": int((frame["truth"].astype(float) == 1).sum())}  # fmt: skip
    names = ("manifest.csv", "vertebrae.csv")
    return Report(
        id, title, tuple(text), tuple(tables), (figure,), footer=Footer(None, counts, "", study.sources(*names))
    )


def cohort_sentence(frame: pd.DataFrame) -> str:
    positive = int((frame["truth"].astype(float) == 1).sum())
    return (
        f"{counted(len(frame), 'case')} of {counted(int(frame['patient'].nunique()), 'patient')} from "
        f"{counted(int(frame['site'].nunique()), 'site')}; {positive} positive ({positive / len(frame):.0%})."
    )


def torn(frame: pd.DataFrame) -> str:
    """Whether a patient stands in two roles."""
    several = frame.groupby("patient")["role"].nunique()
    several = several[several > 1]
    if several.empty:
        return "No patient stands in two roles."
    return f"! Patient {several.index[0]} stands in {int(several.iloc[0])} roles: what was learnt leaks into the test."


def described(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a group: counts, prevalence, age, shares of two-valued facts."""
    import pandas as pd

    rows = []
    for group, part in frame.groupby("group", sort=False):
        positive = part["truth"].astype(float) == 1
        row: dict[str, object] = {
            "group": group, "cases": len(part), "patients": int(part["patient"].nunique()),
            "positive": int(positive.sum()), "prevalence": float(positive.mean()),
        }  # fmt: skip
        if "age" in part.columns:
            age = pd.to_numeric(part["age"], errors="coerce")
            row["age, median (quartiles)"] = "–" if age.isna().all() else "{:.0f} ({:.0f}–{:.0f})".format(
                *(float(age.quantile(q)) for q in (0.5, 0.25, 0.75)))  # fmt: skip
        if "sex" in part.columns:
            female = part["sex"].astype(str).str.upper().str[:1].isin(("F", "W"))
            row["women"] = f"{int(female.sum())} ({female.mean():.0%})"
        for name in ("old_fracture", "implant"):
            if name in part.columns:
                there = part[name].notna() & ~part[name].astype(str).isin(("0", "0.0", ""))
                row[name.replace("_", " ")] = int(there.sum())
        rows.append(row)
    return pd.DataFrame(rows)


SEEN_BODIES = "Fractured vertebrae that the images show; a case may have several."
ONE_A_CASE = "One vertebra a case, the one that the manifest names."


def counts_of_vertebrae(study: Study, groups: pd.DataFrame, column: str) -> pd.DataFrame | None:
    """Fractured vertebrae on the images by level or grade in every group; None without a table of vertebrae."""
    truths = study.truths
    if truths is None or column not in truths.columns or "fractured" not in truths.columns:
        return None
    broken = truths[truths["fractured"].astype(str).isin(("1", "1.0", "yes", "True"))]
    if "visible" in broken.columns:
        broken = broken[~broken["visible"].astype(str).isin(("0", "0.0", "no", "False"))]
    return by_group(broken[["case", column]].merge(groups[["case", "group"]], on="case"), groups, column)


def counts_of_cases(groups: pd.DataFrame, column: str) -> pd.DataFrame | None:
    """Cases by the level or grade of their one vertebra in every group; None where the manifest names none."""
    if column not in groups.columns or "level" not in groups.columns:
        return None
    return by_group(groups[groups["level"].notna() & groups[column].notna()], groups, column)


def by_group(joined: pd.DataFrame, groups: pd.DataFrame, column: str) -> pd.DataFrame | None:
    if joined.empty:
        return None
    joined = joined.assign(**{column: joined[column].map(plain)})
    table = joined.groupby([column, "group"], sort=False).size().unstack(fill_value=0)
    table = table.reindex(sorted(table.index, key=order_of)).reindex(
        columns=[name for name in dict.fromkeys(groups["group"]) if name in table.columns]
    )
    return table.assign(all=table.sum(axis=1)).reset_index().rename_axis(columns=None)


def order_of(value: object) -> tuple[float, str]:
    from inference.cohorts.levels import CODES

    text = str(value)
    if text == "T13":
        return (CODES["T12"] + 0.5, "")
    known = CODES.get(text)
    return (float(known) if known is not None else 1000.0, text)


def flow(study: Study, frame: pd.DataFrame) -> Plot:
    """Boxes from all cases to the sets, with what was read and predicted of each."""
    figure = figures.blank(640, 250)
    sets = list(dict.fromkeys(frame["set"]))
    boxes = [(0.5, 0.86, f"<b>All cases</b><br>{len(frame)} of {frame['patient'].nunique()} patients")]
    predicted = set() if study.predictions is None else set(study.predictions["case"])
    read = set() if study.readings is None else set(study.readings["case"])
    for place, name in enumerate(sets):
        part = frame[frame["set"] == name]
        positive = int((part["truth"].astype(float) == 1).sum())
        cases = set(part["case"])
        lines = [
            f"<b>{name}</b>".replace(SEEN, "development"), f"{len(part)} cases", f"{positive} positive",
            f"predicted {len(predicted & cases)}", f"read {len(read & cases)}",
        ]  # fmt: skip
        boxes.append(((place + 0.5) / len(sets), 0.24, "<br>".join(lines)))
        figure.add_annotation(
            x=boxes[-1][0], y=0.5, ax=0.5, ay=0.72, xref="x", yref="y", axref="x", ayref="y",
            showarrow=True, arrowhead=2, arrowwidth=1.2, arrowcolor=figures.GREY, text="",
        )  # fmt: skip
    for x, y, words in boxes:
        figure.add_annotation(x=x, y=y, text=words, showarrow=False, bordercolor="#9aa5b1", borderpad=7,
                              bgcolor="#fff", font={"size": 12})  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(visible=False, range=[0, 1])
    figure.update_layout(margin={"l": 4, "r": 4, "t": 4, "b": 4})
    return figure


def subgroups(study: Study, statistics: Statistics) -> Report:
    """R21: every measure in every part of the cases that the manifest names: level, grade, shape, site, device."""
    id, title = "R21", "Parts of the cases"
    manifest, predictions = study.manifest, study.predictions
    if manifest is None or predictions is None:
        return empty(id, title, "A manifest and predictions are wanted; the study lacks one of them.")
    tested = predictions[~predictions["set"].isin((SEEN, TUNED))]
    known = tested.merge(facts(manifest), on="case", how="inner")
    parts = cut(known)
    if parts is None:
        return empty(id, title, "The manifest holds no facts with a few values each, so there are no parts.")
    try:
        answer = models_only(statistics, "subgroups", "Parts of the cases", parts)
        frame = answer.findings(ALONE).tables["models"]
    except NoStatistics as sentence:
        return empty(id, title, f"The statistics refuse: {sentence}")
    frame = frame.rename(columns={"set": "part"})
    kept = [name for name in frame.columns if not name.startswith(("precision", "F1"))]
    by = listed(sorted({part.split(":")[0] for part in frame["part"]}))
    text = [f"{counted(int(frame['part'].nunique()), 'part')} by {by}.",
            "Parts that are named after the finding itself (its level, grade or shape) hold the positives of that kind "
            "and all negatives, so their specificities are the same; parts describe and are not tested."]  # fmt: skip
    whole = frame.dropna(subset=["sensitivity"])
    first = whole[whole["model"] == whole.groupby("model")["AUC"].median().idxmax()] if len(whole) else whole
    plot = figures.forest(first.assign(label=first["part"]), "label", "sensitivity", "Sensitivity")
    name = "" if first.empty else str(first["model"].iloc[0])
    return Report(
        id, title, tuple(text), (Table("parts", "Measures in each part", frame[kept]),),
        (Figure("parts", f"Sensitivity of {name} in each part, 95 % intervals.", plot, "parts"),),
        footer=footer(study, {"parts": answer}, INTERVALS, "predictions.csv", "manifest.csv"),
    )  # fmt: skip


def facts(manifest: pd.DataFrame) -> pd.DataFrame:
    """Columns with two to nine values, and the site."""
    names = [
        name for name in manifest.columns
        if (name not in PLACES or name == "site") and 2 <= manifest[name].nunique() <= MOST_VALUES
    ]  # fmt: skip
    return manifest[["case", *names]].rename(columns={name: f"fact {name}" for name in names})


def cut(known: pd.DataFrame) -> pd.DataFrame | None:
    """Scores with the part as their set; of facts that positives alone have, the part takes all negatives too."""
    import pandas as pd

    table = scores(known)
    known = known.loc[table.index]
    found = []
    negative = table["truth"] == 0
    for name in (column for column in known.columns if column.startswith("fact ")):
        values = known[name].map(plain)
        of_finding = values[negative].isin(("", "0", "none")).all()
        for value in sorted(set(values) - ({"", "0", "none"} if of_finding else {""}), key=order_of):
            chosen = (values == value) | (negative if of_finding else False)
            part = table[chosen]
            if part["case"].nunique() >= LEAST_CASES:
                found.append(part.assign(set=f"{name.removeprefix('fact ').replace('_', ' ')}: {value}"))
    return pd.concat(found, ignore_index=True) if found else None


def plain(value: object) -> str:
    """A fact as it is written: 2.0 is 2, nothing is ''."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)
