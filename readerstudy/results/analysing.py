"""The job behind a run: from the locked files to results and figures. The only door to the package `analysis`."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from readerstudy.audit.actions import record
from readerstudy.audit.chain import digest_of
from readerstudy.datasets.models import Dataset
from readerstudy.datasets.queries import content_of, file_for

from .models import AnalysisRun

if TYPE_CHECKING:
    import pandas as pd

Phase = AnalysisRun.Phase
# The largest study takes seconds; a run done twice would give the same and be stored once.
PATIENCE = timedelta(minutes=5)
# A run that takes its worker down is not tried for ever.
ATTEMPTS = 3


def analyse(token: str) -> None:
    """Carry out a waiting run once; a run that a dead worker left is taken up again."""
    run = claim(token)
    if run is None:
        return
    if run.attempts >= ATTEMPTS:
        end(run, phase=Phase.FAILED, message=f"Stopped after {ATTEMPTS} attempts: no worker finished this analysis.")
        return
    from analysis.errors import CannotAnalyse

    try:
        outcome = compute(run)
    except CannotAnalyse as refusal:
        end(run, phase=Phase.FAILED, message=str(refusal))
    else:
        end(run, phase=Phase.DONE, results=outcome, results_digest=digest_of(outcome["results"]), message="")


@transaction.atomic
def claim(token: str) -> AnalysisRun | None:
    runs = AnalysisRun.objects.select_for_update(skip_locked=True, of=("self",)).select_related("dataset__study")
    run = runs.filter(token=token).first()
    if run is None or run.phase in (Phase.DONE, Phase.FAILED):
        return None
    if run.phase == Phase.RUNNING and run.claimed_at and timezone.now() - run.claimed_at < PATIENCE:
        return None
    AnalysisRun.objects.filter(pk=run.pk).update(
        phase=Phase.RUNNING, claimed_at=timezone.now(), attempts=F("attempts") + 1
    )
    return run


@transaction.atomic
def end(run: AnalysisRun, **values: Any) -> None:
    from analysis.versions import versions

    changed = AnalysisRun.objects.filter(pk=run.pk, phase=Phase.RUNNING).update(
        finished_at=timezone.now(), versions=versions(), **values
    )
    if changed:
        facts = {"phase": values["phase"], "message": values["message"], "digest": values.get("results_digest", "")}
        record(actor=None, verb="results.run_ended", target=run, facts=facts, study=run.dataset.study)


def compute(run: AnalysisRun) -> dict[str, Any]:
    from analysis.plan import plan_from_dict
    from analysis.study import analyse_study
    from analysis.study_figures import figures_of

    plan = plan_from_dict(run.plan["analysis"])
    results = analyse_study(readings_of(run.dataset), model_of(run.dataset), plan).to_dict()
    figures = {name.replace(" ", "-"): json.loads(figure.to_json()) for name, figure in figures_of(results).items()}
    return {"results": results, "figures": figures}


def parquet(dataset: Dataset, name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(io.BytesIO(content_of(file_for(dataset, name))))


def readings_of(dataset: Dataset) -> pd.DataFrame:
    frame = parquet(dataset, "readings.parquet")
    for column in ("truth", "decision"):
        frame[column] = frame[column].astype("float64")
    return frame


def model_of(dataset: Dataset) -> pd.DataFrame | None:
    """The output that assisted the readers; where none did, the first algorithm's."""
    predictions = parquet(dataset, "predictions.parquet")
    if predictions.empty:
        return None
    chosen = predictions[predictions["assists"]] if predictions["assists"].any() else predictions
    chosen = chosen[chosen["digest"] == chosen["digest"].iloc[0]]
    renamed: pd.DataFrame = chosen.rename(columns={"probability": "score", "positive": "decision"})
    renamed["decision"] = renamed["decision"].astype("float64")
    return renamed


def waiting() -> list[str]:
    """Runs that nobody has worked on for a while."""
    stale = timezone.now() - timedelta(seconds=20)
    queued = AnalysisRun.objects.filter(phase=Phase.QUEUED, started_at__lt=stale)
    left = AnalysisRun.objects.filter(phase=Phase.RUNNING, claimed_at__lt=timezone.now() - PATIENCE)
    return list(queued.union(left).values_list("token", flat=True))
