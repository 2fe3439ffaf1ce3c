"""R16: where models look: heat maps beside the truth, the pointing game, what randomised weights leave of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inference.reports import figures
from inference.reports.contract import Figure, Footer, Panel, Picture, Report, Table, empty, rows_of
from inference.reports.pictures import film, heated, of_model, overlay, strongest, true_mask, which_slice
from inference.reports.statistics import Statistics
from inference.reports.study import SEEN, TUNED, Study, systems, with_sets
from inference.reports.words import number, probability

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5
CAUTION = (
    "A heat map shows what moved the answer, not why; none of eight methods met every criterion of trust in Arun et "
    "al. 2021. Masks localise better."
)


def heatmaps(study: Study, statistics: Statistics) -> Report:
    """R16: panel, pointing-game rate beside chance (Wilson), randomisation check, all from stored maps."""
    id, title = "R16", "Where models look"
    stored, checked, panel = study.table("pointing.csv"), randomised(study), pictured(study)
    if stored is None and checked is None and panel is None:
        return empty(id, title, "The study holds neither heat maps nor pointing.csv, so nothing can be shown.")
    tables, plots, text = [], [], [CAUTION]
    if stored is not None:
        known = with_sets(systems(stored))
        tested = known[known["set"] != SEEN]
        frame = pointing(known if tested.empty else tested)
        tables.append(Table("pointing", "Pointing game", frame, "Rate: share of maps whose highest place lies in the "
                            "finding. Chance: share of the image that the finding covers, on average."))  # fmt: skip
        text += [pointing_sentence(row) for row in rows_of(frame[frame["set"] == frame["set"].iloc[0]])]
        plot = figures.forest(
            frame.assign(label=frame["model"] + ", " + frame["set"]), "label", "rate", "Share of hits"
        )
        plots.append(Figure("pointing", "Pointing-game rate with Wilson's 95 % limits.", plot, "pointing"))
    else:
        text.append("No pointing.csv is stored; `python -m inference evaluate` writes it where findings are known.")
    if checked is not None:
        tables.append(Table("randomisation", "Weights drawn anew from the head down", checked, RANDOMISED))
        text += [fall_sentence(str(model), part) for model, part in checked.groupby("model", sort=False)]
        series = [(str(m), part["share of layers"].tolist(), part["rate"].tolist())
                  for m, part in checked.groupby("model", sort=False)]  # fmt: skip
        plots.append(
            Figure("randomisation", "Pointing-game rate as layers from the head down are randomised.",
                   figures.lines(series, "Share of layers drawn anew", "Share of hits", marks=True), "randomisation")
        )  # fmt: skip
    else:
        text.append("No randomisation.csv is stored, so it was not checked whether maps depend on what was learnt.")
    counts = {"maps": 0 if stored is None else len(stored)}
    return Report(
        id, title, tuple(text), tuple(tables), tuple(plots), () if panel is None else (panel,),
        Footer(None, counts, "of the rate Wilson's", study.sources("pointing.csv", "randomisation.csv")),
    )  # fmt: skip


RANDOMISED = "A map that stays as it is without what was learnt shows edges of the image (Adebayo et al. 2018)."


def pointing(frame: pd.DataFrame) -> pd.DataFrame:
    """Hits, rate with Wilson's limits, chance, their ratio, by model and set."""
    import pandas as pd

    from inference.explain.pointing import Pointing

    rows = []
    for (model, name), part in frame.groupby(["system", "set"], sort=False):
        found = Pointing(int(part["hit"].sum()), len(part), float(part["chance"].mean()), 0.0)
        low, high = found.interval()
        rows.append(
            {"model": model, "set": name, "maps": found.cases, "hits": found.hits, "rate": found.rate,
             "rate low": low, "rate high": high, "chance": found.chance, "times chance": found.times_chance}
        )  # fmt: skip
    return pd.DataFrame(rows)


def pointing_sentence(row: Mapping[str, Any]) -> str:
    return (
        f"{row['model']}, {row['set']}: {row['hits']} of {row['maps']} maps point into the finding "
        f"({number(row['rate'], 3)}, {number(row['rate low'], 3)}–{number(row['rate high'], 3)}), "
        f"{number(row['times chance'], 1)} times chance."
    )


def randomised(study: Study) -> pd.DataFrame | None:
    """Steps of ``randomisation.csv``, the trained model first; None where none is stored."""
    stored = study.table("randomisation.csv")
    if stored is None:
        return None
    frame = stored.assign(rate=stored["hits"] / stored["cases"], **{"share of layers": stored["share"]})
    frame = frame.rename(columns={"down_to": "down to"}).fillna({"down to": "none (as trained)"})
    return frame[["model", "down to", "share of layers", "cases", "rate", "correlation"]]


def fall_sentence(model: str, part: pd.DataFrame) -> str:
    """Whether pointing falls once weights are random."""
    first, last = part.iloc[0], part.iloc[-1]
    word = "falls" if last["rate"] < first["rate"] else "does not fall"
    sign = "" if last["rate"] < first["rate"] else "! "
    return (
        f"{sign}{model}: the pointing rate {word} from {number(first['rate'], 3)} to {number(last['rate'], 3)} when "
        f"all layers are drawn anew; the maps then correlate with the trained ones by {number(last['correlation'], 2)}."
    )


def pictured(study: Study) -> Panel | None:
    """Positives with the highest probability of the first model, beside every model's heat map."""
    frame = study.predictions
    if frame is None:
        return None
    frame = frame[frame["set"] != TUNED]
    if frame.empty:
        return None
    first = frame[(frame["system"] == frame["system"].iloc[0]) & (frame["truth"].astype(float) == 1)]
    rows = []
    for case in first.sort_values("probability", ascending=False)["case"]:
        image = film(study, case)
        if image is None:
            continue
        truth = true_mask(study, case)
        row = [Picture(overlay(image, truth), f"{case}{which_slice(study, case)}, outline: truth")]
        for one in rows_of(frame[frame["case"] == case]):
            heat = of_model(study, one["folder"], "heatmaps", case)
            if heat is not None:
                row.append(Picture(heated(image, heat, truth), heat_caption(one, case)))
        if len(row) > 1:
            rows.append(tuple(row))
        if len(rows) == SHOWN:
            break
    return Panel("Heat maps of the surest positives", tuple(rows)) if rows else None


def heat_caption(one: Mapping[str, Any], case: str) -> str:
    """Model and probability; of a map of several slices where it is strongest."""
    highest = strongest(one["folder"], "heatmaps", case)
    elsewhere = "" if highest is None else f", strongest on slice {highest}"
    return f"{one['system']}: {probability(one['probability'])}{elsewhere}"
