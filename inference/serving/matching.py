"""Which series of a case is which input of a model. Free of torch and numpy, so that the web may ask too.

By name first, then by what DICOM says of modality and view; nothing is guessed: a case that lacks an input, or has two
series for it, is refused with a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference.prediction import Series
from inference.spec import Input

# Modalities that are the same thing for a model, and the codes of DICOM for the views that a model may name.
FILMS = frozenset({"DX", "CR", "DR", "RF", "RG"})
VIEWS: Mapping[str, frozenset[str]] = {
    "lateral": frozenset({"LL", "RL", "LLD", "RLD", "LAT", "LATERAL"}),
    "frontal": frozenset({"AP", "PA", "FRONTAL"}),
}


class Unmatched(ValueError):
    """A case does not have the series that a model reads; the text says which."""


@dataclass(frozen=True)
class Match:
    """The place of a series among those of its case, and the series."""

    place: int
    series: Series


def matches(inputs: Sequence[Input], series: Sequence[Series]) -> dict[str, Match]:
    """The series of each input, by the input's name.

    Parameters
    ----------
    inputs : sequence of Input
        Of the model's specification.
    series : sequence of Series
        Of the case, in its order.

    Raises
    ------
    Unmatched
        ``The case lacks T2W; the model reads T1W, T2W.``

    Examples
    --------
    >>> two = [Series("t2w", "MR", ()), Series("T1W", "MR", ())]
    >>> {name: match.place for name, match in matches([Input("MR", "T1W"), Input("MR", "T2W")], two).items()}
    {'T1W': 1, 'T2W': 0}
    """
    listed = [Match(place, one) for place, one in enumerate(series) if one.frames or one.name]
    found: dict[str, Match] = {}
    lacking: list[str] = []
    for one in inputs:
        candidates = candidates_for(one, listed, alone=len(inputs) == 1)
        if len(candidates) > 1:
            raise Unmatched(f"The case has {len(candidates)} series for {one.name}; name one of them {one.name}.")
        if candidates:
            found[one.name] = candidates[0]
        else:
            lacking.append(one.name)
    if lacking:
        names = ", ".join(one.name for one in inputs)
        raise Unmatched(f"The case lacks {' and '.join(lacking)}; the model reads {names}.")
    return found


def candidates_for(one: Input, listed: Sequence[Match], *, alone: bool) -> list[Match]:
    named = [match for match in listed if match.series.name.strip().casefold() == one.name.casefold()]
    if named:
        return named
    fitting = [match for match in listed if fits(one, match.series)]
    if fitting:
        return fitting
    # A picture file says nothing of itself: the only series of a case is what the model's only input means.
    return list(listed) if alone and len(listed) == 1 and could_be(one, listed[0].series) else []


def fits(one: Input, series: Series) -> bool:
    """Whether modality and view, both known, are those of the input."""
    modality = kind_of(series.modality)
    if one.modality == "CT":
        return modality == "CT"
    if one.modality == "DX":
        return modality == "DX" and series.view.upper() in VIEWS.get(one.view.lower(), frozenset({one.view.upper()}))
    return False


def could_be(one: Input, series: Series) -> bool:
    """Whether nothing that is known of the series speaks against it."""
    modality = kind_of(series.modality)
    view = series.view.upper()
    other_view = one.modality == "DX" and bool(view) and not fits(one, series)
    return modality in ("", one.modality) and not (modality == "DX" and other_view)


def kind_of(modality: str) -> str:
    return "DX" if modality.upper() in FILMS else modality.upper()
