"""Reports as one self-contained page to read and print, and as files with the same numbers."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from inference.reports.contract import Figure, Footer, Panel, Report, Table
from inference.reports.words import digits_for, number, p_value

if TYPE_CHECKING:
    import pandas as pd

TEMPLATE = Path(__file__).with_name("page.html")
LONG, SHORT, SPREAD = 40, 24, 100
CONFIG = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"]}


@dataclass
class Numbering:
    """Running numbers of tables and figures, over all reports of a page."""

    tables: int = 0
    figures: int = 0


@dataclass(frozen=True)
class Page:
    """What stands around the reports: title, lead, facts in boxes, a notice, the folder of the exports."""

    title: str
    kicker: str
    lead: str
    facts: Mapping[str, str]
    notice: str = ""
    exports: str = ""
    footer: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


def rendered(page: Page, reports: Sequence[Report]) -> str:
    """The page as HTML; style, script and pictures are inside, nothing is loaded from elsewhere."""
    count = Numbering()
    sections = "\n".join(section(report, count, page.exports) for report in reports)
    contents = "".join(
        f'<a href="#{one.id}"{" class=none" if one.missing else ""}><span>{one.id}</span>{escape(one.title)}</a>'
        for one in reports
    )
    facts = "".join(f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for k, v in page.facts.items())
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(page.title),
        kicker=escape(page.kicker),
        lead=escape(page.lead),
        contents=contents,
        facts=facts,
        notice=f'<p class="synthetic">{escape(page.notice)}</p>' if page.notice else "",
        script=script() if any(report.figures for report in reports) else "",
        sections=sections,
        footer=escape(page.footer),
    )


def script() -> str:
    """plotly, once, inside the page."""
    from plotly.offline import get_plotlyjs

    return f"<script>{get_plotlyjs()}</script>"


def section(report: Report, count: Numbering, exports: str) -> str:
    """Heading, text, figures with their tables, panels, footer of one report."""
    parts = [
        f'<section id="{report.id}"><h2><span class="id">{report.id}</span>{escape(report.title)}</h2>'
    ]  # fmt: skip
    if report.missing:
        return "\n".join([*parts, f'<p class="missing">{escape(report.missing)}</p></section>'])
    parts += [paragraph(text) for text in report.text]
    parts += [figure_html(one, count) for one in report.figures]
    parts += [table_html(one, count, report.id, exports) for one in report.tables if one.shown]
    parts += [panel_html(one) for one in report.panels]
    if report.footer is not None:
        parts.append(footer_html(report.footer, exports))
    return "\n".join([*parts, "</section>"])


def paragraph(text: str) -> str:
    """A paragraph; one that begins with an exclamation mark is a warning."""
    if text.startswith("!"):
        return f'<p class="flag">{escape(text[1:].strip())}</p>'
    return f"<p>{escape(text)}</p>"


def figure_html(figure: Figure, count: Numbering) -> str:
    count.figures += 1
    plot = figure.plot.to_html(full_html=False, include_plotlyjs=False, config=CONFIG)
    caption = f"<figcaption><b>Figure {count.figures}.</b> {escape(figure.title)}</figcaption>"
    return f'<figure><div class="plot">{plot}</div>{caption}</figure>'


def table_html(table: Table, count: Numbering, report: str, exports: str) -> str:
    """A table in which an estimate and its limits share a cell; its file stands beside the page."""
    count.tables += 1
    frame = table.frame
    spans = merged([str(column) for column in frame.columns])
    intervals = sum(span == 3 for _, span in spans)
    kind = "" if intervals < 3 else ' class="stacked"' if intervals < 6 else ' class="stacked dense"'
    looks = [
        (start, span, span == 3 or (start > 0 and numeric(frame, start)), digits(frame, start, span))
        for start, span in spans
    ]
    head = "".join(
        f"<th{' class=n' if right else ''}>{escape(heading(frame, start, span, intervals < 3))}</th>"
        for start, span, right, _ in looks
    )
    body = "".join(
        f"<tr>{''.join(cell(row[s : s + n], str(frame.columns[s]), right, d) for s, n, right, d in looks)}</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    link = f'<a class="get" href="{exports}/{report}-{table.name}.csv">CSV</a>' if exports else ""
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    title = escape(table.title) + ("; in brackets 95 % intervals" if intervals >= 3 else "")
    return (
        f'<div class="scroll"><table{kind}><caption>{link}<b>Table {count.tables}.</b> {title}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}"
    )


def merged(columns: Sequence[str]) -> list[tuple[int, int]]:
    """Runs of columns that share a cell: an estimate followed by its low and high.

    >>> merged(["model", "AUC", "AUC low", "AUC high", "n"])
    [(0, 1), (1, 3), (4, 1)]
    """
    found, place = [], 0
    while place < len(columns):
        after = columns[place + 1 : place + 3]
        span = 3 if len(after) == 2 and after[0].endswith("low") and after[1].endswith("high") else 1
        found.append((place, span))
        place += span
    return found


def heading(frame: pd.DataFrame, start: int, span: int, alone: bool) -> str:
    return f"{frame.columns[start]} (95 % CI)" if span == 3 and alone else str(frame.columns[start])


def numeric(frame: pd.DataFrame, column: int) -> bool:
    values = [value for value in frame.iloc[:, column] if is_there(value)]
    return bool(values) and all(isinstance(value, int | float) or hasattr(value, "dtype") for value in values)


def digits(frame: pd.DataFrame, start: int, span: int) -> int | None:
    """One number of decimals for an estimate and its limits in all rows; None where sizes differ a hundredfold."""
    values = [value for place in range(start, start + span) for value in frame.iloc[:, place]]
    known = [one for value in values if (one := real(value)) is not None]
    sizes = [abs(value) for value in known if value]
    if not sizes:
        return 3 if span == 3 else 0
    if all(value == round(value) for value in known) and max(sizes) > 1:
        return 0
    return None if span == 1 and max(sizes) > SPREAD * min(sizes) and max(sizes) > 1 else digits_for(known)


def is_there(value: object) -> bool:
    return value is not None and value == value and value != ""


def real(value: object) -> float | None:
    """The number that a cell holds; None for text, truth values and what is missing."""
    if isinstance(value, bool | str) or value is None or not hasattr(value, "__float__"):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def cell(values: Sequence[object], column: str, right: bool, digits: int | None) -> str:
    """One cell; p values as journals print them, a missing value as a dash."""
    text = written(values[0], column, digits)
    if len(values) == 3 and is_there(values[1]) and is_there(values[2]):
        between = " to " if any((real(value) or 0.0) < 0 for value in values[1:]) else "–"
        limits = f"{written(values[1], '', digits)}{between}{written(values[2], '', digits)}"
        text += f' <span class="ci">({limits})</span>'
    return f"<td{' class=n' if right else ''}>{text}</td>"


def written(value: object, column: str, digits: int | None) -> str:
    """A number with its full precision inside, a name, or a dash where nothing is."""
    if not is_there(value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    found = real(value)
    if found is not None and not isinstance(value, int):
        is_p = column == "p" or column.startswith("p ")
        return f'<data value="{found!r}">{escape(p_value(found) if is_p else number(found, digits))}</data>'
    text = str(value)
    if len(text) >= LONG and " " not in text:
        return f"<code>{escape(text)}</code>"
    # A name is not torn at its hyphen.
    return escape(text.replace("-", "\u2011") if len(text) <= SHORT else text)


def panel_html(panel: Panel) -> str:
    rows = []
    for row in panel.rows:
        pictures = "".join(
            f'<div><img alt="{escape(one.caption)}" src="data:image/png;base64,{base64.b64encode(one.png).decode()}">'
            f"<span>{escape(one.caption)}</span></div>"
            for one in row
        )
        rows.append(f'<div class="row">{pictures}</div>')
    return f'<div class="panel"><h3>{escape(panel.title)}</h3>{"".join(rows)}</div>'


def footer_html(footer: Footer, exports: str) -> str:
    """Seed, counts, how intervals were found, inputs with their digests."""
    counts = ", ".join(f"{count:,} {word}".replace(",", " ") for word, count in footer.counts.items())
    seed = "Nothing was drawn at random" if footer.seed is None else f"Seed of every random draw: {footer.seed}"
    interval = f" Intervals at 95 %: {escape(footer.interval)}." if footer.interval else " No intervals."
    beside = f"{exports}/" if exports else ""
    links = "".join(
        f' <a href="{escape(beside + path)}">{escape(word)}</a>.' for word, path in footer.links.items() if path
    )  # fmt: skip
    files = "".join(
        f"<br>{escape(one.name)}, {one.rows} rows, <code>{one.sha256}</code>" for one in footer.sources
    )  # fmt: skip
    many = f"{len(footer.sources)} input files" if len(footer.sources) > 1 else "1 input file"
    inputs = f"<details><summary>{many} with SHA-256</summary>{files}</details>" if footer.sources else ""
    return f'<div class="rests">{escape(counts.capitalize())}. {seed}.{interval}{links}{inputs}</div>'


def export(reports: Sequence[Report], folder: Path) -> list[Path]:
    """Every table as CSV, every report as JSON, in full precision; the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for report in reports:
        for table in report.tables:
            path = folder / f"{report.id}-{table.name}.csv"
            table.frame.to_csv(path, index=False)
            files.append(path)
        path = folder / f"{report.id}.json"
        path.write_text(json.dumps(document(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        files.append(path)
    return files


def document(report: Report) -> dict[str, object]:
    """Text, tables and footer as plain data."""
    footer = report.footer
    return {
        "id": report.id,
        "title": report.title,
        "missing": report.missing,
        "text": list(report.text),
        "tables": [
            {"name": one.name, "title": one.title, "note": one.note, "rows": plain_rows(one)}
            for one in report.tables
        ],
        "footer": None
        if footer is None
        else {
            "seed": footer.seed,
            "counts": dict(footer.counts),
            "interval": footer.interval,
            "sources": [{"name": one.name, "sha256": one.sha256, "rows": one.rows} for one in footer.sources],
        },
    }  # fmt: skip


def plain_rows(table: Table) -> list[dict[str, object]]:
    """Rows for JSON: numbers with all their digits, None where nothing is."""
    found = []
    for row in table.frame.itertuples(index=False, name=None):
        values = [value.item() if hasattr(value, "item") else value for value in row]
        kept = [value if is_there(value) else None for value in values]
        found.append(dict(zip(map(str, table.frame.columns), kept, strict=True)))
    return found
