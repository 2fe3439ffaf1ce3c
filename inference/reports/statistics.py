"""Every interval and p value of a report comes from the statistics' own command line, called here and nowhere else.

A question is a plan (TOML) with its tables (CSV); ``python -m analysis run`` answers with ``results.json`` and a page
of its own, which the report links. The package of statistics is never imported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.reports.batch import Batch, NoStatistics

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Answer", "Endpoint", "Findings", "NoStatistics", "Question", "Statistics"]

SEED = 20260101
CLAIM = ("label", "hypothesis", "p", "p_adjusted", "verdict", "sentence")
ROW = ("first", "second", "reader", "estimate", "se", "low", "high", "n", "first_value", "second_value", "statistic")
DIFFERENCES = ("first", "second", "reader", "estimate", "se", "df", "statistic", "p", "low", "high")


@dataclass(frozen=True)
class Endpoint:
    """One question of a plan; ``options`` are further keys, such as ``models`` or ``arms``."""

    name: str
    analysis: str
    metric: str = "auc"
    role: str = "exploratory"
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A plan; ``sections`` are its further tables, such as ``{"cases": {"nested": True}}``."""

    title: str
    design: str
    endpoints: tuple[Endpoint, ...]
    arms: tuple[str, ...] = ()
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    seed: int = SEED

    def to_toml(self) -> str:
        """The plan as the statistics read it.

        Examples
        --------
        >>> print(Question("One", "models only", (Endpoint("A", "model alone"),), seed=1).to_toml())
        title = "One"
        design = "models only"
        seed = 1
        <BLANKLINE>
        [[endpoints]]
        name = "A"
        role = "exploratory"
        analysis = "model alone"
        metric = "auc"
        <BLANKLINE>
        """
        lines = [f"title = {_toml(self.title)}", f"design = {_toml(self.design)}"]
        if self.arms:
            lines.append(f"arms = {_toml(self.arms)}")
        lines.append(f"seed = {self.seed}")
        for name, section in self.sections.items():
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in section.items())]
        for one in self.endpoints:
            known = {"name": one.name, "role": one.role, "analysis": one.analysis, "metric": one.metric}
            lines += [
                "",
                "[[endpoints]]",
                *(f"{key} = {_toml(value)}" for key, value in {**known, **one.options}.items()),
            ]
        return "\n".join([*lines, ""])


@dataclass(frozen=True)
class Findings:
    """What one endpoint found."""

    method: str
    claims: pd.DataFrame
    estimates: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    notes: Mapping[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Results of a plan; ``page`` is the statistics' own report."""

    content: Mapping[str, Any]
    page: Path

    @property
    def seed(self) -> int:
        return int(self.content["seed"])

    def findings(self, name: str) -> Findings:
        """Of the endpoint of that name.

        Raises
        ------
        NoStatistics
            With the sentence of the refusal.
        """
        import pandas as pd

        item = next(one for one in self.content["endpoints"] if one["name"] == name)
        found = item["findings"]
        if found is None:
            raise NoStatistics(str(item["sentence"]))
        claims = [
            {key: claim[key] for key in CLAIM} | {key: claim["row"][key] for key in ROW} for claim in found["claims"]
        ]
        return Findings(
            str(found["method"]),
            pd.DataFrame(claims, columns=[*CLAIM, *ROW]),
            pd.DataFrame(found["estimates"]),
            {one["name"]: pd.DataFrame(one["rows"], columns=one["columns"]) for one in found["tables"]},
            {one["name"]: one["note"] for one in found["tables"]},
            tuple(found["warnings"]),
        )

    @property
    def overview(self) -> Mapping[str, pd.DataFrame]:
        """Tables that describe the readers; none where there are no readers."""
        import pandas as pd

        found = self.content.get("overview") or {"tables": []}
        return {one["name"]: pd.DataFrame(one["rows"], columns=one["columns"]) for one in found["tables"]}


@dataclass
class Statistics:
    """Calls the statistics and keeps what they answered.

    Parameters
    ----------
    folder : Path
        Where plans, tables and answers are kept; each question has a folder of its own.
    """

    folder: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    batch: Batch = field(default_factory=Batch)

    def ask(self, name: str, question: Question, table: pd.DataFrame, **further: pd.DataFrame) -> Answer:
        """Carry a plan out; the same question on the same tables is carried out once.

        Parameters
        ----------
        name : str
            Of the folder.
        question : Question
        table : DataFrame
            TABLE of the command line; ``further`` tables are written as ``NAME.csv`` beside the plan.

        Raises
        ------
        NoStatistics
            With the one sentence in which the statistics refuse.
        """
        plan = question.to_toml()
        tables = {key: frame.to_csv(index=False) for key, frame in {"table": table, **further}.items()}
        digest = hashlib.sha256("\0".join([plan, *tables.values()]).encode()).hexdigest()
        if digest not in self.answers:
            place = self.folder / name
            place.mkdir(parents=True, exist_ok=True)
            (place / "plan.toml").write_text(plan, encoding="utf-8")
            for key, content in tables.items():
                (place / f"{key}.csv").write_text(content, encoding="utf-8")
            self.batch.ask(["run", str(place / "plan.toml"), str(place / "table.csv"), "--out", str(place / "results")])
            content = json.loads((place / "results" / "results.json").read_text(encoding="utf-8"))
            self.answers[digest] = Answer(content, place / "results" / "report.html")
        return self.answers[digest]

    def differences(self, name: str, command: str, table: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
        """Rows of ``differences`` of one command, such as ``mcnemar`` with its words, per reader."""
        import pandas as pd

        content = self.answer(name, command, table, words)
        return pd.DataFrame(content["differences"], columns=list(DIFFERENCES))

    def answer(self, name: str, command: str, table: pd.DataFrame, words: Sequence[str]) -> Mapping[str, Any]:
        """The JSON of one command, in the form that all commands share."""
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        table.to_csv(place / "table.csv", index=False)
        said = self.batch.ask([command, str(place / "table.csv"), *words, "--format", "json"])
        (place / f"{command}.json").write_text(said, encoding="utf-8")
        content: Mapping[str, Any] = json.loads(said)
        return content


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
