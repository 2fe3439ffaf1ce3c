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
    Column(
        "kind",
        "text",
        "kind of the question",
        values="decision, confidence, choice, choices, grid, level, number, marks, text",
    ),
    Column("stage", "text", "first before the model's output where the own answer comes first", values="first, final"),
    Column("item", "text", "row of a grid, number of a mark, one of several choices; else empty"),
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
    Column("seconds", "number", "active time from the opening to this answer, without idle and hidden", unit="s"),
    Column("seconds_again", "number", "active time after going back to the submitted case", unit="s"),
    Column("idle_seconds", "number", "time without input while the page was in view", unit="s"),
    Column("hidden_seconds", "number", "time in which the page was out of view", unit="s"),
    Column("opened_at", "time", "when the server first showed the case to this reader in this period"),
    Column("submitted_at", "time", "when the server stored the answers"),
    Column("probability_shown", "yes/no", "whether the model's probability was shown"),
    Column("heatmap_shown", "yes/no", "whether the model's heat map lay over an image on the screen"),
    Column("mask_shown", "yes/no", "whether the outline of the model's mask lay over an image on the screen"),
    Column("boxes_shown", "yes/no", "whether the model's boxes lay over an image on the screen"),
    Column("levels_shown", "yes/no", "whether the vertebrae were shown as the model names them"),
    Column("output_after_seconds", "number", "when output was first in sight, from the opening of the case", unit="s"),
    Column("output_seconds", "number", "how long any output was in sight", unit="s"),
    Column("not_readable", "text", "reason for which the reader declared the case not readable"),
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
    Column("uncertain", "yes/no", "whether the probability lies in the card's band of abstention"),
    Column("masked_images", "integer", "images on which the model marks something; empty where it gives no mask"),
    Column("input_digest", "text", "SHA-256 over pixels, geometry and place of the finding that were read"),
    Column("findings_digest", "text", "SHA-256 over heat maps, masks, vertebrae and boxes"),
    Column("seconds", "number", "time of the computation", unit="s"),
    Column("device", "text", "where it was computed"),
    Column("runtime", "text", "by what it was computed"),
)
CORNERS = ("anterior_superior", "posterior_superior", "posterior_inferior", "anterior_inferior")
HEIGHTS = {"ha": "anterior", "hm": "middle", "hp": "posterior"}
VERTEBRAE = (
    *PREDICTIONS[:5],
    Column("level", "text", "vertebral level as the model names it"),
    Column("probability", "number", "probability of a fracture of this vertebra"),
    Column("positive", "yes/no", "decision at the operating point of the card"),
    Column("series", "integer", "series of the case, from 1"),
    Column("image", "integer", "image of that series, from 1"),
    *(
        Column(f"{corner}_{axis}", "number", f"{axis} of the {corner.replace('_', ' ')} corner, from 0", unit="pixel")
        for corner in CORNERS
        for axis in ("row", "column")
    ),
    *(Column(name, "number", f"{where} height of the body", unit="mm") for name, where in HEIGHTS.items()),
)

EXPOSURES = (
    *READER,
    *SLOT,
    *CASE,
    Column("output", "text", "what was shown", values="probability, heatmap, mask, boxes, levels"),
    Column(
        "image_number",
        "integer",
        "number of the image that it lay over on the screen, through all series; 0 for being switched on at all",
    ),
    Column(
        "made_plane",
        "text",
        "where it lay over a plane made of the stack that begins with that image; else empty",
        values="axial, coronal, sagittal",
    ),
    Column("plane_number", "integer", "number of that plane among those of its direction; 0 where none was made"),
    Column("after_seconds", "number", "when that was first so, from the opening of the case", unit="s"),
    Column("seconds", "number", "how long it was so, counted from 0.2 s of rest on", unit="s"),
    Column("least_opacity", "integer", "its least opacity while it was switched on", unit="%"),
    Column("most_opacity", "integer", "its greatest opacity while it was switched on", unit="%"),
)

KINDS: Mapping[str, Any] = {
    "choice": "text",
    "level": "text",
    "choices": "text",
    "grid": "text",
    "number": "number",
    "marks": "integer",
    "text": "text",
}


def question_columns(questions: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """One further column of the readings for each question that is neither the decision nor the confidence.

    A grid has one for each of its rows; of marks there is their number.
    """
    return tuple(
        Column(
            f"answer_{question['key']}{tail}",
            KINDS[question["kind"]],
            f"{question['text']}{words}",
            unit=question.get("unit", ""),
            values=", ".join(f"{choice['value']}: {choice['label']}" for choice in question.get("choices", ())),
        )
        for question in questions
        if question["kind"] in KINDS
        for tail, words in (
            [(f"_{item['value']}", f": {item['label']}") for item in question.get("items", ())] or [("", "")]
        )
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
