"""How a training went, epoch by epoch, as one figure and one page that needs nothing else. Report R19."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inference.cards import HISTORY
from inference.learning.history import BadHistory, Epoch, read_history

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Okabe and Ito's colours, which everybody tells apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
PANELS = ("Loss", "Losses by themselves, before their weights", "AUC and Dice on the tuning part", "Learning rate")


def curves(histories: Sequence[tuple[str, Sequence[Epoch]]], title: str = "Training") -> Figure:
    """Four panels over epochs: loss of training and tuning, every loss and supervised depth, AUC and Dice, rate.

    Parameters
    ----------
    histories : sequence of (name, epochs)
        One training, or the folds of a cross-validation; each has its colour, each quantity its dash.
    title : str

    Returns
    -------
    plotly Figure

    Raises
    ------
    BadHistory
        Where there is no epoch at all.
    """
    from plotly.subplots import make_subplots

    if not any(epochs for _, epochs in histories):
        raise BadHistory("There is no epoch to draw.")
    figure = make_subplots(rows=2, cols=2, subplot_titles=PANELS, vertical_spacing=0.14, horizontal_spacing=0.08)
    for number, (name, epochs) in enumerate(histories):
        terms = list(epochs[0].terms) if epochs else []
        lines: list[tuple[int, int, str, list[float | None]]] = [
            (1, 1, "training loss", [epoch.loss for epoch in epochs]),
            (1, 1, "tuning loss", [epoch.tune_loss for epoch in epochs]),
            *((1, 2, term, [epoch.terms.get(term) for epoch in epochs]) for term in terms),
            (2, 1, "AUC", [epoch.tune_auc for epoch in epochs]),
            (2, 1, "Dice", [epoch.tune_dice for epoch in epochs]),
            (2, 2, "learning rate", [epoch.rate for epoch in epochs]),
        ]
        dashes = iter(("solid", "dot", "solid", "dash", "dot", "dashdot", "longdash", "solid", "dot", "solid"))
        several = len(histories) > 1
        for row, column, quantity, values in lines:
            dash = next(dashes, "solid")
            if any(value is not None for value in values):
                colour = COLOURS[(number if several else len(figure.data)) % len(COLOURS)]
                figure.add_scatter(
                    x=[epoch.epoch for epoch in epochs],
                    y=values,
                    name=f"{name}: {quantity}" if several else quantity,
                    mode="lines+markers" if len(epochs) == 1 else "lines",
                    line={"color": colour, "dash": dash},
                    # The tuning part may have been asked after some epochs alone.
                    connectgaps=True,
                    legendgroup=name,
                    row=row,
                    col=column,
                )
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(range=[0, 1.02], row=2, col=1)
    return figure.update_layout(title=title, template="plotly_white", height=760, margin={"t": 90, "r": 20})


def write_curves(folders: Sequence[Path], page: Path, title: str = "") -> None:
    """One self-contained HTML page of the histories in some folders; nothing is loaded from elsewhere."""
    histories = [(folder.name, read_history(folder / HISTORY)) for folder in folders]
    figure = curves(histories, title or f"Training of {page.parent.name}")
    page.write_text(figure.to_html(include_plotlyjs=True, full_html=True), encoding="utf-8")
