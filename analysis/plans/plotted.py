"""Drawings as plotly figures, for a page or a file on which one can hover; plotly is imported when one is drawn."""

from typing import TYPE_CHECKING, Any

from analysis.figures import COLOURS, DASHES, SYMBOLS
from analysis.plans.drawings import Axis, Drawing, Series

if TYPE_CHECKING:
    import plotly.graph_objects as go


def plotly_figure(drawing: Drawing) -> "go.Figure":
    """The same series, axes and labels as `svg.svg` draws.

    >>> from analysis.plans.drawings import lines_drawing
    >>> line = Series("net benefit", (0.0, 1.0), (0.2, 0.0))
    >>> plotly_figure(lines_drawing("d", "Decision curve", "threshold", "net benefit", [line])).data[0].name
    'net benefit'
    """
    import plotly.graph_objects as go

    rows = 34 * (drawing.y.high - drawing.y.low) + 150 if drawing.y.ticks else 460
    across, up = axis_of(drawing.x), axis_of(drawing.y)
    if drawing.square:
        across |= {"constrain": "domain"}
        up |= {"constrain": "domain", "scaleanchor": "x"}
    layout: dict[str, Any] = {
        "title": drawing.title, "template": "plotly_white", "height": 620 if drawing.square else rows,
        "margin": {"l": 120 if drawing.y.ticks else 70, "r": 190 if drawing.beside else 30, "t": 60, "b": 60},
        "xaxis": across, "yaxis": up,
    }  # fmt: skip
    if drawing.zero is not None:
        line = {"color": "#8a8f98", "width": 1, "dash": "dash"}
        ends = {"x0": drawing.zero, "x1": drawing.zero, "y0": 0, "y1": 1}
        layout["shapes"] = [{"type": "line", "xref": "x", "yref": "y domain", "line": line} | ends]
    # All at once: added one by one, plotly copies those before each time.
    layout["annotations"] = [
        {"x": 1.01, "xref": "paper", "y": value, "text": words, "showarrow": False, "xanchor": "left"}
        for value, words in drawing.beside
    ]
    return go.Figure([{"type": "scatter"} | trace_of(item) for item in drawing.series], layout)


def axis_of(axis: Axis) -> dict[str, object]:
    from math import log10

    limits = [log10(axis.low), log10(axis.high)] if axis.log else [axis.low, axis.high]
    answer: dict[str, object] = {"title": axis.title, "range": limits, "type": "log" if axis.log else "linear"}
    if axis.ticks is not None:
        answer |= {"tickvals": [value for value, _ in axis.ticks], "ticktext": [label for _, label in axis.ticks]}
    return answer


def trace_of(item: Series) -> dict[str, object]:
    style = 0 if item.style is None else item.style
    colour = "#8a8f98" if item.style is None else COLOURS[style % len(COLOURS)]
    trace: dict[str, object] = {
        "x": list(item.x), "y": list(item.y), "name": item.label, "showlegend": item.legend and bool(item.label),
        "mode": "lines" if item.kind == "line" else "markers", "opacity": 0.6 if item.thin else 1.0,
    }  # fmt: skip
    if item.kind == "line":
        dash = "dot" if item.style is None else "solid" if item.thin else DASHES[style % len(DASHES)]
        trace["line"] = {"color": colour, "dash": dash, "width": 1 if item.thin else 2}
    else:
        place = style if item.symbol is None else item.symbol
        symbol = "diamond" if item.kind == "diamonds" else SYMBOLS[place % len(SYMBOLS)]
        trace["marker"] = {"color": colour, "symbol": symbol, "size": 13 if item.kind == "diamonds" else 10}
    if item.texts:
        trace["text"] = list(item.texts)
    for side, low, high in (("error_x", item.x_low, item.x_high), ("error_y", item.y_low, item.y_high)):
        if low:
            centre = item.x if side == "error_x" else item.y
            trace[side] = {
                "type": "data", "symmetric": False, "color": colour,
                "array": [b - a for a, b in zip(centre, high, strict=True)],
                "arrayminus": [a - b for a, b in zip(centre, low, strict=True)],
            }  # fmt: skip
    return trace
