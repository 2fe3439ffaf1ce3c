"""One self-contained HTML page of a study's results, in the manner of a paper; nothing is loaded from outside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from analysis.plans.catalogue import BY_NAME
from analysis.plans.drawings import digits_for
from analysis.plans.outcomes import Cell, Claim, Findings, Outcome, Table
from analysis.plans.references import cited
from analysis.plans.running import StudyOutcome, counted
from analysis.plans.sentences import (
    claim_sentence,
    data,
    design_sentence,
    flow_sentence,
    listed,
    multiplicity_sentence,
    number,
    outcome_sentence,
    p_value,
    provenance_rows,
    with_interval,
)
from analysis.plans.svg import svg

TEMPLATE = Path(__file__).with_name("report.html")
# Exploratory comparisons beyond this number stand in their table only.
SPOKEN = 3


@dataclass(frozen=True)
class Look:
    """How the cells of one column of a report's table are written."""

    column: str
    span: int
    right: bool
    digits: int


@dataclass
class Numbering:
    """Running numbers of tables and figures."""

    tables: int = 0
    figures: int = 0


def report(outcome: StudyOutcome, plan_text: str = "", plan_digest: str = "") -> str:
    """What did the study find, as a page to read and print?

    outcome: from `running.run_plan`; plan_text, plan_digest: the plan's file and its SHA-256. Every number stands in a
    <data> element with its full precision, equal to results.json. Style, figures (SVG) and text are all inside.
    """
    count = Numbering()
    parts = {
        "participants": ("Readers and cases" if outcome.plan.has_readers else "Cases", participants(outcome)),
        "design": ("Design", f"<p>{design_sentence(outcome)}</p>"),
        "primary": ("Primary endpoints", role(outcome, "primary", count)),
        "secondary": ("Secondary endpoints", role(outcome, "secondary", count)),
        "readers": ("Readers and arms", overview(outcome, count)),
        "exploratory": ("Exploratory results", exploratory(outcome, count)),
        "deviations": ("Deviations and warnings", deviations(outcome)),
        "methods": ("Statistical methods", methods(outcome)),
        "provenance": ("Provenance", provenance(outcome, plan_text, plan_digest)),
    }
    kept = {name: part for name, part in parts.items() if part[1]}
    sections = "\n".join(
        f'<section id="{name}" class="{name}"><h2>{escape(title)}</h2>\n{body}\n</section>'
        for name, (title, body) in kept.items()
    )
    contents = "".join(f'<a href="#{name}">{escape(title)}</a>' for name, (title, _) in kept.items())
    versions = ", ".join(f"{name} {version}" for name, version in outcome.versions.items())
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(outcome.plan.title),
        lead=lead(outcome),
        contents=contents,
        facts=facts(outcome),
        sections=sections,
        footer=escape(f"Computed by the package analysis with {versions}; seed {outcome.seed}."),
    )


def lead(outcome: StudyOutcome) -> str:
    """The verdict of each primary claim in one paragraph."""
    said = []
    for item in outcome.endpoints:
        if item.role != "primary":
            continue
        if item.findings is None:
            said.append(f"<b>{escape(item.name)}</b>: not computed.")
            continue
        said += [f"<b>{escape(item.name)}</b>: {short(claim, outcome)}" for claim in item.findings.claims]
    return " ".join(said)


def short(claim: Claim, outcome: StudyOutcome) -> str:
    row, p = claim.row, claim.p if claim.p_adjusted is None else claim.p_adjusted
    word = "ratio" if claim.wanted == "lower" else "difference"
    found = with_interval(row.estimate, row.low, row.high, outcome.plan.level)
    return f"{escape(claim.sentence.rstrip('.'))} ({word} {found}, <i>p</i> {data(p, p_value(p))})."


def facts(outcome: StudyOutcome) -> str:
    flow, plan = outcome.flow, outcome.plan
    models = len(plan.scores.models)
    pairs: list[tuple[str, str]] = []
    if plan.has_readers:
        pairs += [
            (str(flow.readers_analysed), "reader" if flow.readers_analysed == 1 else "readers"),
            (str(len(plan.arms)), "arm" if len(plan.arms) == 1 else "arms"),
        ]
    pairs += [(str(flow.cases_analysed), "cases")]
    if flow.patients_analysed not in (None, flow.cases_analysed):
        pairs.append((str(flow.patients_analysed), "patients"))
    pairs += [(str(flow.positives), "diseased"), (str(flow.negatives), "not diseased")]
    if models:
        pairs.append((str(models), "model" if models == 1 else "models"))
    word = "readings" if plan.has_readers else "predictions"
    pairs += [(str(flow.readings_analysed), word), (f"{plan.level:.0%}", "confidence")]
    return "".join(f"<div><b>{value}</b><span>{escape(label)}</span></div>" for value, label in pairs)


