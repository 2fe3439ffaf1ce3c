"""What a training said of itself, epoch by epoch: one line of JSON each in ``history.jsonl``. Free of torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


class BadHistory(ValueError):
    """A history that cannot be read; the text names the line."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training part.

    Attributes
    ----------
    epoch : int
        From 1.
    loss : float
        Mean over the training cases, all losses with their weights.
    terms : mapping of str to float
        Each loss by itself, before its weight: ``bce``, ``dice_ce``, ``level_ce``, ``structure``, and where a family
        supervises several depths ``structure 1`` (coarsest) to ``structure 4`` (finest).
    tune_loss, tune_auc, tune_dice : float or None
        On the tuning part after the epoch; None where there is none, one class only, or no mask, and, in a training
        that selects nothing, after two epochs of three.
    rate : float
        Learning rate at the end of the epoch.
    seconds : float

    Examples
    --------
    >>> Epoch.from_line(Epoch(1, 0.7, {"bce": 0.7}, 0.68, None, None, 1e-3, 2.5).to_line()).tune_loss
    0.68
    """

    epoch: int
    loss: float
    terms: Mapping[str, float] = field(default_factory=dict)
    tune_loss: float | None = None
    tune_auc: float | None = None
    tune_dice: float | None = None
    rate: float = 0.0
    seconds: float = 0.0

    def to_line(self) -> str:
        return json.dumps(asdict(self), allow_nan=False) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Epoch:
        """Raises BadHistory where the line is not one of a history."""
        try:
            return cls(**json.loads(line))
        except (TypeError, ValueError) as error:
            raise BadHistory(f"{line[:80]!r} is not a line of a training's history: {error}.") from error


def read_history(path: Path) -> tuple[Epoch, ...]:
    """All epochs of a file; none where there is no file.

    Raises
    ------
    BadHistory
        Naming the line.
    """
    if not path.is_file():
        return ()
    return tuple(Epoch.from_line(line) for line in path.read_text(encoding="utf-8").splitlines())


def write_history(path: Path, epochs: Sequence[Epoch]) -> None:
    path.write_text("".join(epoch.to_line() for epoch in epochs), encoding="utf-8")
