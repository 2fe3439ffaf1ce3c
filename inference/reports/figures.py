"""The figures of the reports in one manner: quiet axes, colours that the colour-blind tell apart, text that prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure as Plot

# Okabe and Ito's colours, blue first; shapes and dashes say the same in black and white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
INK, SOFT, LINE, GREY = "#1b2330", "#5b6573", "#d8dde4", "#8a8f98"
FONT = "'Source Sans 3', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"


@dataclass(frozen=True)
class Point:
    """One reader or decision on the ROC plane with its 95 % limits."""

    label: str
    group: str
    sensitivity: float
    specificity: float
    sensitivity_limits: tuple[float, float] | None = None
    specificity_limits: tuple[float, float] | None = None


def blank(width: int = 640, height: int = 380) -> Plot:
    """An empty figure in the house's manner."""
    from plotly.graph_objects import Figure

    figure = Figure()
    axis = {
        "linecolor": INK, "gridcolor": "#e9edf1", "zeroline": False, "ticks": "outside", "tickcolor": INK,
        "ticklen": 4, "title": {"standoff": 10}, "automargin": True,
    }  # fmt: skip
    figure.update_layout(
        width=width, height=height, template="none", paper_bgcolor="#fff", plot_bgcolor="#fff",
        font={"family": FONT, "size": 12.5, "color": INK}, margin={"l": 62, "r": 18, "t": 14, "b": 54},
        xaxis=axis, yaxis=axis, hoverlabel={"font": {"family": FONT}},
        legend={"font": {"size": 12}, "tracegroupgap": 4, "itemwidth": 30},
    )  # fmt: skip
    return figure


def roc_points(truth: Sequence[float], score: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """1 − specificity and sensitivity of the empirical curve, from (0, 0) to (1, 1)."""
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(np.asarray(truth, dtype=int), np.asarray(score, dtype=float))
    return np.asarray(false), np.asarray(true)


def roc(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], points: Sequence[Point] = (), thin: bool = False) -> Plot:
    """Curves of several models on one plane, decisions and readers as points with crosses."""
    figure = blank(640, 460)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": "#c3c9d1", "width": 1, "dash": "dot"},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    for place, (label, (false, true)) in enumerate(curves.items()):
        figure.add_scatter(
            x=false, y=true, mode="lines", name=label,
            line={"color": COLOURS[place % len(COLOURS)], "dash": DASHES[place % len(DASHES)],
                  "width": 1.1 if thin and place else 2.2},
            hovertemplate="sensitivity %{y:.3f}, 1 − specificity %{x:.3f}",
        )  # fmt: skip
    groups = list(dict.fromkeys(point.group for point in points))
    for place, group in enumerate(groups):
        add_points(figure, [point for point in points if point.group == group], group, place + len(curves), place)
    figure.update_xaxes(title="1 − specificity", range=[-0.01, 1.01], constrain="domain", dtick=0.2)
    figure.update_yaxes(title="Sensitivity", range=[-0.01, 1.01], scaleanchor="x", constrain="domain", dtick=0.2)
    return figure


def add_points(figure: Plot, points: Sequence[Point], group: str, colour: int, symbol: int) -> None:
    errors: dict[str, Any] = {}
    for axis, sign in (("x", -1), ("y", 1)):
        limits = [p.specificity_limits if axis == "x" else p.sensitivity_limits for p in points]
        if all(limits):
            centre = [p.specificity if axis == "x" else p.sensitivity for p in points]
            above = [abs((b if sign > 0 else a) - c) for (a, b), c in zip(limits, centre, strict=True)]  # type: ignore[misc]
            below = [abs((a if sign > 0 else b) - c) for (a, b), c in zip(limits, centre, strict=True)]  # type: ignore[misc]
            errors[f"error_{axis}"] = {
                "type": "data", "array": above, "arrayminus": below, "thickness": 1.1, "width": 3,
            }  # fmt: skip
    figure.add_scatter(
        x=[1 - p.specificity for p in points], y=[p.sensitivity for p in points], mode="markers", name=group,
        text=[p.label for p in points], hovertemplate="%{text}: sensitivity %{y:.3f}, 1 − specificity %{x:.3f}",
        marker={"size": 9, "symbol": SYMBOLS[symbol % len(SYMBOLS)], "color": COLOURS[colour % len(COLOURS)],
                "line": {"color": "#fff", "width": 1}},
        **errors,
    )  # fmt: skip