def participants(outcome: StudyOutcome) -> str:
    """Sentence and flow from the table to what was analysed."""
    flow, word = outcome.flow, "readings" if outcome.plan.has_readers else "predictions"
    steps = [
        f'<div class="out">{escape(counted(step.readings, step.cases, step.readers))} left out: '
        f"{escape(step.reason)}</div>"
        for step in flow.steps
        if step.readings or step.cases or step.readers
    ]
    readers = f", {flow.readers} readers" if flow.readers else ""
    left = f", {flow.readers_analysed} readers" if flow.readers_analysed else ""
    boxes = [f'<div class="box"><b>In the table</b><br>{flow.readings} {word} of {flow.cases} cases{readers}</div>']
    for step in steps:
        boxes += ['<div class="arrow">│</div>', step]
    boxes += [
        '<div class="arrow">▼</div>',
        f'<div class="box"><b>Analysed</b><br>{flow.readings_analysed} {word} of {flow.cases_analysed} cases{left}<br>'
        f"{flow.positives} diseased, {flow.negatives} not</div>",
    ]
    return f'<p>{flow_sentence(outcome)}</p>\n<div class="flow">{"".join(boxes)}</div>'


def role(outcome: StudyOutcome, name: str, count: Numbering) -> str:
    return "\n".join(endpoint(item, outcome, count) for item in outcome.endpoints if item.role == name)


def endpoint(item: Outcome, outcome: StudyOutcome, count: Numbering) -> str:
    """Heading, method, claims, figures, tables of one endpoint."""
    parts = [f'<h3>{escape(item.name)}<span class="tag">{escape(item.analysis)}</span></h3>']
    parts.append(f'<p class="how">{outcome_sentence(item)}</p>')
    if item.findings is None:
        return "\n".join(parts)
    claims = item.findings.claims
    if item.role == "exploratory" and len(claims) > SPOKEN:
        return "\n".join([*parts, *findings_html(item.findings, count)])
    if len(claims) > 2 * SPOKEN:
        parts.append(claims_table(item.name, claims, count))
    else:
        parts += [
            f'<p class="claim {claim.verdict.replace(" ", "-")}">{claim_sentence(claim, outcome.plan.level)}</p>'
            for claim in claims
        ]
    return "\n".join([*parts, *findings_html(item.findings, count)])


def claims_table(name: str, claims: Sequence[Claim], count: Numbering) -> str:
    rows = tuple(
        (claim.label, claim.row.estimate, claim.row.low, claim.row.high, claim.p, claim.p_adjusted, claim.verdict)
        for claim in claims
    )
    columns = ("claim", "difference", "low", "high", "p", "p adjusted", "verdict")
    return table_html(Table("claims", f"Claims: {name}", columns, rows), count)


def findings_html(findings: Findings, count: Numbering) -> Iterator[str]:
    for drawing in findings.drawings:
        count.figures += 1
        caption = f"<figcaption><b>Figure {count.figures}.</b> {escape(begun(drawing.title))}.</figcaption>"
        yield f"<figure>{svg(drawing, titled=False)}{caption}</figure>"
    for item in findings.tables:
        yield table_html(item, count)
    if findings.warnings:
        items = "".join(f"<li>{escape(text)}</li>" for text in findings.warnings)
        yield f'<ul class="plain note">{items}</ul>'


def table_html(item: Table, count: Numbering) -> str:
    """A table in which an estimate and its limits share a cell."""
    count.tables += 1
    spans = [
        (start, span) for start, span in merged(item.columns) if any(row[start] not in (None, "") for row in item.rows)
    ]
    intervals = sum(span == 3 for _, span in spans)
    stacked = "" if intervals < 3 else ' class="stacked"' if intervals < 6 else ' class="stacked dense"'
    head = "".join(
        f'<th class="{"n" if is_number(item, start) else ""}">{escape(heading(item.columns, start, span))}</th>'
        for start, span in spans
    )
    looks = [
        Look(item.columns[start], span, is_number(item, start), digits_in(item, start, span)) for start, span in spans
    ]
    body = []
    for row in item.rows:
        cells = "".join(
            cell_html(row[start : start + span], look) for (start, span), look in zip(spans, looks, strict=True)
        )
        body.append(f"<tr>{cells}</tr>")
    note = f'<p class="note">{escape(item.note)}</p>' if item.note else ""
    caption = f"<caption><b>Table {count.tables}.</b> {escape(begun(item.title))}.</caption>"
    return (
        f'<div class="scroll"><table{stacked}>{caption}'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{note}"
    )


def begun(text: str) -> str:
    return text[:1].upper() + text[1:]


