"""The figures of the reports in one manner: quiet axes, colours that the colour-blind tell apart, text that prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
        "ticklen": 4, "title": {"standoff": 8, "font": {"size": 13}}, "automargin": True,
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
        add_points(figure, [point for point in points if point.group == group], group, place + len(curves))
    figure.update_xaxes(title_text="1 − specificity", range=[-0.01, 1.01], constrain="domain", dtick=0.2)
    figure.update_yaxes(title_text="Sensitivity", range=[-0.01, 1.01], scaleanchor="x", constrain="domain", dtick=0.2)
    return figure


def add_points(figure: Plot, points: Sequence[Point], group: str, style: int) -> None:
    """Marks of one group with their crosses; what has no limits is the group's mean, large and open."""
    colour, symbol = COLOURS[style % len(COLOURS)], SYMBOLS[style % len(SYMBOLS)]
    single = [point for point in points if point.sensitivity_limits and point.specificity_limits]
    means = [point for point in points if point not in single]
    for members, size, mark in ((single, 9, symbol), (means, 16, f"{symbol}-open")):
        if not members:
            continue
        errors = {} if members is means else {
            "error_x": error([1 - p.specificity for p in members], [turned(p.specificity_limits) for p in members]),
            "error_y": error([p.sensitivity for p in members], [p.sensitivity_limits for p in members]),
        }  # fmt: skip
        figure.add_scatter(
            x=[1 - p.specificity for p in members], y=[p.sensitivity for p in members], mode="markers",
            name=f"mean of {group}" if members is means else group, text=[p.label for p in members],
            hovertemplate="%{text}: sensitivity %{y:.3f}, 1 − specificity %{x:.3f}",
            marker={"size": size, "symbol": mark, "color": colour, "line": {"width": 2 if members is means else 0}},
            **errors,
        )  # fmt: skip


def error(middles: Sequence[float], limits: Sequence[tuple[float, float] | None]) -> dict[str, object]:
    """Error bars from limits."""
    pairs = [(middle, pair) for middle, pair in zip(middles, limits, strict=True) if pair is not None]
    above = [max(0.0, high - middle) for middle, (_, high) in pairs]
    below = [max(0.0, middle - low) for middle, (low, _) in pairs]
    return {"type": "data", "array": above, "arrayminus": below, "thickness": 1.1, "width": 3}


def turned(limits: tuple[float, float] | None) -> tuple[float, float] | None:
    """Limits of a share as those of one minus it."""
    return None if limits is None else (1 - limits[1], 1 - limits[0])


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
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def lines(series: Sequence[tuple[str, Sequence[float], Sequence[float]]], x: str, y: str, marks: bool = False) -> Plot:
    """Several lines (label, across, up) over one axis; those of one label share their colour and legend."""
    figure = blank()
    labels = list(dict.fromkeys(label for label, _, _ in series))
    for place, (label, across, up) in enumerate(series):
        style = labels.index(label)
        figure.add_scatter(
            x=list(across), y=list(up), name=label, mode="lines+markers" if marks else "lines", legendgroup=label,
            showlegend=len(labels) > 1 and label not in {one for one, _, _ in series[:place]},
            line={"color": COLOURS[style % len(COLOURS)], "dash": DASHES[style // len(COLOURS) % len(DASHES)],
                  "width": 1.6},
            marker={"size": 6, "symbol": SYMBOLS[style % len(SYMBOLS)]},
        )  # fmt: skip
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y)
    return figure


def bars(frame: pd.DataFrame, label: str, columns: Sequence[str], title: str) -> Plot:
    """Groups of lying bars, one colour a column, the first row above."""
    figure = blank(640, max(200, 84 + (12 + 15 * len(columns)) * len(frame)))
    for place, column in enumerate(columns):
        value = frame[column].astype(float)
        figure.add_bar(
            x=value, y=frame[label].astype(str), name=column, orientation="h", marker={"color": COLOURS[place]},
            hovertemplate="%{y}: %{x:.3f}",
        )  # fmt: skip
    figure.update_layout(barmode="group", bargap=0.32, showlegend=len(columns) > 1, legend={"traceorder": "normal"})
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def matrices(cells: Mapping[str, Sequence[Sequence[int]]], labels: tuple[str, str] = ("−", "+")) -> Plot:
    """Confusion matrices side by side: rows are the truth, columns the answer; counts with the row's share."""
    from plotly.subplots import make_subplots

    across = min(5, len(cells))
    down = -(-len(cells) // across)
    figure = make_subplots(
        rows=down, cols=across, subplot_titles=list(cells), horizontal_spacing=0.06, vertical_spacing=0.34 / down,
        x_title="answer", y_title="truth",
    )  # fmt: skip
    for place, counts in enumerate(cells.values()):
        table = np.asarray(counts, dtype=float)
        share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        text = [[f"{int(table[r, c])}<br>{share[r, c]:.0%}" for c in (0, 1)] for r in (0, 1)]
        figure.add_heatmap(
            z=share, x=list(labels), y=list(labels), text=text, texttemplate="%{text}", showscale=False,
            zmin=0, zmax=1, colorscale=[[0, "#f5f7fa"], [1, "#7fb2d6"]], xgap=2, ygap=2, hoverinfo="skip",
            row=place // across + 1, col=place % across + 1,
        )  # fmt: skip
    style = blank(640, 70 + 168 * down).layout
    figure.update_layout(width=640, height=style.height, template="none", font=style.font)
    figure.update_layout(margin={"l": 58, "r": 8, "t": 30, "b": 48})
    figure.update_yaxes(autorange="reversed", showline=False)
    figure.update_annotations(font={"size": 12})
    return figure
