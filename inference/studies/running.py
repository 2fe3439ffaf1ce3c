"""A study from nothing to its tables: cohort, models, answers, measures, readers. What is there is not done again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from inference.cohorts.cases import BadCohort
from inference.studies.plans import StudyPlan

LOGS, COHORT, DIGESTS, MANIFEST = "logs", "cohort", "digests.json", "manifest.csv"
ANSWERS, PREDICTIONS, READINGS = "answers", "predictions.csv", "readings.csv"
LAST_WORDS = 600
# The maps of a step are as large as those of the step before: memory that goes back to the system between the two costs
# volumes a fifth of their time.
KEPT_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(16 << 30), "MALLOC_MMAP_MAX_": "0"}


def run_study(
    plan: StudyPlan, folder: Path, *, preset: str = "small", seed: int = 7, workers: int = 2, epochs: int = 0
) -> None:
    """All stages of a study.

    Parameters
    ----------
    folder : Path
        Made if missing. A study that was killed goes on where it was.
    preset : {"ci", "small", "full"}
        Size of the cohort; ``ci`` has the networks of ``small``.
    seed : int
        Of cohort, trainings and readers.
    workers : int
        Processes at once; each uses one thread.
    epochs : int
        Instead of those of the recipes; 0 for these.

    Raises
    ------
    BadCohort
        Where a model's process failed, with the last that it said.
    """
    from inference.measures.evaluating import evaluate
    from inference.phantoms.sets import build_set

    cohort = folder / COHORT
    if not (cohort / DIGESTS).is_file():
        build_set(plan.key, cleared(cohort), preset, seed, workers=workers, quiet=False)
    words = ["--out", str(folder), "--preset", preset, "--seed", str(seed), "--epochs", str(epochs)]
    teach_all(plan.key, plan.models, words, folder / LOGS, workers)
    evaluate(folder, cohort / MANIFEST)
    if plan.read:
        read(plan, folder, seed)


def read(plan: StudyPlan, folder: Path, seed: int) -> None:
    """The study's simulated readers read its cases; aided ones see the first model's answers."""
    from inference.commands.readers import probabilities_in
    from inference.phantoms.readers import write_answers

    out = folder / READINGS
    if not out.is_file():
        model = plan.models[0]
        shown = probabilities_in(folder / ANSWERS / model / PREDICTIONS)
        where = folder / COHORT / MANIFEST
        write_answers(where, shown, out, seed=seed, panel=plan.key, roles=[plan.read], model=model)


def cleared(folder: Path) -> Path:
    """Without what a killed build left."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    return folder


def teach_all(key: str, models: Sequence[str], words: Sequence[str], logs: Path, workers: int) -> None:
    """Models in ``workers`` processes; where there is but one, it teaches them all and loads its libraries once."""
    logs.mkdir(parents=True, exist_ok=True)
    shares = [[name] for name in models] if workers > 1 else [list(models)]
    with ThreadPoolExecutor(workers) as pool, tqdm(None, f"{key}: models", len(models), unit="model") as bar:
        for done in as_completed([pool.submit(teach, key, share, words, logs, bar) for share in shares]):
            done.result()


def teach(key: str, share: Sequence[str], words: Sequence[str], logs: Path, bar: tqdm[None]) -> None:
    """One process for some models, one after the other; it says a line of each that is done."""
    log = logs / f"{share[0] if len(share) == 1 else 'models'}.log"
    call = [sys.executable, "-m", "inference", "study", key, *words, "--model", *share]
    with log.open("w", buffering=1, encoding="utf-8") as stream:
        settings = {**KEPT_MEMORY, **os.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            call, env=settings, stdout=subprocess.PIPE, stderr=stream, encoding="utf-8", errors="replace"
        ) as process:
            for line in process.stdout or ():
                stream.write(line)
                bar.set_postfix_str(line.split(",")[0])
                bar.update()
    if process.returncode:
        said = log.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:].strip().splitlines()
        last = said[-1] if said else "it said nothing"
        raise BadCohort(f"{' and '.join(share)} ended with status {process.returncode}: {last} (see {log}).")
