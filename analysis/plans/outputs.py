"""The folder of a run: results.json, one CSV per table, every figure as JSON, HTML and SVG, and report.html."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

from analysis.errors import CannotAnalyse
from analysis.plans.drawings import Drawing
from analysis.plans.outcomes import Cell, Findings, Table
from analysis.plans.plotted import plotly_figure
from analysis.plans.report import report
from analysis.plans.running import StudyOutcome
from analysis.plans.svg import svg

# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_outcome(outcome: StudyOutcome, folder: Path, plan_text: str, plan_digest: str) -> tuple[str, ...]:
    """Write everything; the answer names the files, relative to the folder. Nothing else in it is touched."""
    content = outcome.to_dict() | {"plan_sha256": plan_digest}
    written = []
    try:
        for name in ("tables", "figures"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, text in texts(outcome, content, plan_text, plan_digest):
            (folder / name).write_text(text, encoding="utf-8")
            written.append(name)
        for prefix, drawing in drawings_of(outcome):
            written += write_figure(drawing, folder, f"figures/{file_name(prefix, drawing.name)}")
    except OSError as failure:
        raise CannotAnalyse(f"The folder {folder} cannot be written: {failure.strerror or failure}.") from failure
    return tuple(written)


def texts(
    outcome: StudyOutcome, content: dict[str, object], plan_text: str, plan_digest: str
) -> Iterator[tuple[str, str]]:
    """Names and contents of all files but the figures."""
    yield "results.json", json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    yield "report.html", report(outcome, plan_text, plan_digest)
    for prefix, findings in parts_of(outcome):
        for table in findings.tables:
            yield f"tables/{file_name(prefix, table.name)}.csv", as_csv(table)
        if findings.claims:
            yield f"tables/{file_name(prefix, 'claims')}.csv", as_csv(claims_table(findings))


def write_figure(drawing: Drawing, folder: Path, name: str) -> tuple[str, ...]:
    """As SVG, as plotly's JSON, and as a page on which one can hover; plotly's script lies beside the pages once."""
    figure = plotly_figure(drawing)
    (folder / f"{name}.svg").write_text(svg(drawing) + "\n", encoding="utf-8")
    (folder / f"{name}.json").write_text(figure.to_json(), encoding="utf-8")
    figure.write_html(folder / f"{name}.html", include_plotlyjs="directory", full_html=True)
    return tuple(f"{name}.{kind}" for kind in ("svg", "json", "html"))


def parts_of(outcome: StudyOutcome) -> Iterator[tuple[str, Findings]]:
    if outcome.overview is not None:
        yield "00-readers", outcome.overview
    for place, item in enumerate((*outcome.endpoints, *outcome.subgroups), start=1):
        if item.findings is not None:
            yield f"{place:02d}-{item.name}", item.findings


def drawings_of(outcome: StudyOutcome) -> Iterator[tuple[str, Drawing]]:
    for prefix, findings in parts_of(outcome):
        for drawing in findings.drawings:
            yield prefix, drawing


def file_name(prefix: str, name: str) -> str:
    """Letters, digits and hyphens only.

    >>> file_name("01-AUC, aided", "roc mean")
    '01-auc-aided-roc-mean'
    """
    return re.sub(r"[^a-z0-9.]+", "-", f"{prefix} {name}".lower()).strip("-.")


def claims_table(findings: Findings) -> Table:
    rows = tuple(
        (claim.label, claim.hypothesis, claim.margin, claim.row.estimate, claim.row.se, claim.row.df, claim.row.low,
         claim.row.high, claim.p, claim.p_adjusted, claim.verdict, claim.sentence)
        for claim in findings.claims
    )  # fmt: skip
    columns = ("claim", "hypothesis", "margin", "difference", "se", "df", "low", "high", "p", "p adjusted", "verdict")
    return Table("claims", "Claims", (*columns, "sentence"), rows)


def as_csv(table: Table) -> str:
    """Full precision; a text that a spreadsheet would compute is set in quotes with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([plain_cell(cell) for cell in row] for row in table.rows)
    return buffer.getvalue()


def plain_cell(cell: Cell) -> str | float | int:
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return f"'{cell}"
    return cell