def forest(frame: pd.DataFrame, label: str, value: str, title: str, zero: float | None = None) -> Plot:
    """Estimates with intervals, one below the other; ``value`` has columns ``value low`` and ``value high``."""
    rows = frame.dropna(subset=[value])
    figure = blank(640, max(170, 74 + 27 * len(rows)))
    low, high = rows[f"{value} low"].astype(float), rows[f"{value} high"].astype(float)
    middle = rows[value].astype(float)
    if zero is not None:
        figure.add_vline(x=zero, line={"color": GREY, "width": 1.2, "dash": "dash"})
    figure.add_scatter(
        x=middle, y=rows[label].astype(str), mode="markers", showlegend=False,
        marker={"size": 9, "color": COLOURS[0], "symbol": "square"},
        error_x={"type": "data", "array": (high - middle).clip(lower=0), "arrayminus": (middle - low).clip(lower=0),
                 "thickness": 1.5, "width": 4, "color": COLOURS[0]},
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title=title)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def lines(series: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str, marks: bool = False) -> Plot:
    """Several lines over one axis."""
    figure = blank()
    for place, (label, (across, up)) in enumerate(series.items()):
        figure.add_scatter(
            x=list(across), y=list(up), name=label, mode="lines+markers" if marks else "lines",
            line={"color": COLOURS[place % len(COLOURS)], "dash": DASHES[place // len(COLOURS) % len(DASHES)],
                  "width": 1.8},
            marker={"size": 6, "symbol": SYMBOLS[place % len(SYMBOLS)]},
        )  # fmt: skip
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    figure.update_layout(showlegend=len(series) > 1)
    return figure


def bars(frame: pd.DataFrame, label: str, columns: Sequence[str], y: str, colours: Sequence[str] = COLOURS) -> Plot:
    """Groups of bars, one colour a column; limits where ``column low`` and ``column high`` are there."""
    figure = blank()
    for place, column in enumerate(columns):
        value = frame[column].astype(float)
        error = None
        if f"{column} low" in frame.columns:
            error = {
                "type": "data", "array": frame[f"{column} high"].astype(float) - value,
                "arrayminus": value - frame[f"{column} low"].astype(float), "thickness": 1.2, "width": 3,
            }  # fmt: skip
        figure.add_bar(
            x=frame[label].astype(str), y=value, name=column, error_y=error, marker={"color": colours[place]}
        )
    figure.update_layout(barmode="group", bargap=0.3, showlegend=len(columns) > 1)
    figure.update_yaxes(title=y)
    figure.update_xaxes(type="category", showgrid=False)
    return figure


def matrices(cells: Mapping[str, Sequence[Sequence[int]]], labels: tuple[str, str]) -> Plot:
    """Confusion matrices side by side: rows are the truth, columns the answer; counts with the row's share."""
    from plotly.subplots import make_subplots

    across = min(4, len(cells))
    down = -(-len(cells) // across)
    figure = make_subplots(
        rows=down, cols=across, subplot_titles=list(cells), horizontal_spacing=0.1, vertical_spacing=0.28 / down
    )
    for place, counts in enumerate(cells.values()):
        table = np.asarray(counts, dtype=float)
        share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        text = [
            [f"{int(n)}<br>{part:.0%}" for n, part in zip(*row, strict=True)]
            for row in zip(table, share, strict=True)
        ]  # fmt: skip
        figure.add_heatmap(
            z=share, x=list(labels), y=list(labels), text=text, texttemplate="%{text}", showscale=False,
            zmin=0, zmax=1, colorscale=[[0, "#f5f7fa"], [1, "#7fb2d6"]], xgap=2, ygap=2, hoverinfo="skip",
            row=place // across + 1, col=place % across + 1,
        )  # fmt: skip
    style = blank(640, 52 + 186 * down).layout
    figure.update_layout(width=640, height=style.height, template="none", font=style.font, margin={"l": 96, "r": 8, "t": 30, "b": 34})  # fmt: skip  # noqa: E501
    figure.update_yaxes(autorange="reversed", showline=False, automargin=True)
    figure.update_annotations(font={"size": 12})
    return figure
