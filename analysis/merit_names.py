"""Names of figures of merit, as plans and the command line write them."""

from collections.abc import Callable, Sequence

from analysis.binormal import binormal_auc
from analysis.curve_merits import PartialAuc, RateAt, Utility
from analysis.errors import CannotAnalyse
from analysis.merits import Auc, Custom, Merit, Rate
from analysis.ratings import Bools, Floats


def fitted(truth: Bools, values: Floats) -> float:
    """Area under the binormal curve."""
    return binormal_auc(truth, values).estimate


SIMPLE: dict[str, Merit] = {
    "auc": Auc(),
    "sensitivity": Rate("sensitivity", (True,)),
    "specificity": Rate("specificity", (False,)),
    "accuracy": Rate("accuracy", (True, False)),
    "binormal-auc": Custom("binormal-auc", fitted, limits=(0.0, 1.0), chance=0.5),
}
FORMS = (
    "auc, sensitivity, specificity, accuracy, pauc:specificity:0.8:1 (or :mcclish behind it), eu:1, "
    "sensitivity-at:0.9 (specificity), specificity-at:0.9 (sensitivity), binormal-auc"
)


def merit_named(figure: "str | Merit") -> Merit:
    """Which figure of merit does this name mean?

    figure: a name as in `FORMS`, or a figure of merit, which is returned as it is. Refused: any other name.

    >>> merit_named("pauc:specificity:0.8:1")
    PartialAuc(axis='specificity', low=0.8, high=1.0, corrected=False, classes=(True, False))
    """
    if not isinstance(figure, str):
        return figure
    if figure in SIMPLE:
        return SIMPLE[figure]
    kind, *pieces = figure.split(":")
    if kind not in READ:
        raise CannotAnalyse(f"The figure of merit is one of {FORMS}, not {figure}.")
    return READ[kind](pieces, figure)


def partial_named(pieces: Sequence[str], figure: str) -> Merit:
    corrected = len(pieces) == 4 and pieces[3] == "mcclish"
    if len(pieces) != 3 + corrected or pieces[0] not in ("specificity", "sensitivity"):
        raise CannotAnalyse(f"A partial area is written as pauc:specificity:0.8:1, not as {figure}.")
    low, high = numbers_of(pieces[1:3], figure)
    return PartialAuc("specificity" if pieces[0] == "specificity" else "sensitivity", low, high, corrected)


def utility_named(pieces: Sequence[str], figure: str) -> Merit:
    if len(pieces) > 1:
        raise CannotAnalyse(f"An expected utility is written as eu:SLOPE, not as {figure}.")
    return Utility(numbers_of(pieces, figure)[0]) if pieces else Utility()


def sensitivity_at_named(pieces: Sequence[str], figure: str) -> Merit:
    return RateAt("specificity", one_number(pieces, figure))


def specificity_at_named(pieces: Sequence[str], figure: str) -> Merit:
    return RateAt("sensitivity", one_number(pieces, figure))


def one_number(pieces: Sequence[str], figure: str) -> float:
    if len(pieces) != 1:
        raise CannotAnalyse(f"An operating point is written as sensitivity-at:0.9, not as {figure}.")
    return numbers_of(pieces, figure)[0]


def numbers_of(pieces: Sequence[str], figure: str) -> list[float]:
    try:
        return [float(piece) for piece in pieces]
    except ValueError:
        raise CannotAnalyse(f"The figure of merit {figure} names something that is not a number.") from None


READ: dict[str, Callable[[Sequence[str], str], Merit]] = {
    "pauc": partial_named,
    "eu": utility_named,
    "sensitivity-at": sensitivity_at_named,
    "specificity-at": specificity_at_named,
}
