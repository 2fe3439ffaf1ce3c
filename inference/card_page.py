"""A model's card as a page for people, in Markdown and HTML. Report R20. Free of torch."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.cards import DRAFT, Card
from inference.declared import Variant, document_of
from inference.outputs import Decision, Isotonic
from inference.spec import Aggregate, Input, ModelSpec

STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.lead { color: var(--quiet); margin-top: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-top: 1px solid var(--line); }
tbody th { font-weight: 500; width: 12rem; } thead th { font-weight: 600; border-top: 0; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.warn { border-left: .3rem solid #d55e00; padding: .3rem .8rem; }
"""
JOINED: Mapping[Aggregate, str] = {
    "none": "the answer to the finding; nothing is joined",
    "max_slice": "the highest of its slices",
    "mean_slice": "the mean of its slices",
    "max_vertebra": "the highest of its vertebrae",
}
MEASURES = ("auc", "sensitivity", "specificity", "accuracy")


@dataclass(frozen=True)
class Section:
    """A heading and a table; without a header its rows are a name and a value."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    header: tuple[str, ...] = ()


def sections(card: Card) -> tuple[Section, ...]:
    """Everything that stands in the card, in the order in which people ask."""
    spec = card.spec
    return (
        Section("What it answers", tuple((word(one.tag), inside(one)) for one in spec.outputs)),
        Section("Use", (("Intended use", card.intended_use), ("Limits", card.limits), ("Licence", card.licence))),
        Section("What it reads", reads(spec)),
        Section("Architecture", architecture(card)),
        Section("Decision", decision(card)),
        measured(card),
        made_from(card),
        Section("Training", training(spec)),
        Section("Identity", identity(card)),
    )


def reads(spec: ModelSpec) -> tuple[tuple[str, ...], ...]:
    steps = [f"{number}. {word(step.tag)}{bracketed(step)}" for number, step in enumerate(spec.preprocess, start=1)]
    return (
        *((f"Input {one.name}", described(one)) for one in spec.inputs),
        ("Region", f"{word(spec.roi.tag)}{bracketed(spec.roi)}"),
        ("Preprocessing, in this order", "; ".join(steps)),
        ("Input of the network", f"{spec.channels} × {' × '.join(map(str, spec.size))}"),
        ("From parts to the case", JOINED[spec.aggregate]),
    )


def described(one: Input) -> str:
    words = [one.modality, one.sequence, one.view and f"{one.view} view"]
    if one.slices != (0,):
        apart = f"{one.apart:g} mm apart" if one.apart else "neighbours of the series"
        words.append(f"slices {', '.join(f'{offset:+d}' if offset else '0' for offset in one.slices)} ({apart})")
    return ", ".join(part for part in words if part)


def architecture(card: Card) -> tuple[tuple[str, ...], ...]:
    spec = card.spec
    return (
        ("Family", spec.family),
        *((word(name), told(value)) for name, value in spec.architecture.items()),
        ("Parameters", f"{card.parameters:,}"),
        ("Multiplications with addition for one case", f"{card.macs:,}"),
        ("After", spec.paper or "not said"),
    )


def decision(card: Card) -> tuple[tuple[str, ...], ...]:
    found = card.spec.decision
    if found is None:
        return (("State", "A draft: nothing is decided." if card.version == DRAFT else "It answers no probability."),)
    low, high = found.abstain or (0.0, 0.0)
    return (
        ("Threshold", f"positive where the calibrated probability is at least {found.threshold:g}"),
        ("Chosen by", found.rule),
        ("Chosen on", f"{found.cases} {next(iter(card.metrics), 'tuning')} cases of development, none of another role"),
        ("Their predictions", f"SHA-256 {found.fitted_on}"),
        ("Calibration", calibration(found)),
        ("Abstains", f"uncertain from {low:g} to below {high:g}" if found.abstain else "never"),
    )


def calibration(found: Decision) -> str:
    if isinstance(found.calibration, Isotonic):
        return f"isotonic, {len(found.calibration.logits)} corners"
    return f"{found.calibration.tag}{bracketed(found.calibration)}"


def measured(card: Card) -> Section:
    """One row per cohort; each figure with its 95 % interval."""
    rows = tuple(
        (name, f"{figures['n']} ({figures['positives']})", *(interval(figures, measure) for measure in MEASURES))
        for name, figures in card.metrics.items()
    )
    header = ("Cases", "n (positive)", "AUC", "Sensitivity", "Specificity", "Accuracy")
    return Section("Measured, with 95 % intervals", rows or (("nothing yet", *[""] * 5),), header)


def interval(figures: Mapping[str, Any], measure: str) -> str:
    return f"{figures[measure]:.3f} ({figures[f'{measure}_low']:.3f}–{figures[f'{measure}_high']:.3f})"


def made_from(card: Card) -> Section:
    rows = tuple(
        (name, str(facts["cases"]), str(facts["patients"]), str(facts["positives"]), str(facts["digest"]))
        for name, facts in card.data.items()
        if isinstance(facts, Mapping)
    )
    return Section("Made from", rows, ("Part", "Cases", "Patients", "Positive", "Digest"))


def training(spec: ModelSpec) -> tuple[tuple[str, ...], ...]:
    plan = document_of(spec.train)
    moved = "; ".join(f"{word(step.tag)}{bracketed(step)}" for step in spec.train.augment)
    rows: list[tuple[str, ...]] = [
        ("Losses", "; ".join(f"{loss.tag}{bracketed(loss)}" for loss in spec.train.losses)),
        ("Augmentation", moved or "none"),
    ]
    return (*rows, *((word(name), told(value)) for name, value in plan.items() if name not in {"losses", "augment"}))


def identity(card: Card) -> tuple[tuple[str, ...], ...]:
    made = tuple((f"Made with {name}", version) for name, version in sorted(card.made_with.items()))
    return (
        ("Card", f"SHA-256 {card.digest}"),
        ("Weights", f"SHA-256 {card.weights_sha256}"),
        ("Specification", f"SHA-256 {card.spec.digest}"),
        ("Marks of what was seen", f"SHA-256 {card.data.get('seen_sha256', '')}"),
        *made,
    )


def word(name: str) -> str:
    return name.replace("_", " ").capitalize() if name.islower() else name


def told(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(told, value))
        case None | "":
            return "none"
    return str(value)


def inside(one: Variant) -> str:
    """The fields of a declared thing in words."""
    fields = {name: value for name, value in document_of(one).items() if name != one.key}
    return "; ".join(f"{name} {told(value)}" for name, value in fields.items() if value not in ("", None))


def bracketed(one: Variant) -> str:
    return f" ({text})" if (text := inside(one)) else ""


def as_markdown(card: Card) -> str:
    """The page as Markdown: a heading and a table for each section."""
    lines = [f"# {title(card)}", "", lead(card), ""]
    for section in sections(card):
        header = section.header or ("", "")
        lines += [f"## {section.title}", "", row(header), row(["---"] * len(header))]
        lines += [row(cells) for cells in section.rows] + [""]
    return "\n".join(lines)


def row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def as_html(card: Card) -> str:
    """The page as one HTML file that loads nothing."""
    body = "".join(table(section) for section in sections(card))
    warning = '<p class="warn">A draft: no control or external case may be answered by it yet.</p>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title(card))}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f'<main><h1>{html.escape(title(card))}</h1><p class="lead">{html.escape(lead(card))}</p>'
        f"{warning if card.version == DRAFT else ''}{body}</main></body></html>\n"
    )


def table(section: Section) -> str:
    def cells(row: Sequence[str], first: str) -> str:
        texts = [html.escape(text) for text in row]
        return f'<{first} scope="row">{texts[0]}</{first}>' + "".join(f"<td>{text}</td>" for text in texts[1:])

    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in section.header)
    body = "".join(f"<tr>{cells(row, 'th')}</tr>" for row in section.rows)
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f"<h2>{html.escape(section.title)}</h2><table>{top}<tbody>{body}</tbody></table>"


def title(card: Card) -> str:
    return f"{card.name}, {'draft' if card.version == DRAFT else f'version {card.version}'}"


def lead(card: Card) -> str:
    return card.paper or f"A model of the family {card.family}"
