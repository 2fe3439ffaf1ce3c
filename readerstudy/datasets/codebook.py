"""What every column of the data set means. No Django here."""

from collections.abc import Iterable, Mapping
from typing import Any

from .tidy import Column, Table

READER = (
    Column("reader", "text", "code of the reader in this study"),
    Column("seniority", "text", "seniority of the reader at enrolment", values="senior, intermediate, junior"),
    Column("external", "yes/no", "whether the answers were given elsewhere and imported"),
    Column("simulated", "yes/no", "whether the reader is simulated"),
)
SLOT = (
    Column("arm", "text", "arm of the reading"),
    Column("period", "integer", "period in which the case was read; 1 for imported answers"),
    Column("position", "integer", "place of the case in the reader's order of that period"),
)
CASE = (
    Column("case", "text", "the coordinator's name of the case"),
    Column("patient", "text", "pseudonym of the patient: the beginning of a keyed hash"),
    Column("site", "text", "site the case comes from"),
    Column("truth", "yes/no", "reference standard of the version named in dataset.json"),
)
ANSWERS = (
    *READER,
    *SLOT,
    *CASE,
    Column("question", "text", "key of the question"),
    Column("kind", "text", "kind of the question", values="decision, confidence, choice, number, text"),
    Column("answer", "text", "the answer as text; 1 and 0 for a decision"),
    Column("number", "number", "the answer as a number, where it is one"),
    Column("version", "integer", "1 for the answer as submitted; higher after corrections, which audit.jsonl lists"),
    Column("given_at", "time", "when the answer was stored; empty for imported answers"),
)
READINGS = (
    *READER,
    *SLOT,
    *CASE,
    Column("decision", "yes/no", "binary decision; empty where it was not collected"),
    Column("rating", "number", "confidence that the finding is present; higher is more suspicious"),
    Column("seconds", "number", "active reading time, without idle and hidden time", unit="s"),
    Column("idle_seconds", "number", "time without input while the page was in view", unit="s"),
    Column("hidden_seconds", "number", "time in which the page was out of view", unit="s"),
    Column("opened_at", "time", "when the server first showed the case to this reader in this period"),
    Column("submitted_at", "time", "when the server stored the answers"),
    Column("probability_shown", "yes/no", "whether the model's probability was shown"),
    Column("heatmap_shown", "yes/no", "whether the model's heat map was shown"),
    Column("source", "text", "file of imported answers"),
)
PREDICTIONS = (
    Column("case", "text", "the coordinator's name of the case"),
    Column("algorithm", "text", "name of the algorithm"),
    Column("version", "text", "version of the algorithm"),
    Column("digest", "text", "SHA-256 over card and weights"),
    Column("assists", "yes/no", "whether this output was shown in the aided arm"),
    Column("probability", "number", "calibrated probability of the positive label"),
    Column("positive", "yes/no", "decision at the operating point of the card"),
)


def question_columns(questions: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """One further column of the readings for each question that is neither the decision nor the confidence."""
    kinds: dict[str, Any] = {"choice": "text", "number": "number", "text": "text"}
    return tuple(
        Column(
            f"answer_{question['key']}",
            kinds[question["kind"]],
            question["text"],
            unit=question.get("unit", ""),
            values=", ".join(f"{choice['value']}: {choice['label']}" for choice in question.get("choices", ())),
        )
        for question in questions
        if question["kind"] in kinds
    )


def covariate_columns(names: Iterable[str]) -> tuple[Column, ...]:
    return tuple(Column(f"covariate_{name}", "text", f"covariate “{name}” of the manifest") for name in names)


def describe(tables: Iterable[Table], questions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    listed = list(tables)
    return {
        "tables": {table.name: {"meaning": table.meaning, "rows": len(table.rows)} for table in listed},
        "columns": [entry for table in listed for entry in table.codebook()],
        "questions": list(questions),
    }
