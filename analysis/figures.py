"""Figures as plotly objects; plotly is imported only when a figure is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Okabe and Ito's palette, safe for colour-blind readers; dashes and symbols repeat the distinction without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")


@dataclass(frozen=True)
class RocTrace:
    """One curve of an ROC plane; fpr and tpr run from (0, 0) to (1, 1)."""

    label: str
    fpr: Sequence[float]
    tpr: Sequence[float]
    auc: float | None = None


@dataclass(frozen=True)
class PlanePoint:
    """One operating point of an ROC plane; points of one group share colour and symbol."""

    label: str
    group: str
    fpr: float
    tpr: float


@dataclass(frozen=True)
class ForestRow:
    """One difference with its interval; `summary` rows are drawn as a diamond."""

    label: str
    estimate: float
    low: float
    high: float
    summary: bool = False


def roc_figure(title: str, traces: Sequence[RocTrace], points: Sequence[PlanePoint] = ()) -> "go.Figure":
    """How do curves and operating points lie on the ROC plane?

    traces: one line each, the AUC in its legend; points: operating points, grouped by `group`. Rates in [0, 1].

    >>> len(roc_figure("Model", [RocTrace("model", [0, 0, 1], [0, 1, 1], 1.0)]).data)
    2
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="chance", hoverinfo="skip", showlegend=False,
        line={"color": "#999999", "width": 1, "dash": "dot"},
    )  # fmt: skip
    for place, trace in enumerate(traces):
        name = trace.label if trace.auc is None else f"{trace.label} (AUC {trace.auc:.3f})"
        figure.add_scatter(
            x=list(trace.fpr), y=list(trace.tpr), mode="lines", name=name,
            line={"color": COLOURS[place % len(COLOURS)], "dash": DASHES[place % len(DASHES)], "width": 2},
        )  # fmt: skip
    for place, group in enumerate(dict.fromkeys(point.group for point in points)):
        members = [point for point in points if point.group == group]
        figure.add_scatter(
            x=[point.fpr for point in members], y=[point.tpr for point in members],
            text=[point.label for point in members], mode="markers", name=group,
            hovertemplate="%{text}<br>sensitivity %{y:.3f}<br>specificity %{customdata:.3f}",
            customdata=[1 - point.fpr for point in members], cliponaxis=False,
            marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 11, "line": {"width": 1, "color": "#ffffff"},
                    "color": COLOURS[(place + 1) % len(COLOURS)]},
        )  # fmt: skip
    figure.update_layout(
        title=title, template="plotly_white", legend={"orientation": "v"}, margin={"l": 60, "r": 20, "t": 50, "b": 55},
        xaxis={"title": "1 − specificity", "range": [-0.01, 1.01], "constrain": "domain"},
        yaxis={"title": "Sensitivity", "range": [-0.01, 1.01], "scaleanchor": "x", "constrain": "domain"},
    )  # fmt: skip
    return figure


def forest_figure(title: str, axis: str, rows: Sequence[ForestRow]) -> "go.Figure":
    """How large is the difference of each reader, and on average?

    rows: drawn from top to bottom, each with its interval; the vertical line marks no difference.

    >>> forest_figure("AUC", "aided minus unaided", [ForestRow("R1", 0.1, -0.1, 0.3)]).data[0].x
    (0.1,)
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    kinds = ((False, "readers", SYMBOLS[1], COLOURS[0], 9), (True, "mean over readers", SYMBOLS[2], COLOURS[1], 13))
    for summary, name, symbol, colour, size in kinds:
        members = [row for row in rows if row.summary is summary]
        if not members:
            continue
        figure.add_scatter(
            x=[row.estimate for row in members], y=[row.label for row in members], mode="markers", name=name,
            marker={"symbol": symbol, "size": size, "color": colour},
            error_x={"type": "data", "symmetric": False, "color": colour,
                     "array": [row.high - row.estimate for row in members],
                     "arrayminus": [row.estimate - row.low for row in members]},
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": "#666666", "width": 1, "dash": "dash"})
    labels = [row.label for row in rows]
    figure.update_layout(
        title=title, template="plotly_white", height=140 + 34 * max(len(rows), 1),
        margin={"l": 110, "r": 20, "t": 50, "b": 55}, xaxis={"title": axis},
        yaxis={"categoryorder": "array", "categoryarray": labels[::-1]},
    )  # fmt: skip
    return figure
