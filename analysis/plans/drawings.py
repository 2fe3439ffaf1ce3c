"""Figures described by their numbers, so that plotly and SVG draw the same: ROC planes, forests, calibration, time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from analysis.figures import ForestRow, PlanePoint, RocTrace

# Points of one curve; a figure is a few hundred points wide.
MOST = 2000


@dataclass(frozen=True)
class Axis:
    """One axis; ticks are (place, label), None lets the drawer choose; a log axis has positive limits."""

    title: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] | None = None
    log: bool = False


@dataclass(frozen=True)
class Series:
    """Points or a line; `style` chooses colour, dash and symbol, None is the grey of a reference.

    `symbol` is another choice of the symbol alone.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: Literal["line", "points", "diamonds"] = "line"
    style: int | None = 0
    symbol: int | None = None
    thin: bool = False
    legend: bool = True
    x_low: tuple[float, ...] = ()
    x_high: tuple[float, ...] = ()
    y_low: tuple[float, ...] = ()
    y_high: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """One figure; `beside` are texts at the right end of rows, `zero` a dashed vertical line."""

    name: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    square: bool = False
    zero: float | None = None
    beside: tuple[tuple[float, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """What lies on an ROC plane: curves, thin ones of single readers, grey ones that nobody tells apart, and points.

    styles: colour and symbol of a group of points; first: the style of the first curve.
    """

    curves: Sequence[RocTrace] = ()
    thin: Sequence[RocTrace] = ()
    grey: Sequence[RocTrace] = ()
    points: Sequence[PlanePoint] = ()
    styles: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    first: int = 0


def roc_drawing(name: str, title: str, plane: Plane, note: str = "") -> Drawing:
    """An ROC plane: thin curves of readers below, curves with their AUC above them, operating points on top."""
    series = [Series("chance", (0.0, 1.0), (0.0, 1.0), style=None, thin=True, legend=False)]
    for trace in plane.grey:
        series.append(replace(curve_of(trace, 0, True), style=None))
    for place, trace in enumerate(plane.thin):
        series.append(curve_of(trace, place + len(plane.curves) + plane.first, True))
    for place, trace in enumerate(plane.curves):
        series.append(curve_of(trace, place + plane.first, False))
    known = list(dict.fromkeys(point.group for point in plane.points))
    groups = [name for name in plane.styles if name in known] + [name for name in known if name not in plane.styles]
    for place, group in enumerate(groups):
        members = [point for point in plane.points if point.group == group]
        colour, symbol = plane.styles.get(group, (place, place))
        series.append(
            Series(
                group, tuple(p.fpr for p in members), tuple(p.tpr for p in members), "points", colour, symbol,
                texts=tuple(p.label for p in members),
            )
        )  # fmt: skip
    return Drawing(
        name, title, Axis("1 − specificity", 0, 1), Axis("Sensitivity", 0, 1), tuple(series), square=True, note=note
    )


def curve_of(trace: RocTrace, style: int, thin: bool) -> Series:
    label = trace.label if trace.auc is None else f"{trace.label} (AUC {trace.auc:.3f})"
    x, y = thinned(trace.fpr, trace.tpr)
    return Series(label, x, y, "line", style, thin=thin)


def thinned(x: Sequence[float], y: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A curve without the points that lie closer to the last one kept than an eye can tell; both ends stay."""
    if len(x) <= MOST:
        return tuple(map(float, x)), tuple(map(float, y))
    kept = [0]
    for place in range(1, len(x) - 1):
        if abs(x[place] - x[kept[-1]]) + abs(y[place] - y[kept[-1]]) >= 2 / MOST:
            kept.append(place)
    kept.append(len(x) - 1)
    return tuple(float(x[place]) for place in kept), tuple(float(y[place]) for place in kept)


def forest_drawing(
    name: str, title: str, axis: str, groups: Mapping[str, Sequence[ForestRow]], zero: float | None = 0.0
) -> Drawing:
    """Estimates with intervals from top to bottom, their numbers at the right; `summary` rows are diamonds."""
    rows = [(group, row) for group, members in groups.items() for row in members]
    high = len(rows)
    places = {id(row): float(high - place) for place, (_, row) in enumerate(rows)}
    series = []
    for style, (group, members) in enumerate(groups.items()):
        for summary in (False, True):
            chosen = [row for row in members if row.summary is summary]
            if chosen:
                series.append(interval_series(group, chosen, places, style, summary))
    low, top = limits([row.low for _, row in rows] + [row.high for _, row in rows], zero)
    digits = digits_for([value for _, row in rows for value in (row.estimate, row.low, row.high)])
    beside = tuple((places[id(row)], with_limits(row, digits)) for _, row in rows)
    ticks = tuple((places[id(row)], row.label) for _, row in rows)
    return Drawing(
        name, title, Axis(axis, low, top), Axis("", 0.4, high + 0.6, ticks), tuple(series), zero=zero, beside=beside
    )


def interval_series(
    group: str, rows: Sequence[ForestRow], places: Mapping[int, float], style: int, summary: bool
) -> Series:
    return Series(
        "mean over readers" if group == "mean" else group,
        tuple(row.estimate for row in rows), tuple(places[id(row)] for row in rows),
        "diamonds" if summary else "points", style,
        x_low=tuple(row.low for row in rows), x_high=tuple(row.high for row in rows),
    )  # fmt: skip


def digits_for(values: Sequence[float]) -> int:
    """Decimals with which numbers of one kind are written: three, more where all are small, fewer where large.

    >>> digits_for([0.5, 0.002]), digits_for([0.0012, 0.0018]), digits_for([0.0]), digits_for([250.0, 3.0])
    (3, 5, 3, 1)
    """
    largest = max((abs(value) for value in values), default=0.0)
    if largest >= 30:
        return 1
    if largest == 0 or largest >= 0.02:
        return 3
    return 3 - math.floor(math.log10(largest / 0.02))


def with_limits(row: ForestRow, digits: int) -> str:
    low, high = (f"{value + 0.0:.{digits}f}" for value in (row.low, row.high))
    return f"{row.estimate + 0.0:.{digits}f} ({low} to {high})".replace("-", "−")


def limits(values: Sequence[float], zero: float | None) -> tuple[float, float]:
    """Limits that hold all values and the zero line, with a little room."""
    low, high = min(values), max(values)
    if zero is not None:
        low, high = min(low, zero), max(high, zero)
    room = 0.06 * ((high - low) or 1.0)
    return low - room, high + room


def calibration_drawing(
    name: str, title: str, groups: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[int]]]
) -> Drawing:
    """Observed share against predicted probability; groups: label -> (mean predicted, observed share, cases)."""
    series = [Series("perfect", (0.0, 1.0), (0.0, 1.0), style=None, thin=True, legend=False)]
    for style, (label, (predicted, observed, cases)) in enumerate(groups.items()):
        x, y = tuple(map(float, predicted)), tuple(map(float, observed))
        series.append(Series(label, x, y, "line", style, thin=True, legend=False))
        bars = [wilson(share, n) for share, n in zip(y, cases, strict=True)]
        low, high = tuple(bar[0] for bar in bars), tuple(bar[1] for bar in bars)
        series.append(
            Series(label, x, y, "points", style, y_low=low, y_high=high, texts=tuple(f"n {n}" for n in cases))
        )
    axes = Axis("Mean predicted probability", 0, 1), Axis("Observed share of diseased cases", 0, 1)
    return Drawing(name, title, *axes, tuple(series), square=True)


def wilson(share: float, n: int) -> tuple[float, float]:
    from analysis.proportions import proportion

    interval = proportion(round(share * n), n).confidence_interval()
    return interval.low, interval.high


def dumbbell_drawing(
    name: str, title: str, axis: str, arms: Sequence[str], rows: Sequence[tuple[str, Sequence[float | None]]],
    log: bool = True,
) -> Drawing:  # fmt: skip
    """One row per reader with a value in each arm, joined by a line; rows: (label, value per arm)."""
    high = len(rows)
    series = []
    for place, (_, values) in enumerate(rows):
        known = [value for value in values if value is not None]
        if len(known) > 1:
            y = float(high - place)
            series.append(Series("", (min(known), max(known)), (y, y), "line", None, thin=True, legend=False))
    for style, arm in enumerate(arms):
        pairs = [(values[style], float(high - place)) for place, (_, values) in enumerate(rows)]
        kept = [(value, y) for value, y in pairs if value is not None]
        series.append(Series(arm, tuple(x for x, _ in kept), tuple(y for _, y in kept), "points", style))
    found = [value for _, values in rows for value in values if value is not None]
    low, top = (min(found) / 1.15, max(found) * 1.15) if log else limits(found, None)
    ticks = tuple((float(high - place), label) for place, (label, _) in enumerate(rows))
    return Drawing(name, title, Axis(axis, low, top, log=log), Axis("", 0.4, high + 0.6, ticks), tuple(series))


def lines_drawing(name: str, title: str, x: str, y: str, lines: Sequence[Series], note: str = "") -> Drawing:
    """Curves in a plane whose limits follow from them: FROC, decision curves."""
    xs = [value for line in lines for value in line.x if math.isfinite(value)]
    ys = [value for line in lines for value in line.y if math.isfinite(value)]
    low, high = limits(ys, 0.0)
    return Drawing(name, title, Axis(x, min(xs), max(xs)), Axis(y, low, high), tuple(lines), note=note)
