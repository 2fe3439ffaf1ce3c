"""Run one of the five studies from its cohort to its report, and say which of its criteria hold."""

from __future__ import annotations

import argparse
from pathlib import Path

from inference.phantoms.plans import PRESETS
from inference.studies.plans import PLANS, plan_of


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", help=", ".join(PLANS))
    command.add_argument("--out", type=Path, required=True, help="folder of the study; a killed one goes on in it")
    command.add_argument("--preset", default="small", choices=PRESETS, help="size of cohort and networks; small")
    command.add_argument("--seed", type=int, default=7, help="of cohort, trainings and readers; 7")
    command.add_argument("--workers", type=int, default=2, help="processes at once, each with one thread")
    command.add_argument("--epochs", type=int, default=0, help="instead of the recipes' numbers")
    command.add_argument("--no-report", action="store_true", help="leave the page of reports out")
    command.add_argument("--strict", action="store_true", help="status 1 where a criterion falls short")
    command.add_argument(
        "--model", nargs="+", default=(), help="teach and ask these models only; the cohort must be there"
    )


def run(options: argparse.Namespace) -> None:
    plan = plan_of(options.study)
    for name in options.model:
        from inference.studies.teaching import model_of_study

        card = model_of_study(
            plan,
            name,
            options.out,
            preset="" if options.preset == "full" else "small",
            seed=options.seed,
            epochs=options.epochs,
        )
        print(f"{card.name}, version {card.version}: {card.parameters:,} parameters, digest {card.digest}")
    if options.model:
        return
    from inference.studies.criteria import criteria_of, write_criteria
    from inference.studies.running import run_study

    run_study(
        plan,
        options.out,
        preset=options.preset,
        seed=options.seed,
        workers=options.workers,
        epochs=options.epochs,
    )
    if not options.no_report:
        from inference.reports import write_page

        write_page(options.out, plan.key, options.out / "report.html")
        print(options.out / "report.html")
    criteria = criteria_of(plan, options.out)
    print(write_criteria(criteria, options.out))
    if options.strict and not all(one.holds for one in criteria):
        raise SystemExit(1)
