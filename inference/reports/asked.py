"""The questions that several reports share: models on each set, models and readers, vertebrae in patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.reports.statistics import Answer, Endpoint, NoStatistics, Question, Statistics
from inference.reports.study import Study

if TYPE_CHECKING:
    import pandas as pd

ALONE, PAIRS, CALIBRATION = "Each model alone", "AUC, models compared", "Calibration"
DECIDED = ("accuracy", "sensitivity", "specificity")


def scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Predictions under the names that the statistics know."""
    import pandas as pd

    decided = pd.to_numeric(frame["positive"], errors="coerce") if "positive" in frame.columns else float("nan")
    return pd.DataFrame(
        {
            "model": frame["system"], "set": frame["set"], "patient": frame["patient"], "case": frame["case"],
            "truth": pd.to_numeric(frame["truth"], errors="coerce"),
            "score": pd.to_numeric(frame["probability"], errors="coerce"), "decision": decided,
        }
    ).dropna(subset=["truth", "score"])  # fmt: skip


def is_nested(table: pd.DataFrame) -> bool:
    """Whether some patient stands there with several cases."""
    pairs = table[["patient", "case"]].drop_duplicates()
    return bool(pairs["patient"].duplicated().any())


def slug(text: str) -> str:
    """A name for a folder.

    >>> slug("external B, 2.5D")
    'external-b-2-5d'
    """
    return "-".join("".join(sign if sign.isalnum() else " " for sign in text.lower()).split())


def of_set(study: Study, statistics: Statistics, name: str) -> Answer:
    """All models on one set of cases: alone, compared pair by pair (Holm over the pairs), calibration."""
    if study.predictions is None:
        raise NoStatistics("The study holds no predictions.")
    table = scores(study.predictions[study.predictions["set"] == name])
    return models_only(statistics, f"models-{slug(name)}", f"Models, {name}", table)


def models_only(statistics: Statistics, name: str, title: str, table: pd.DataFrame) -> Answer:
    """All models on all sets of a table of scores."""
    nested = is_nested(table)
    endpoints = (
        Endpoint(PAIRS, "models compared", "auc", "primary"),
        Endpoint(ALONE, "model alone"),
        Endpoint(CALIBRATION, "calibration"),
        *(Endpoint(f"{metric}, models compared", "models compared", metric, "secondary") for metric in DECIDED),
    )
    question = Question(
        title, "models only", endpoints,
        sections={"cases": {"nested": nested}, "multiplicity": {"primary": "holm", "gatekeeping": False}},
    )  # fmt: skip
    return statistics.ask(name, question, table)


def readers(study: Study, statistics: Statistics) -> Answer:
    """Readers described; from the plan of the two rounds where there are two, else from that of the first model."""
    if len(arms_of(study)) == 2:
        return rounds(study, statistics)
    known = read_models(study)
    if not known:
        raise NoStatistics("Readers read in one arm and no model answered the same cases, so there is no comparison.")
    return against(study, statistics, known[0])


def read_models(study: Study) -> list[str]:
    """Models that answered the cases that were read."""
    frame = study.predictions
    return [] if frame is None else list(dict.fromkeys(frame[frame["set"] == study.own_set]["system"]))


def against(study: Study, statistics: Statistics, model: str) -> Answer:
    """One model against each reader of the first arm; a family for accuracy, one for sensitivity and specificity."""
    frame, arms = read(study), arms_of(study)
    chosen = own_scores(study, [model])
    endpoints = [
        Endpoint(
            metric, "model against each reader", metric, "primary" if metric == "accuracy" else "secondary",
            {"models": [model], "arms": [arms[0]]},
        )
        for metric in DECIDED
    ]  # fmt: skip
    endpoints.append(Endpoint("Agreement", "agreement", "accuracy"))
    sections = common(study) | {"scores": {"file": "scores.csv"}, "cases": {"nested": is_nested(chosen)}}
    question = Question(f"{model} and readers", design_of(frame, arms), tuple(endpoints), arms, sections)
    return statistics.ask(f"against-{slug(model)}", question, readings_of(frame), scores=chosen)


