"""A plan carried out on its tables: what is valid is computed, what is not is refused, every deviation is told."""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from analysis.designs import Design
from analysis.errors import CannotAnalyse
from analysis.plans.catalogue import BY_NAME, capital
from analysis.plans.declared import Endpoint, StudyPlan
from analysis.plans.endpoints import runner_of
from analysis.plans.endpoints.overview import described
from analysis.plans.exclusions import Flow, prepared
from analysis.plans.families import with_verdicts
from analysis.plans.material import Material, gather, narrowed
from analysis.plans.outcomes import Findings, Outcome
from analysis.plans.tables import Source, Tables
from analysis.rows import plain
from analysis.versions import versions


@dataclass(frozen=True)
class StudyOutcome:
    """Everything that a plan asks for, in the order of the plan; ready for JSON."""

    plan: StudyPlan
    flow: Flow
    design: Design | None
    overview: Findings | None
    endpoints: tuple[Outcome, ...]
    subgroups: tuple[Outcome, ...]
    deviations: tuple[str, ...]
    warnings: tuple[str, ...]
    sources: tuple[Source, ...]
    seed: int
    versions: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready in full precision; the points of figures are left out, as each figure is a file of its own."""
        return {
            "title": self.plan.title,
            "plan": plain(self.plan),
            "flow": plain(self.flow),
            "design": plain(self.design),
            "overview": None if self.overview is None else findings_dict(self.overview),
            "endpoints": [outcome_dict(item) for item in self.endpoints],
            "subgroups": [outcome_dict(item) for item in self.subgroups],
            "deviations": list(self.deviations),
            "warnings": list(self.warnings),
            "sources": plain(self.sources),
            "seed": self.seed,
            "versions": dict(self.versions),
        }


def findings_dict(findings: Findings) -> dict[str, Any]:
    parts = {name: plain(getattr(findings, name)) for name in ("method", "claims", "estimates", "tables", "warnings")}
    return parts | {"figures": [drawing.name for drawing in findings.drawings]}


def outcome_dict(outcome: Outcome) -> dict[str, Any]:
    facts = {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}
    return facts | {"findings": None if outcome.findings is None else findings_dict(outcome.findings)}


def run_plan(plan: StudyPlan, tables: Tables) -> StudyOutcome:
    """What did the study find, by its plan?

    plan: from `files.read_plan`; tables: from `tables.read_tables`. Exclusions and the missing-data rule come
    first; then every endpoint is computed or refused with a sentence; then the claims are judged, primary before
    secondary, as the plan keeps the family-wise error; subgroups repeat the primary endpoints and are exploratory.
    Refused as a whole: tables that cannot be read as the plan says, or of which nothing is left.
    """
    kept, flow = prepared(tables, plan)
    material = gather(kept, plan)
    found = tuple(outcome_of(material, endpoint) for endpoint in plan.endpoints)
    judged = with_verdicts(found, plan)
    return StudyOutcome(
        plan, flow, material.design, described(material) if plan.has_readers else None, judged,
        tuple(subgroup_outcomes(material)), tuple(deviations(material, flow, judged)), tuple(warnings_of(judged)),
        tables.sources, plan.seed, versions(),
    )  # fmt: skip


def outcome_of(material: Material, endpoint: Endpoint) -> Outcome:
    """One endpoint, computed or refused."""
    facts = (endpoint.name, endpoint.role, endpoint.analysis, endpoint.metric)
    try:
        check_independence(material, endpoint)
        findings = runner_of(endpoint.analysis)(narrowed(material, endpoint), endpoint)
    except CannotAnalyse as refusal:
        return Outcome(*facts, False, str(refusal), None)
    if not all(math.isfinite(value) for claim in findings.claims for value in (claim.p, claim.row.estimate)):
        return Outcome(*facts, False, "The analysis gave no finite number, so there is no result.", None)
    # A forest of one row says nothing beyond its sentence.
    drawings = tuple(item for item in findings.drawings if item.name != "forest" or len(item.y.ticks or ()) > 1)
    findings = replace(findings, drawings=drawings)
    return Outcome(*facts, True, f"{findings.method}.", findings)


def check_independence(material: Material, endpoint: Endpoint) -> None:
    """Refuse tests that take cases as independent where several come from one patient."""
    if material.plan.cases.nested or not material.patients or not BY_NAME[endpoint.analysis].claims:
        return
    cases: dict[str, int] = {}
    for patient in material.patients.values():
        cases[patient] = cases.get(patient, 0) + 1
    most = max(cases, key=lambda patient: cases[patient])
    if cases[most] > 1:
        raise CannotAnalyse(
            f"{len(cases)} patients have {len(material.patients)} cases (patient {most} has {cases[most]}), so cases "
            f"are not independent and {capital(endpoint.analysis)} is not valid; say nested = true in [cases]."
        )


def subgroup_outcomes(material: Material) -> Iterator[Outcome]:
    """The primary endpoints within every value of the declared columns; exploratory, without verdicts."""
    plan, tables = material.plan, material.tables
    base = tables.readings if tables.readings is not None else tables.scores
    for group in plan.subgroups:
        if base is None or group.column not in base.columns:
            text = f"The table has no column {group.column}, so there is no subgroup."
            yield Outcome(f"by {group.column}", "exploratory", "subgroup", "", False, text, None)
            continue
        for value in sorted(base[group.column].dropna().astype(str).unique()):
            part = base[base[group.column].astype(str) == value]
            chosen = replace(tables, **{"readings" if tables.readings is not None else "scores": part})
            for endpoint in plan.of_role("primary"):
                renamed = replace(endpoint, name=f"{endpoint.name}, {group.column} {value}", role="exploratory")
                try:
                    yield outcome_of(gather(chosen, plan), renamed)
                except CannotAnalyse as refusal:
                    yield Outcome(
                        renamed.name, "exploratory", renamed.analysis, renamed.metric, False, str(refusal), None
                    )


def deviations(material: Material, flow: Flow, outcomes: tuple[Outcome, ...]) -> Iterator[str]:
    """Everything that did not go as the plan says, one sentence each."""
    plan, design = material.plan, material.design
    if design is not None and design.kind != plan.design:
        yield f"The plan declares the design {plan.design}; the data are: {design.sentence}"
    if design is not None and design.missing:
        cells = design.readers * design.arms * design.cases
        yield f"{design.missing} of {cells} readings (reader x arm x case) are missing; rule: {plan.missing.rule}."
    for step in flow.steps:
        if step.readings or step.cases or step.readers:
            yield f"Left out: {counted(step.readings, step.cases, step.readers)}: {step.reason}."
        elif plan.missing.rule == "worst case" and step.reason.endswith("(worst case)"):
            yield f"{step.reason}."
    if material.data is not None:
        for item in material.scores:
            read = set(material.data.any_values.cases)
            absent = len(read - set(item.cases)) if item.set == material.own_set else 0
            if absent:
                yield f"{absent} cases that were read have no score of {item.model}."
    for outcome in outcomes:
        if not outcome.valid:
            yield f"{capital(outcome.role)} endpoint {outcome.name} was not computed: {outcome.sentence}"


def counted(readings: int, cases: int, readers: int) -> str:
    parts = [(readings, "reading"), (cases, "case"), (readers, "reader")]
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in parts if n)


def warnings_of(outcomes: tuple[Outcome, ...]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.findings is not None:
            for text in outcome.findings.warnings:
                yield f"{outcome.name}: {text}"
