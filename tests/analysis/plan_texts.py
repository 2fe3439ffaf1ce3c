"""Plans and tables that tests of plans share."""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.plans.files import plan_of
from analysis.plans.outcomes import Claim, Findings
from analysis.plans.running import StudyOutcome, run_plan
from analysis.plans.tables import Source, Tables

PLANS = Path(__file__).resolve().parents[2] / "fixtures" / "plans"
HEAD = """title = "A study"
design = "{design}"
arms = ["unaided", "aided"]
"""
ENDPOINT = """
[[endpoints]]
name = "{name}"
role = "{role}"
analysis = "{analysis}"
metric = "{metric}"
"""


def endpoint(
    analysis: str = "obuchowski-rockette", metric: str = "auc", role: str = "primary", name: str = "", more: str = ""
) -> str:
    text = ENDPOINT.format(name=name or f"{analysis}, {metric}, {role}", role=role, analysis=analysis, metric=metric)
    return text + more


def plan_text(*endpoints: str, design: str = "fully crossed", more: str = "") -> str:
    return HEAD.format(design=design) + more + "".join(endpoints or (endpoint(),))


def carried_out(
    text: str, readings: pd.DataFrame | None, scores: pd.DataFrame | None = None, features: pd.DataFrame | None = None
) -> StudyOutcome:
    """The plan on tables that are in memory already."""
    frames = (readings, scores, features)
    sources = tuple(Source("table", "in memory", "", len(frame)) for frame in frames if frame is not None)
    return run_plan(plan_of(text), Tables(readings, scores, features, None, None, sources))


def findings(outcome: StudyOutcome, place: int = 0) -> Findings:
    found = outcome.endpoints[place].findings
    assert found is not None, outcome.endpoints[place].sentence
    return found


def claim(outcome: StudyOutcome, place: int = 0, number: int = 0) -> Claim:
    return findings(outcome, place).claims[number]


def model_of(frame: pd.DataFrame, seed: int = 5) -> pd.DataFrame:
    cases = frame.drop_duplicates("case")[["case", "truth"]]
    latent = np.random.default_rng(seed).normal(size=len(cases)) + 1.5 * cases["truth"]
    score = 1 / (1 + np.exp(-latent))
    return cases.assign(model="net", score=score, decision=(score > 0.65).astype(int))
