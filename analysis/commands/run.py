"""A plan carried out: everything it asks for, in a folder."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.plans.running import StudyOutcome


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("plan", type=Path, metavar="PLAN.toml", help="the declared plan")
    command.add_argument("table", type=Path, metavar="TABLE", help="CSV or Parquet, one row per reading")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where everything is written")


def answer(options: argparse.Namespace) -> str:
    return run(options.plan, options.table, options.out)


def run(plan_path: Path, table: Path, folder: Path) -> str:
    """Read, compute, write; the answer is what a person wants to know first."""
    from analysis.plans.files import read_plan
    from analysis.plans.outputs import write_outcome
    from analysis.plans.running import run_plan
    from analysis.plans.tables import digest, read_tables

    plan = read_plan(plan_path)
    outcome = run_plan(plan, read_tables(plan, table, plan_path.parent))
    files = write_outcome(outcome, folder, plan_path.read_text(encoding="utf-8"), digest(plan_path))
    return "\n".join([*spoken(outcome), "", f"{len(files)} files in {folder}; begin with {folder / 'report.html'}"])


def spoken(outcome: "StudyOutcome") -> list[str]:
    """Every claim in a line, then what deviated."""
    lines = [outcome.plan.title]
    for item in outcome.endpoints:
        lines.append(f"{item.role}: {item.name}")
        if item.findings is None:
            lines.append(f"  not computed: {item.sentence}")
            continue
        for claim in item.findings.claims:
            row = claim.row
            found = f"{row.estimate:.4g} ({row.low:.4g} to {row.high:.4g}), p {claim.p:.4g}"
            lines.append(f"  {claim.label}: {found}; {claim.sentence}")
    return lines + [f"Deviation: {text}" for text in outcome.deviations]
