"""From tests to verdicts: hypotheses with margins, and the family-wise error over all claims of a plan."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from analysis.errors import CannotAnalyse
from analysis.margins import margin_test, paired_margin_test
from analysis.multiplicity import adjusted
from analysis.paired import PairedTable
from analysis.plans.declared import Endpoint, Family, StudyPlan
from analysis.plans.outcomes import Claim, Outcome, Verdict
from analysis.rows import DifferenceRow

Wanted = Literal["higher", "lower", "other"]
EXPLORATORY = "Exploratory: no claim is made."


def claims_of(
    endpoint: Endpoint,
    label: str,
    row: DifferenceRow,
    wanted: Wanted = "higher",
    table: PairedTable | None = None,
    null: float = 0.0,
) -> tuple[Claim, ...]:
    """Which hypotheses does this endpoint hold against a difference?

    row: second minus first; table: of the decisions behind it where they are paired and independent. Superiority: the
    two-sided test of the row. Non-inferiority and equivalence: `margins.margin_test`, with a table
    `margins.paired_margin_test`, one-sided. Non-inferiority then superiority: two claims, the second waits for the
    first. Source: Morikawa & Yoshida (1995), J. Biopharm. Stat. 5:297-306. A difference without variation cannot be
    held against a margin: refused.

    >>> row = DifferenceRow("a", "b", None, 0.0, 0.02, None, 0.0, 1.0, -0.04, 0.04)
    >>> endpoint = Endpoint("e", "primary", "obuchowski-rockette", hypothesis="non-inferiority", margin=0.05)
    >>> [round(claim.p, 6) for claim in claims_of(endpoint, "b minus a", row)]
    [0.00621]
    """
    superiority = Claim(label, "superiority", None, row.p, False, row, wanted, null)
    if endpoint.margin is None:
        return (superiority,)
    if null != 0:
        raise CannotAnalyse(f"{label} is a ratio, and the margin of a plan is of differences.")
    if table is not None:
        held = paired_margin_test(table, endpoint.margin)
    else:
        held = margin_test(row.estimate, row.se, endpoint.margin, math.inf if row.df is None else row.df)
    if endpoint.hypothesis == "equivalence":
        return (Claim(label, "equivalence", endpoint.margin, held.p_equivalence, True, row, "other"),)
    first = Claim(label, "non-inferiority", endpoint.margin, held.p, True, row)
    return (first,) if endpoint.hypothesis == "non-inferiority" else (first, superiority)


def with_verdicts(outcomes: Sequence[Outcome], plan: StudyPlan) -> tuple[Outcome, ...]:
    """The same outcomes, each claim with its adjusted p value and its verdict.

    One family for the primary and one for the secondary endpoints. Within a family superiority claims that follow
    non-inferiority wait until every non-inferiority claim is met. With gatekeeping the secondary family waits until
    all primary claims are met; its adjusted p values are then no smaller than the primary ones (serial gatekeeping).
    Source: Maurer, Hothorn & Lehmacher (1995); Dmitrienko & D'Agostino (2013), Stat. Med. 32:5172-5218.
    """
    alpha = 1 - plan.level
    found = list(outcomes)
    gate = judge(found, "primary", plan.multiplicity.primary, alpha, 0.0)
    start = gate if plan.multiplicity.gatekeeping else 0.0
    judge(found, "secondary", plan.multiplicity.secondary, alpha, start)
    return tuple(described(item) if item.role == "exploratory" else item for item in found)


def described(outcome: Outcome) -> Outcome:
    if outcome.findings is None:
        return outcome
    claims = tuple(replace(claim, sentence=EXPLORATORY) for claim in outcome.findings.claims)
    return replace(outcome, findings=replace(outcome.findings, claims=claims))


def judge(outcomes: list[Outcome], role: str, method: Family, alpha: float, gate: float) -> float:
    """Fill in the verdicts of one family in place; the answer is the gate for the next one, 1 where it stays closed."""
    places = [
        (number, place)
        for number, item in enumerate(outcomes)
        if item.role == role and item.findings is not None
        for place in range(len(item.findings.claims))
    ]
    refused = [number for number, item in enumerate(outcomes) if item.role == role and not item.valid]
    first = [place for place in places if not follows(outcomes, place)]
    gate = stage(outcomes, first, method, alpha, gate, refused)
    return stage(outcomes, [place for place in places if place not in first], method, alpha, gate, refused)


def claim_at(outcomes: Sequence[Outcome], place: tuple[int, int]) -> Claim:
    findings = outcomes[place[0]].findings
    assert findings is not None
    return findings.claims[place[1]]


def follows(outcomes: Sequence[Outcome], place: tuple[int, int]) -> bool:
    """Whether this is the superiority claim after a non-inferiority claim of the same comparison."""
    return place[1] > 0 and claim_at(outcomes, place).hypothesis == "superiority" and (
        claim_at(outcomes, (place[0], place[1] - 1)).hypothesis == "non-inferiority"
    )  # fmt: skip


def stage(
    outcomes: list[Outcome],
    places: Sequence[tuple[int, int]],
    method: Family,
    alpha: float,
    gate: float,
    refused: Sequence[int],
) -> float:
    """Test these claims together at the full error; the gate is the largest adjusted p value so far.

    An endpoint that was refused stays in its family as declared, with a p value of 1.
    """
    if not places:
        return gate
    claims = [claim_at(outcomes, place) for place in places]
    doubled = [min(2 * claim.p, 1.0) if claim.one_sided else claim.p for claim in claims]
    numbers = [number for number, _ in places]
    family = sorted([*zip(numbers, doubled, strict=True), *((number, 1.0) for number in refused)], key=lambda x: x[0])
    found = adjusted_in(method, [p for _, p in family], [number for number, _ in family])
    values = [max(p, gate) for (number, _), p in zip(family, found, strict=True) if number not in refused]
    closed = gate >= alpha
    stopped: int | None = None
    for place, claim, p in zip(places, claims, values, strict=True):
        # A fixed sequence stops at the first endpoint that is not met, by its p value, its direction or a refusal.
        before = [number for number in (stopped, *refused) if number is not None and number < place[0]]
        judged = decided(claim, p, alpha, closed or (method == "fixed sequence" and bool(before)))
        if judged.verdict != "met" and stopped is None:
            stopped = place[0]
        put(outcomes, place, judged)
    met = not refused and all(claim_at(outcomes, place).verdict == "met" for place in places)
    return max(gate, *values) if met else 1.0


def adjusted_in(method: Family, p_values: Sequence[float], endpoints: Sequence[int]) -> list[float]:
    """Adjusted p values of one stage, in the order given; see `with_verdicts`."""
    if method == "co-primary":
        return [max(p_values)] * len(p_values)
    if method != "fixed sequence":
        return list(adjusted(p_values, "hochberg" if method == "hochberg" else "holm"))
    found: list[float] = []
    before = 0.0
    for number in dict.fromkeys(endpoints):
        own = adjusted([p for p, at in zip(p_values, endpoints, strict=True) if at == number])
        found += [max(before, p) for p in own]
        before = max(before, *own)
    return found


def put(outcomes: list[Outcome], place: tuple[int, int], claim: Claim) -> None:
    outcome = outcomes[place[0]]
    assert outcome.findings is not None
    claims = list(outcome.findings.claims)
    claims[place[1]] = claim
    outcomes[place[0]] = replace(outcome, findings=replace(outcome.findings, claims=tuple(claims)))


def decided(claim: Claim, p: float, alpha: float, closed: bool) -> Claim:
    """The claim with verdict and sentence."""
    if closed:
        sentence = "Not tested: an endpoint before it was not met, so its p value is a description only."
        return replace(claim, verdict="not tested", sentence=sentence)
    shown = p / 2 if claim.one_sided else p
    significant = p < alpha
    right = claim.wanted == "other" or (claim.row.estimate > claim.null) == (claim.wanted == "higher")
    verdict: Verdict = "met" if significant and (right or claim.one_sided) else "not met"
    sentence = said(claim, significant, right)
    return replace(claim, p_adjusted=shown, verdict=verdict, sentence=sentence[:1].upper() + sentence[1:])


def said(claim: Claim, significant: bool, right: bool) -> str:
    row = claim.row
    if claim.hypothesis == "non-inferiority":
        word = "was shown not to be inferior" if significant else "was not shown to be non-inferior"
        return f"{row.second} {word} to {row.first} within the margin of {claim.margin:g}."
    if claim.hypothesis == "equivalence":
        word = "were shown to be equivalent" if significant else "were not shown to be equivalent"
        return f"{row.first} and {row.second} {word} within ±{claim.margin:g}."
    if not significant:
        return f"No difference between {row.first} and {row.second} was shown."
    if claim.wanted == "other":
        return f"{row.first} and {row.second} differ."
    if claim.wanted == "lower":
        return f"{row.second} was {'faster' if right else 'slower'} than {row.first}."
    return f"{row.second} did {'better' if right else 'worse'} than {row.first}."