def rounds(study: Study, statistics: Statistics) -> Answer:
    """Two rounds: MRMC of the AUC first, then of decisions and groups, each reader, times, reliance, model alone."""
    frame, arms, groups = read(study), arms_of(study), seniorities(study)
    metrics = (("auc", "primary"), ("sensitivity", "secondary"), ("specificity", "secondary"))
    endpoints = [Endpoint(f"MRMC, {metric}", "obuchowski-rockette", metric, role) for metric, role in metrics]
    endpoints += [
        Endpoint(f"MRMC, auc, {group}", "obuchowski-rockette", "auc", "secondary", {"seniority": group})
        for group in groups
    ]
    endpoints += [
        Endpoint("Does the gain depend on seniority?", "interaction", "auc"),
        Endpoint("AUC of each reader", "delong per reader", "auc"),
        Endpoint("Accuracy of each reader", "mcnemar per reader", "accuracy"),
        Endpoint("Reading time", "reading time", "accuracy"),
        Endpoint("Agreement", "agreement", "accuracy"),
    ]
    models = aiding(study)
    for model in models:
        endpoints.append(Endpoint(f"Reliance on {model}", "reliance", "accuracy", options={"models": [model]}))
        for group in ("all", *groups):
            options: dict[str, object] = {"models": [model], "arms": [arms[1]]}
            options |= {} if group == "all" else {"seniority": group}
            name = f"{model} against aided {group} readers"
            endpoints.append(Endpoint(name, "model against readers", "auc", options=options))
    sections, further = common(study), {}
    if models:
        further["scores"] = own_scores(study, models)
        sections |= {"scores": {"file": "scores.csv"}, "cases": {"nested": is_nested(further["scores"])}}
    question = Question("Two rounds", design_of(frame, arms), tuple(endpoints), arms, sections)
    return statistics.ask("rounds", question, readings_of(frame), **further)


def common(study: Study) -> dict[str, dict[str, object]]:
    return {
        "readers": {"sampling": "random", "seniorities": seniorities(study)},
        "multiplicity": {"primary": "holm", "secondary": "holm", "gatekeeping": False},
    }


def read(study: Study) -> pd.DataFrame:
    if study.readings is None:
        raise NoStatistics("The study holds no readings.")
    return study.readings


def own_scores(study: Study, models: list[str]) -> pd.DataFrame:
    """Scores of these models on the cases that were read."""
    frame = study.predictions
    if frame is None:
        raise NoStatistics("The study holds no predictions.")
    return scores(frame[(frame["set"] == study.own_set) & frame["system"].isin(models)])


def aiding(study: Study) -> list[str]:
    """The model that aided, by the column ``model`` of the readings; every model where they do not say."""
    known = read_models(study)
    if study.readings is not None and "model" in study.readings.columns:
        named = [name for name in study.readings["model"].dropna().unique() if name in known]
        return named or known
    return known


def arms_of(study: Study) -> tuple[str, ...]:
    """Unaided before aided, others as they stand."""
    if study.readings is None:
        return ()
    given = list(dict.fromkeys(study.readings["arm"]))
    return tuple(sorted(given, key=lambda arm: (arm != "unaided", arm != "aided", given.index(arm))))


def seniorities(study: Study) -> list[str]:
    """Seniors first, then as they stand; none where the column is empty."""
    given = [] if study.readings is None else [name for name in dict.fromkeys(study.readings["seniority"]) if name]
    return sorted(given, key=lambda name: ("senior" not in name, given.index(name)))


def readings_of(frame: pd.DataFrame) -> pd.DataFrame:
    wanted = ("reader", "seniority", "arm", "case", "patient", "truth", "rating", "decision", "seconds")
    return frame[[name for name in wanted if name in frame.columns and not frame[name].isna().all()]]


def design_of(frame: pd.DataFrame, arms: tuple[str, ...]) -> str:
    """What the table is: everyone read everything, or not."""
    people = frame["reader"].nunique()
    if people == 1:
        return "single reader"
    full = people * frame["case"].nunique() * len(arms)
    return "fully crossed" if len(frame) >= 0.98 * full else "missing cells"
