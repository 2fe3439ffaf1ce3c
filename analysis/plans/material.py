"""The arrays that the endpoints of a plan work on, and their restriction to what one endpoint names."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.designs import Design, study_design
from analysis.errors import CannotAnalyse
from analysis.plan import Plan
from analysis.plans.declared import Endpoint, StudyPlan
from analysis.plans.tables import Tables
from analysis.ratings import Bools, Floats, Ratings, check_columns, codes, natural, numbers, rows_of
from analysis.study import Data, read_data

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ModelScores:
    """Output of one model on one set of cases; arrays in the order of `cases`, NaN where there is none."""

    model: str
    set: str
    cases: tuple[str, ...]
    truth: Bools
    score: Floats
    decision: Floats
    patients: tuple[str, ...]
    folds: tuple[str, ...]

    @property
    def scored(self) -> tuple[Bools, Floats]:
        known = ~np.isnan(self.score)
        return self.truth[known], self.score[known]

    @property
    def decided(self) -> tuple[Bools, Floats]:
        known = ~np.isnan(self.decision)
        return self.truth[known], self.decision[known]


@dataclass(frozen=True, eq=False)
class Material:
    """Everything an endpoint may need; `data` and `design` are None in a study of models only."""

    plan: StudyPlan
    settings: Plan
    tables: Tables
    data: Data | None
    design: Design | None
    patients: dict[str, str]
    scores: tuple[ModelScores, ...]

    @property
    def readers(self) -> Data:
        if self.data is None:
            raise CannotAnalyse("The study has no readers.")
        return self.data

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.model for item in self.scores))

    @property
    def sets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.set for item in self.scores))

    def of_model(self, model: str, among: str | None = None) -> ModelScores:
        """The scores of one model on one set; on the only one, or on that which the readers read, by default."""
        wanted = among if among is not None else self.own_set
        found = [item for item in self.scores if item.model == model and (wanted is None or item.set == wanted)]
        if not found:
            raise CannotAnalyse(f"There are no scores of the model {model!r} in the set {wanted!r}.")
        return found[0]

    @property
    def own_set(self) -> str | None:
        return self.plan.scores.own_set or (self.sets[0] if self.sets else None)


def settings_of(plan: StudyPlan) -> Plan:
    """How the parts for single readers and models compute."""
    return Plan(arms=plan.arms or ("models",), level=plan.level)


def gather(tables: Tables, plan: StudyPlan) -> Material:
    """The arrays of all tables."""
    data = None if tables.readings is None else ordered(read_data(tables.readings), plan)
    design = None if data is None else study_design(data.any_values)
    scores = () if tables.scores is None else scores_of(tables.scores, plan, data)
    return Material(plan, settings_of(plan), tables, data, design, patients_of(tables), scores)


def ordered(data: Data, plan: StudyPlan) -> Data:
    """Arms in the order of the plan."""
    arms = [arm for arm in plan.arms if arm in data.any_values.arms]

    def in_order(values: Ratings | None) -> Ratings | None:
        return None if values is None else values.restricted(arms=arms)

    return replace(
        data, ratings=in_order(data.ratings), decisions=in_order(data.decisions), seconds=in_order(data.seconds),
        any_values=data.any_values.restricted(arms=arms),
    )  # fmt: skip


def patients_of(tables: Tables) -> dict[str, str]:
    """Patient of every case, from whichever table says so."""
    found: dict[str, str] = {}
    for frame in (tables.readings, tables.scores):
        if frame is None or "patient" not in frame.columns:
            continue
        pairs = frame[["case", "patient"]].drop_duplicates()
        blank = pairs["patient"].isna().to_numpy(dtype=bool)
        if blank.any():
            raise CannotAnalyse(f"The column patient is blank for case {pairs['case'][blank].iloc[0]}.")
        for case, patient in zip(pairs["case"].astype(str), pairs["patient"].astype(str), strict=True):
            if found.setdefault(case, patient) != patient:
                raise CannotAnalyse(f"Case {case} belongs to two patients, {found[case]} and {patient}.")
    return found


def scores_of(frame: "pd.DataFrame", plan: StudyPlan, data: Data | None) -> tuple[ModelScores, ...]:
    """One record per model and set, models and sets in the order of the plan or in natural order."""
    if "set" not in frame.columns:
        frame = frame.assign(set=plan.scores.own_set or "all cases")
    check_columns(frame, ("model", "case"))
    if "score" not in frame.columns and "decision" not in frame.columns:
        raise CannotAnalyse("The table of scores has neither a column score nor a column decision.")
    truth = truth_of(frame, data)
    frame = frame.assign(truth=truth)
    models = plan.scores.models or tuple(sorted(frame["model"].astype(str).unique(), key=natural))
    known = sorted(frame["set"].astype(str).unique(), key=natural)
    strange = [name for name in plan.scores.sets if name not in known]
    if strange:
        raise CannotAnalyse(f"The table of scores has no set {strange[0]!r}; it has {', '.join(known)}.")
    sets = plan.scores.sets or tuple(known)
    parts = [
        model_scores(part, model, name)
        for model in models
        for name in sets
        if len(part := frame[(frame["model"].astype(str) == model) & (frame["set"].astype(str) == name)])
    ]
    if not parts:
        raise CannotAnalyse("No score of a model is left.")
    return tuple(parts)


def truth_of(frame: "pd.DataFrame", data: Data | None) -> Floats:
    """Truth of every row: of the readings where the case is theirs, else of the table of scores itself."""
    own = numbers(frame, "truth") if "truth" in frame.columns else np.full(len(frame), np.nan)
    if data is not None:
        theirs = dict(zip(data.any_values.cases, data.any_values.truth.astype(float), strict=True))
        read = np.array([theirs.get(case, np.nan) for case in frame["case"].astype(str)])
        torn = ~np.isnan(own) & ~np.isnan(read) & (own != read)
        if torn.any():
            raise CannotAnalyse(f"The truth of the scores contradicts that of the readings ({rows_of(torn)}).")
        own = np.where(np.isnan(read), own, read)
    known = ~np.isnan(own)
    bad = known & ~np.isin(own, (0.0, 1.0))
    if bad.any():
        raise CannotAnalyse(f"The column truth of the scores must be 0 or 1; it is not in {rows_of(bad)}.")
    if data is None and not known.all():
        raise CannotAnalyse(f"The column truth of the scores is missing in {rows_of(~known)}.")
    return own


def model_scores(frame: "pd.DataFrame", model: str, name: str) -> ModelScores:
    frame = frame[frame["truth"].notna()]
    if len(frame) == 0:
        raise CannotAnalyse(f"No case of model {model} in set {name} has a truth.")
    places, cases = codes(frame, "case")
    counts = np.bincount(places)
    if (counts > 1).any():
        twice = f"more than one score for case {cases[int(counts.argmax())]} in set {name}"
        raise CannotAnalyse(f"Model {model} has {twice}.")
    order = np.argsort(places)

    def column(key: str) -> Floats:
        return numbers(frame, key)[order] if key in frame.columns else np.full(len(order), np.nan)

    def labels(key: str) -> tuple[str, ...]:
        return tuple(frame[key].astype(str).to_numpy()[order]) if key in frame.columns else ()

    decision = column("decision")
    if not bool((np.isnan(decision) | np.isin(decision, (0.0, 1.0))).all()):
        raise CannotAnalyse(f"A decision of model {model} must be 0 or 1; at least one is neither.")
    return ModelScores(
        model, name, cases, column("truth") == 1, column("score"), decision, labels("patient"), labels("fold")
    )


def narrowed(material: Material, endpoint: Endpoint) -> Material:
    """The same material for the readers, seniority, models, sets and unit that an endpoint names."""
    tables = material.tables
    readings, scores = tables.readings, tables.scores
    if readings is not None and (endpoint.readers or endpoint.seniority):
        readings = of_readers(readings, endpoint)
    if endpoint.unit == "patient":
        readings = None if readings is None else per_patient(readings)
        scores = None if scores is None else per_patient(scores)
    if readings is tables.readings and scores is tables.scores:
        found = material
    else:
        plan = material.plan
        if endpoint.unit == "patient":
            plan = replace(plan, cases=replace(plan.cases, nested=False))
        found = gather(replace(tables, readings=readings, scores=scores), plan)
    for word, wanted, known in (("model", endpoint.models, found.models), ("set", endpoint.sets, found.sets)):
        absent = [name for name in wanted if name not in known]
        if absent:
            raise CannotAnalyse(f"There are no scores of the {word} {absent[0]!r}; there are {', '.join(known)}.")
    kept = tuple(
        item
        for item in found.scores
        if (not endpoint.models or item.model in endpoint.models) and (not endpoint.sets or item.set in endpoint.sets)
    )
    rank = {name: place for place, name in enumerate(endpoint.models)}
    return replace(found, scores=tuple(sorted(kept, key=lambda item: rank.get(item.model, 0))))


def of_readers(frame: "pd.DataFrame", endpoint: Endpoint) -> "pd.DataFrame":
    if endpoint.readers:
        absent = [name for name in endpoint.readers if name not in set(frame["reader"].astype(str))]
        if absent:
            raise CannotAnalyse(f"There is no reader {absent[0]!r}.")
        frame = frame[frame["reader"].astype(str).isin(endpoint.readers)]
    if endpoint.seniority:
        check_columns(frame, ("seniority",))
        frame = frame[frame["seniority"].astype(str) == endpoint.seniority]
        if len(frame) == 0:
            raise CannotAnalyse(f"There is no reader of seniority {endpoint.seniority!r}.")
    return frame


def per_patient(frame: "pd.DataFrame") -> "pd.DataFrame":
    """One row per patient instead of per unit: diseased where any unit is, called where any is, the highest score."""
    check_columns(frame, ("patient",))
    keys = [name for name in ("reader", "seniority", "arm", "model", "set", "fold") if name in frame.columns]
    values = [name for name in ("truth", "rating", "decision", "score") if name in frame.columns]
    grouped = frame.groupby([*keys, "patient"], sort=False, dropna=False)[values].max().reset_index()
    return grouped.assign(case=grouped["patient"])
