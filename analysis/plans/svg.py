"""Drawings as SVG text: axes, ticks, legend and title, without any library and legible in print."""

import math
from collections.abc import Sequence
from html import escape

from analysis.figures import COLOURS
from analysis.plans.drawings import Axis, Drawing, Series

WIDTH = 640.0
DASHES = ("", "7 4", "2 3", "8 3 2 3", "12 4", "12 3 2 3")
GREY, INK, LINE = "#8a8f98", "#1d2430", "#d9dde3"
FONT = "font-family=\"'Source Sans 3','Helvetica Neue',Arial,sans-serif\""
CHARACTER = 6.3
ROW = 30.0
LABELLED_POINTS = 14


class Frame:
    """Where the plane lies on the paper, and how values become places."""

    def __init__(self, drawing: Drawing, top: float = 40.0) -> None:
        labels = [label for _, label in drawing.y.ticks or ()]
        self.left = max([64.0, *(16 + CHARACTER * len(label) for label in labels)])
        self.left = min(self.left, 250.0)
        beside = max([0.0, *(14 + CHARACTER * len(text) for _, text in drawing.beside)])
        self.top = top
        self.width = 380.0 if drawing.square else WIDTH - self.left - max(beside, 22.0)
        rows = ROW * (drawing.y.high - drawing.y.low) if drawing.y.ticks else 300.0
        self.height = 380.0 if drawing.square else max(rows, 64.0)
        self.drawing = drawing

    def x(self, value: float) -> float:
        return self.left + self.width * share(self.drawing.x, value)

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - share(self.drawing.y, value))

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


def share(axis: Axis, value: float) -> float:
    if axis.log:
        return math.log(value / axis.low) / math.log(axis.high / axis.low)
    return (value - axis.low) / (axis.high - axis.low)


def svg(drawing: Drawing, titled: bool = True) -> str:
    """The figure as one SVG element that needs nothing from outside; its numbers, and its title if wanted, are text."""
    frame = Frame(drawing, 40.0 if titled else 14.0)
    legend = merged(drawing.series)
    legend = legend if len(legend) > 1 or drawing.square else []
    beside = drawing.square
    rows = [] if beside else wrapped_legend(legend, WIDTH - 2 * 20)
    bottom = frame.bottom + 48 + (0 if beside else 20 * len(rows) + (6 if rows else 0))
    height = bottom + (18 if drawing.note else 4)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="{escape(drawing.title)}" {FONT} font-size="12" fill="{INK}">',
        f"<title>{escape(drawing.title)}</title>",
        f'<rect width="{WIDTH:g}" height="{height:g}" fill="#ffffff"/>',
        text(16, 22, drawing.title, size=14, weight=600) if titled else "",
        *axes(frame),
        *(piece for item in drawing.series for piece in series(frame, item)),
        *beside_texts(frame),
    ]
    parts += legend_column(frame, legend) if beside else legend_rows(rows, frame.bottom + 62)
    if drawing.note:
        parts.append(text(16, height - 8, drawing.note, size=11, colour=GREY))
    return "\n".join([*parts, "</svg>"])


def merged(items: Sequence[Series]) -> list[Series]:
    """One legend entry per label."""
    return list({item.label: item for item in items if item.legend and item.label}.values())


def text(
    x: float, y: float, words: str, *, size: float = 12, anchor: str = "start", colour: str = INK, weight: int = 400,
    halo: bool = False,
) -> str:  # fmt: skip
    around = ' paint-order="stroke" stroke="#ffffff" stroke-width="3"' if halo else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{colour}" '
        f'font-weight="{weight}"{around}>{escape(words)}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str = LINE, width: float = 1, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashes}/>'
    )


def axes(frame: Frame) -> list[str]:
    """Grid, frame, ticks with labels, titles of the axes, the zero line."""
    drawing, parts = frame.drawing, []
    for value, label in ticks(drawing.x):
        x = frame.x(value)
        parts.append(line(x, frame.top, x, frame.bottom))
        parts.append(line(x, frame.bottom, x, frame.bottom + 4, INK))
        parts.append(text(x, frame.bottom + 18, label, anchor="middle"))
    for value, label in ticks(drawing.y):
        y = frame.y(value)
        if drawing.y.ticks is None:
            parts.append(line(frame.left, y, frame.right, y))
        parts.append(line(frame.left - 4, y, frame.left, y, INK))
        parts.append(text(frame.left - 8, y + 4, shortened(label, frame.left - 12), anchor="end"))
    parts.append(line(frame.left, frame.bottom, frame.right, frame.bottom, INK))
    parts.append(line(frame.left, frame.top, frame.left, frame.bottom, INK))
    if drawing.zero is not None:
        parts.append(line(frame.x(drawing.zero), frame.top, frame.x(drawing.zero), frame.bottom, GREY, 1.2, "4 3"))
    middle = (frame.top + frame.bottom) / 2
    parts.append(text((frame.left + frame.right) / 2, frame.bottom + 38, drawing.x.title, anchor="middle"))
    if drawing.y.title:
        x = frame.left - 44
        parts.append(
            f'<text transform="translate({x:.1f} {middle:.1f}) rotate(-90)" text-anchor="middle">'
            f"{escape(drawing.y.title)}</text>"
        )
    return parts


def shortened(label: str, room: float) -> str:
    fits = max(int(room / CHARACTER), 4)
    return label if len(label) <= fits else label[: fits - 1] + "…"


