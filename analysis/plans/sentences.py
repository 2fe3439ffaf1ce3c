"""Numbers and findings in words, in the manner of a paper; every number of a report is written here."""

from collections.abc import Iterator, Sequence
from html import escape

from analysis.plans.drawings import digits_for
from analysis.plans.exclusions import Flow
from analysis.plans.outcomes import Claim, Outcome
from analysis.plans.running import StudyOutcome, counted
from analysis.plans.tables import Source

MINUS = "−"


def number(value: float, digits: int | None = None) -> str:
    """With as many decimals as its size asks for, unless said; a true minus sign.

    >>> number(-0.12345), number(0.00042), number(123.456), number(-1e-17), number(0.0071, 3)
    ('−0.123', '0.00042', '123.5', '0.000', '0.007')
    """
    value = 0.0 if abs(value) < 1e-12 else value
    return f"{value:.{digits_for([value]) if digits is None else digits}f}".replace("-", MINUS)


def p_value(p: float) -> str:
    """As journals print it: p = .012, p < .001.

    >>> p_value(0.0123), p_value(0.00004), p_value(0.0496), p_value(1.0)
    ('= .012', '< .001', '= .050', '= 1.00')
    """
    if p < 0.001:
        return "< .001"
    if p >= 0.995:
        return "= 1.00"
    return f"= {p:.3f}".replace("0.", ".", 1)


def data(value: float, text: str | None = None) -> str:
    """A number that carries its full precision, so that a program can read the report."""
    return f'<data value="{float(value)!r}">{escape(text if text is not None else number(value))}</data>'


def p_html(p: float, word: str = "p") -> str:
    return f"<i>{word}</i> {data(p, p_value(p))}"


def with_interval(estimate: float, low: float, high: float, level: float) -> str:
    """An estimate with its interval, all with the same decimals."""
    digits = digits_for([estimate, low, high])
    one, two, three = (data(value, number(value, digits)) for value in (estimate, low, high))
    return f"{one} ({level:.0%} CI {two} to {three}"


def listed(parts: Sequence[str]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def flow_sentence(outcome: StudyOutcome) -> str:
    """Who read what, what was left out, what remained."""
    flow = outcome.flow
    if outcome.plan.has_readers:
        start = f"The table held {counted(flow.readings, flow.cases, flow.readers)}"
        patients = "" if flow.patients in (None, flow.cases) else f" of {flow.patients} patients"
        end = f"{counted(flow.readings_analysed, flow.cases_analysed, flow.readers_analysed)} were analysed"
    else:
        start = f"The table held {flow.readings} predictions of {counted(0, flow.cases, 0)}"
        patients = "" if flow.patients in (None, flow.cases) else f" of {flow.patients} patients"
        end = f"{flow.readings_analysed} predictions of {counted(0, flow.cases_analysed, 0)} were analysed"
    gone = "Nothing was excluded" if not any(removed(flow)) else f"Left out were {listed(list(removed(flow)))}"
    classes = f"{flow.positives} diseased and {flow.negatives} not"
    return escape(f"{start}{patients}. {gone}; {end} ({classes}).")


def removed(flow: Flow) -> Iterator[str]:
    for step in flow.steps:
        if step.readings or step.cases or step.readers:
            yield f"{counted(step.readings, step.cases, step.readers)} ({step.reason})"


def claim_sentence(claim: Claim, level: float) -> str:
    """Both values, the difference with its interval, the p values, the verdict."""
    row = claim.row
    text = f"{escape(claim.label[:1].upper() + claim.label[1:])}: "
    if row.first_value is not None and row.second_value is not None:
        text += (
            f"{data(row.first_value)} for {escape(row.first)} and {data(row.second_value)} for {escape(row.second)}; "
        )
    word = "ratio" if claim.wanted == "lower" else "difference"
    text += f"{word} {with_interval(row.estimate, row.low, row.high, level)}"
    if row.df is not None:
        text += f"; <i>df</i> {data(row.df, f'{row.df:.1f}')}"
    text += f"; {p_html(claim.p, 'one-sided p' if claim.one_sided else 'p')}"
    if claim.margin is not None:
        text += f" against the margin of {data(claim.margin)}"
    if claim.p_adjusted is not None and claim.p_adjusted != claim.p:
        text += f"; {p_html(claim.p_adjusted, 'adjusted p')}"
    text += ")."
    return f"{text} {verdict(claim)}"


def verdict(claim: Claim) -> str:
    kind = claim.verdict.replace(" ", "-")
    return f'<span class="verdict {kind}">{escape(claim.sentence)}</span>' if claim.sentence else ""


def outcome_sentence(outcome: Outcome) -> str:
    """How it was computed, or why it was not."""
    if not outcome.valid:
        return f'<span class="verdict refused">Not computed.</span> {escape(outcome.sentence)}'
    return escape(outcome.sentence)


def multiplicity_sentence(outcome: StudyOutcome) -> str:
    """How the family-wise error was kept, in words."""
    plan = outcome.plan
    words = {
        "holm": "by Holm's method",
        "hochberg": "by Hochberg's method",
        "fixed sequence": "by testing in the order of the plan, each only after those before it were met",
        "co-primary": "by asking that all of them be met",
    }
    alpha = f"{1 - plan.level:.2g}"
    text = f"The family-wise error over the primary endpoints was kept at {alpha} {words[plan.multiplicity.primary]}"
    if plan.of_role("secondary"):
        text += f", over the secondary ones {words[plan.multiplicity.secondary]}"
        if plan.multiplicity.gatekeeping:
            text += ", which were tested only if every primary endpoint was met"
    return f"{text}. Exploratory results carry no claim."


def design_sentence(outcome: StudyOutcome) -> str:
    plan, design = outcome.plan, outcome.design
    text = f"The plan declares the design “{plan.design}”"
    if plan.arms:
        text += f" with {'the arm' if len(plan.arms) == 1 else 'the arms'} {listed(plan.arms)}"
    text += ". "
    if design is not None:
        text += f"As found in the data: {design.sentence} "
        text += f"Readers count as {plan.readers.sampling}, cases as {plan.cases.sampling}. "
    if plan.cases.nested:
        text += "Several cases come from one patient, so tests and intervals are adjusted for patients. "
    rules = {
        "as read": "Missing readings were left missing; analyses that need all of them were replaced or refused.",
        "complete cases": "Only cases read by every reader in every arm were analysed.",
        "worst case": "Missing readings counted as right in the first arm and as wrong in the later ones.",
    }
    return escape(text + (rules[plan.missing.rule] if plan.has_readers else ""))


def provenance_rows(sources: Sequence[Source]) -> str:
    return "".join(
        f"<tr><td>{escape(item.role)}</td><td>{escape(item.name)}</td><td class='n'>{item.rows or ''}</td>"
        f"<td class='digest'>{item.sha256}</td></tr>"
        for item in sources
    )
