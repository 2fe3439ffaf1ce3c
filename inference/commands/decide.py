"""Calibrate, choose the operating point on tuning or out-of-fold predictions, and freeze both as the next version."""

from __future__ import annotations

import argparse
from pathlib import Path

from inference.commands.words import add_decision


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=Path, help="folder of the model, which holds its draft")
    add_decision(command)


def run(options: argparse.Namespace) -> None:
    from inference.deciding.decision import freeze

    card = freeze(options.model, rule=options.rule, method=options.calibration, certain=options.certain)
    print(f"{options.model / card.version}: version {card.version}, digest {card.digest}")
    decision = card.spec.decision
    if decision is None:
        return
    band = f", uncertain from {decision.abstain[0]} to {decision.abstain[1]}" if decision.abstain else ""
    print(f"threshold {decision.threshold} by {decision.rule} on {decision.cases} cases{band}")
    for name, measured in card.metrics.items():
        print(
            f"{name}: AUC {measured['auc']:.3f} ({measured['auc_low']:.3f}–{measured['auc_high']:.3f}), "
            f"sensitivity {measured['sensitivity']:.3f}, specificity {measured['specificity']:.3f}"
        )