def merged(columns: Sequence[str]) -> list[tuple[int, int]]:
    """Runs of columns that share a cell: an estimate followed by its low and high."""
    found, place = [], 0
    while place < len(columns):
        after = columns[place + 1 : place + 3]
        is_interval = len(after) == 2 and after[0].endswith("low") and after[1].endswith("high")
        found.append((place, 3 if is_interval else 1))
        place += 3 if is_interval else 1
    return found


def heading(columns: Sequence[str], start: int, span: int) -> str:
    return f"{columns[start]} (CI)" if span == 3 else columns[start]


def is_number(item: Table, column: int) -> bool:
    return any(isinstance(row[column], int | float) for row in item.rows)


def digits_in(item: Table, start: int, span: int) -> int:
    """One number of decimals for an estimate and its limits in all rows."""
    values = [row[place] for row in item.rows for place in range(start, start + span)]
    return digits_for([value for value in values if isinstance(value, float)])


def cell_html(values: Sequence[Cell], look: Look) -> str:
    """One cell; p values as journals print them, a missing value as a dash."""
    text = written(values[0], look)
    low, high = values[1:] if look.span == 3 else (None, None)
    if low is not None and high is not None:
        signs = any(isinstance(limit, float) and limit < 0 for limit in (low, high))
        text += f' <span class="ci">({written(low, look)}{" to " if signs else "–"}{written(high, look)})</span>'
    return f"<td{' class=n' if look.right else ''}>{text}</td>"


def written(value: Cell, look: Look) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        is_p = look.column == "p" or look.column.startswith("p ")
        return data(value, p_value(value).removeprefix("= ") if is_p else number(value, look.digits))
    return escape(str(value))


def overview(outcome: StudyOutcome, count: Numbering) -> str:
    return "" if outcome.overview is None else "\n".join(findings_html(outcome.overview, count))


def exploratory(outcome: StudyOutcome, count: Numbering) -> str:
    """Apart from what was claimed; subgroups last, as a table of their own."""
    text = role(outcome, "exploratory", count)
    if outcome.subgroups:
        rows: list[tuple[Cell, ...]] = []
        for item in outcome.subgroups:
            if item.findings is None:
                rows.append((item.name, None, None, None, None, item.sentence))
                continue
            rows += [
                (f"{item.name}: {claim.label}", claim.row.estimate, claim.row.low, claim.row.high, claim.p, "")
                for claim in item.findings.claims
            ]
        columns = ("subgroup", "difference", "low", "high", "p", "remark")
        note = "Subgroups repeat the primary endpoints; their p values describe and are not adjusted."
        text += (
            f"\n<h3>Subgroups</h3>\n{table_html(Table('subgroups', 'Subgroups', columns, tuple(rows), note), count)}"
        )
    lead = "<p class='how'>What follows describes; it was not part of any claim and its p values are not adjusted.</p>"
    return f"{lead}\n{text}" if text else ""


def deviations(outcome: StudyOutcome) -> str:
    said = [f"<li>{escape(text)}</li>" for text in outcome.deviations]
    text = f'<ul class="plain">{"".join(said)}</ul>' if said else "<p>Nothing deviated from the plan.</p>"
    if outcome.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in outcome.warnings)
        text += f'<h3>Warnings of the analyses</h3><ul class="plain">{items}</ul>'
    return text


def methods(outcome: StudyOutcome) -> str:
    """What was used, once each, with its references."""
    used = dict.fromkeys(item.analysis for item in outcome.endpoints if item.valid)
    said = [BY_NAME[name].methods for name in used if name in BY_NAME]
    said.append(multiplicity_sentence(outcome))
    if any(item.margin is not None for item in outcome.plan.endpoints):
        said.append("Differences were held against the margin of the plan by one-sided tests at half the error.")
    if outcome.overview is not None and outcome.flow.readers_analysed > 1:
        said.append("Mean ROC curves average sensitivity at each specificity (Chen & Samuelson 2014).")
    text = " ".join(said)
    references = "".join(f"<li>{escape(item)}</li>" for item in cited(text))
    return f'<p>{escape(text)}</p>\n<h3>References</h3>\n<ol class="references">{references}</ol>'


def provenance(outcome: StudyOutcome, plan_text: str, plan_digest: str) -> str:
    """Digests of plan and tables, versions, seed, and the plan itself."""
    rows = ""
    if plan_digest:
        rows = f"<tr><td>plan</td><td></td><td></td><td class='digest'>{plan_digest}</td></tr>"
    rows += provenance_rows(outcome.sources)
    versions = listed([f"{name} {version}" for name, version in outcome.versions.items()])
    plan = (
        f"<details><summary>The plan as declared</summary><pre>{escape(plan_text)}</pre></details>" if plan_text else ""
    )
    return (
        '<div class="scroll"><table><thead><tr><th>file</th><th>name</th><th class="n">rows</th><th>SHA-256</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
        f"<p>Seed of every random draw: {outcome.seed}. Computed with {escape(versions)}.</p>{plan}"
    )
