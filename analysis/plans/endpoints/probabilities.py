"""Scores as probabilities: their calibration, and the net benefit of following them."""

from collections.abc import Callable
from functools import partial

from analysis.calibration import brier, calibration_in_the_large, expected_observed, recalibration
from analysis.calibration_curve import calibration_curve
from analysis.decision_curve import decision_curve
from analysis.interval import Refusal
from analysis.per_reader import attempt
from analysis.plans.declared import Endpoint
from analysis.plans.drawings import Series, calibration_drawing, lines_drawing
from analysis.plans.material import Material, ModelScores
from analysis.plans.outcomes import Cell, Estimate, Findings, Table
from analysis.rows import Estimated

THRESHOLDS = tuple(round(place / 100, 2) for place in range(5, 96, 5))
# Treating all falls far below zero at high thresholds and would press the other lines together.
FLOOR = -0.1


def calibrated(material: Material, endpoint: Endpoint) -> Findings:
    """How far are the scores from probabilities, for each model and set?"""
    rows, groups, found, warnings = [], {}, [], []
    for item in material.scores:
        label = f"{item.model}, {item.set}"
        cells, estimates, told = calibration_row(item, material.plan.level)
        rows.append(cells)
        found += estimates
        warnings += [f"{label}: {text}" for text in told]
        curve = attempt(partial(calibration_curve, *item.scored))
        if not isinstance(curve, Refusal):
            groups[label] = (
                [p.probability for p in curve.points], [p.estimate for p in curve.points], [p.n for p in curve.points]
            )  # fmt: skip
    columns = (
        "model", "set", "cases", "Brier", "Brier low", "Brier high", "slope", "slope low", "slope high",
        "intercept at slope 1", "intercept low", "intercept high", "E/O", "E/O low", "E/O high",
    )  # fmt: skip
    note = "Perfect calibration: slope 1, intercept 0, E/O 1."
    if material.plan.cases.nested:
        warnings.append("Intervals of calibration take units as independent; they are too narrow where units nest.")
    drawings = (calibration_drawing("calibration", "Calibration in tenths of the cases", groups),) if groups else ()
    return Findings(
        "Calibration of the scores as probabilities", (), tuple(found),
        (Table("calibration", "Calibration", columns, tuple(rows), note),), drawings, tuple(warnings),
    )  # fmt: skip


def calibration_row(item: ModelScores, level: float) -> tuple[tuple[Cell, ...], list[Estimate], list[str]]:
    """Brier score, slope, intercept, expected over observed of one model on one set."""
    truth, score = item.scored
    cells: list[Cell] = [item.model, item.set, len(truth)]
    found, warnings = [], []
    measures: dict[str, Callable[[], Estimated]] = {
        "Brier": lambda: brier(truth, score),
        "slope": lambda: recalibration(truth, score).slope,
        "intercept": lambda: calibration_in_the_large(truth, score),
        "E/O": lambda: expected_observed(truth, score),
    }
    for name, compute in measures.items():
        result = attempt(compute)
        if isinstance(result, Refusal):
            cells += [None, None, None]
            warnings.append(f"{name}: {result.sentence}")
            continue
        limits = result.confidence_interval(level)
        cells += [result.estimate, limits.low, limits.high]
        found.append(
            Estimate(item.model, item.set, name, result.estimate, result.se, limits.low, limits.high, len(truth))
        )
        warnings += list(getattr(result, "warnings", ()))
    return tuple(cells), found, list(dict.fromkeys(warnings))


def net_benefit(material: Material, endpoint: Endpoint) -> Findings:
    """At which thresholds is it better to follow the model than to treat all or none?"""
    lines, rows, warnings = [], [], []
    treat_all = None
    for style, item in enumerate(material.scores):
        curve = decision_curve(*item.scored, THRESHOLDS, seed=material.plan.seed)
        x = tuple(point.threshold for point in curve.points)
        lines.append(Series(f"{item.model}, {item.set}", x, tuple(p.estimate for p in curve.points), style=style))
        if treat_all is None:
            shown = [point for point in curve.points if point.all >= FLOOR]
            treat_all = Series("treat all", tuple(p.threshold for p in shown), tuple(p.all for p in shown), style=None)
        for point in curve.points[1::2]:
            limits = point.confidence_interval(material.plan.level)
            rows.append(
                (item.model, item.set, point.threshold, point.estimate, limits.low, limits.high, point.all, point.none)
            )
        warnings += list(curve.warnings)
    if treat_all is not None:
        lines.append(treat_all)
        lines.append(Series("treat none", (THRESHOLDS[0], THRESHOLDS[-1]), (0.0, 0.0), style=None, thin=True))
    columns = ("model", "set", "threshold", "net benefit", "low", "high", "treat all", "treat none")
    drawing = lines_drawing("decision curve", "Net benefit", "Threshold probability", "Net benefit per case", lines)
    return Findings(
        "Decision curves with bootstrap intervals",
        tables=(Table("net benefit", "Net benefit", columns, tuple(rows)),),
        drawings=(drawing,),
        warnings=tuple(dict.fromkeys(warnings)),
    )