def ticks(axis: Axis) -> list[tuple[float, str]]:
    """Round places within the axis, four to eight of them, with labels of equal precision."""
    if axis.ticks is not None:
        return list(axis.ticks)
    if axis.log:
        return [(value, f"{value:g}") for value in log_places(axis)]
    span = axis.high - axis.low
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if span / (step * factor) <= 7)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + int(f"{step:e}"[2] == "5" and f"{step:e}"[0] == "2")
    first = math.ceil(axis.low / step - 1e-9)
    places = [round((first + place) * step, 10) for place in range(9) if (first + place) * step <= axis.high + 1e-9]
    return [(value, f"{value + 0.0:.{digits}f}".replace("-", "−")) for value in places]


def log_places(axis: Axis) -> list[float]:
    """Round places of a logarithmic axis, from coarse to fine until there are four."""
    found: list[float] = []
    for steps in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7), [1 + place / 4 for place in range(36)]):
        found = [m * 10.0**e for e in range(-4, 7) for m in steps if axis.low <= m * 10.0**e <= axis.high]
        if len(found) >= 4:
            break
    return found


def colour_of(item: Series) -> str:
    return GREY if item.style is None else COLOURS[item.style % len(COLOURS)]


def series(frame: Frame, item: Series) -> list[str]:
    """One series: a polyline, or marks with their intervals."""
    colour = colour_of(item)
    if item.kind == "line":
        dash = ("" if item.legend else "2 3") if item.style is None else DASHES[item.style % len(DASHES)]
        opacity = ' opacity="0.6"' if item.thin and item.style is not None else ""
        points = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in zip(item.x, item.y, strict=True))
        dashes = f' stroke-dasharray="{dash}"' if dash and not (item.thin and item.style is not None) else ""
        width = 1.1 if item.thin else 2.2
        return [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-linejoin="round"{dashes}{opacity}/>'
        ]
    parts = []
    for place, (x, y) in enumerate(zip(item.x, item.y, strict=True)):
        parts += bars(frame, item, place, colour)
        parts.append(mark(frame.x(x), frame.y(y), item, colour))
        if item.texts and len(item.texts) <= LABELLED_POINTS and not item.y_low:
            parts.append(text(frame.x(x) + 8, frame.y(y) + 4, item.texts[place], size=10.5, colour=colour, halo=True))
    return parts


def bars(frame: Frame, item: Series, place: int, colour: str) -> list[str]:
    """The interval of one mark with its end caps."""
    parts = []
    if item.x_low:
        y, low, high = frame.y(item.y[place]), frame.x(item.x_low[place]), frame.x(item.x_high[place])
        parts = [line(low, y, high, y, colour, 1.6)]
        parts += [line(end, y - 4, end, y + 4, colour, 1.6) for end in (low, high)]
    if item.y_low:
        x, low, high = frame.x(item.x[place]), frame.y(item.y_low[place]), frame.y(item.y_high[place])
        parts += [line(x, low, x, high, colour, 1.4)]
        parts += [line(x - 3, end, x + 3, end, colour, 1.4) for end in (low, high)]
    return parts


def mark(x: float, y: float, item: Series, colour: str) -> str:
    """Circle, square, diamond or triangle, so that groups differ without colour too."""
    chosen = item.style or 0 if item.symbol is None else item.symbol
    style = 2 if item.kind == "diamonds" else chosen % 4
    r = 6.5 if item.kind == "diamonds" else 4.6
    common = f'fill="{colour}" stroke="#ffffff" stroke-width="1"'
    if style == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" {common}/>'
    if style == 1:
        return (
            f'<rect x="{x - r + 0.4:.1f}" y="{y - r + 0.4:.1f}" width="{2 * r - 0.8}" height="{2 * r - 0.8}" {common}/>'
        )
    corners = [(x, y - r - 1), (x + r + 1, y), (x, y + r + 1), (x - r - 1, y)]
    if style == 3:
        corners = [(x, y - r - 1), (x + r + 0.5, y + r), (x - r - 0.5, y + r)]
    return f'<polygon points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in corners)}" {common}/>'


def beside_texts(frame: Frame) -> list[str]:
    return [text(frame.right + 10, frame.y(value) + 4, words, size=11.5) for value, words in frame.drawing.beside]


def key(x: float, y: float, item: Series) -> list[str]:
    """A legend entry: a stroke or a mark, then its words."""
    colour = colour_of(item)
    if item.kind == "line":
        dash = "" if item.thin else DASHES[(item.style or 0) % len(DASHES)]
        stroke = line(x, y - 4, x + 22, y - 4, colour, 1.1 if item.thin else 2.2, dash)
    else:
        stroke = mark(x + 11, y - 4, item, colour)
    return [stroke, text(x + 28, y, item.label, size=11.5)]


def legend_column(frame: Frame, items: Sequence[Series]) -> list[str]:
    """Beside a square plane; labels too long for the column are shortened."""
    x, room = frame.right + 18, WIDTH - frame.right - 18 - 30
    parts, y = [], frame.top + 14
    for item in items:
        lines = [item.label]
        if len(item.label) * CHARACTER > room and " (AUC" in item.label:
            name, area = item.label.rsplit(" (AUC", 1)
            lines = [name, f"(AUC{area}"]
        parts.append(key(x, y, item)[0])
        for words in lines:
            parts.append(text(x + 28, y, shortened(words, room), size=11.5))
            y += 15
        y += 5
    return parts


def wrapped_legend(items: Sequence[Series], room: float) -> list[list[Series]]:
    rows: list[list[Series]] = []
    used = room + 1
    for item in items:
        width = 44 + CHARACTER * len(item.label)
        if used + width > room:
            rows.append([])
            used = 0
        rows[-1].append(item)
        used += width
    return rows


def legend_rows(rows: Sequence[Sequence[Series]], top: float) -> list[str]:
    parts = []
    for place, row in enumerate(rows):
        x = 24.0
        for item in row:
            parts += key(x, top + 20 * place, item)
            x += 44 + CHARACTER * len(item.label)
    return parts
