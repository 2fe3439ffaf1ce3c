"""The table of cases of a localisation study: which lesions there are to be found, and what each weighs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analysis.errors import CannotAnalyse
from analysis.ratings import Bools, Floats, check_columns, natural, numbers, rows_of

if TYPE_CHECKING:
    import pandas as pd

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]
# Weights such as 0.33, 0.33, 0.33 were meant to sum to 1; what lies further away is a mistake.
ROUNDED = 0.02


@dataclass(frozen=True)
class MarkColumns:
    """Names of the columns: reader to rating of the marks; case, truth, lesion, weight of the cases."""

    reader: str = "reader"
    arm: str = "arm"
    case: str = "case"
    mark: str = "mark"
    lesion: str = "lesion"
    rating: str = "rating"
    truth: str = "truth"
    weight: str = "weight"


@dataclass(frozen=True, eq=False)
class Lesions:
    """Cases and their lesions.

    cases: sorted labels; truth: (case,) True where diseased; case, label, weight: (lesion,) place of its case, its
    label within the case, its weight; weights of a case sum to 1.
    """

    cases: tuple[str, ...]
    truth: Bools
    case: Ints
    label: tuple[str, ...]
    weight: Floats
    warnings: tuple[str, ...]


def read_lesions(frame: "pd.DataFrame", columns: MarkColumns | None = None) -> Lesions:
    """Which cases are diseased, with how many lesions of which weight?

    frame: one row per lesion with case, truth 1, lesion and, optional, weight; one row with truth 0 and lesion 0 or
    blank per case without disease. Weights of a case sum to 1 (within 0.02, then rescaled with a warning); where the
    column is absent or all weights of a case are 0 its lesions weigh the same.
    Refused, with the rows counted from 1: unknown columns, blank labels, truth that is not 0/1 or differs within a
    case, a diseased case without a lesion, a lesion of a case without disease, a lesion listed twice, other weights.

    >>> import pandas as pd
    >>> found = read_lesions(pd.DataFrame({"case": ["a", "b", "b"], "truth": [0, 1, 1], "lesion": [0, 1, 2]}))
    >>> found.cases, found.label, found.weight.tolist()
    (('a', 'b'), ('1', '2'), [0.5, 0.5])
    """
    names = columns or MarkColumns()
    with told("cases"):
        check_columns(frame, (names.case, names.truth, names.lesion))
        if len(frame) == 0:
            raise CannotAnalyse("There are no rows.")
        labels, lesion = text_of(frame, names.case), lesion_text(frame, names.lesion)
        cases = tuple(sorted(set(labels), key=natural))
        place = located(labels, cases, str)
        truth = truth_of(frame, names, place, cases, lesion != "")
        refuse_repeated(place, lesion)
        rows = sorted(np.flatnonzero(lesion != "").tolist(), key=lambda row: (place[row], natural(str(lesion[row]))))
        chosen = np.asarray(rows, dtype=np.int64)
        weight, warnings = weights_of(frame, names, place[chosen], chosen, cases)
    return Lesions(cases, truth, place[chosen], tuple(lesion[chosen]), weight, warnings)


@contextmanager
def told(table: str) -> Iterator[None]:
    """Faults say in which table they are."""
    try:
        yield
    except CannotAnalyse as fault:
        raise CannotAnalyse(f"Table of {table}: {fault}") from fault


def text_of(frame: "pd.DataFrame", column: str) -> Texts:
    """The column as text without spaces around it; whole numbers without a point; blanks refused."""
    texts = plain_text(frame, column)
    if (texts == "").any():
        raise CannotAnalyse(f"The column {column} is blank in {rows_of(texts == '')}.")
    return texts


def plain_text(frame: "pd.DataFrame", column: str) -> Texts:
    """The same with blanks as empty text."""
    import pandas as pd

    series = frame[column]
    blank = series.isna().to_numpy()
    if pd.api.types.is_float_dtype(series) and bool((series[~blank] == series[~blank].round()).all()):
        series = series.fillna(0).astype("int64")
    texts = series.astype(str).str.strip().to_numpy(dtype=object)
    texts[blank] = ""
    return np.asarray(texts)


def lesion_text(frame: "pd.DataFrame", column: str) -> Texts:
    """Labels of lesions: 1.0 is 1, and no lesion (0 or blank) is empty text."""
    texts, places = np.unique(plain_text(frame, column).astype(str), return_inverse=True)
    return np.asarray([whole(text) for text in texts.tolist()], dtype=object)[places]


def whole(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    if not number.is_integer():
        return text
    return str(int(number)) if number else ""


def truth_of(frame: "pd.DataFrame", names: MarkColumns, place: Ints, cases: tuple[str, ...], lesion: Bools) -> Bools:
    """(case,) True where diseased; a row of a diseased case names a lesion, one of another case does not."""
    values = numbers(frame, names.truth)
    bad = ~np.isin(values, (0.0, 1.0))
    if bad.any():
        raise CannotAnalyse(f"The column {names.truth} must be 0 or 1; it is not in {rows_of(bad)}.")
    truth = np.zeros(len(cases), dtype=bool)
    truth[place] = values == 1
    torn = truth[place] != (values == 1)
    if torn.any():
        case = cases[int(place[np.flatnonzero(torn)[0]])]
        raise CannotAnalyse(f"Case {case} is diseased in one row and not in another ({rows_of(torn)}).")
    without = (values == 1) & ~lesion
    if without.any():
        raise CannotAnalyse(f"A diseased case has no lesion in {rows_of(without)}.")
    if (lesion & (values == 0)).any():
        raise CannotAnalyse(f"A case without disease has a lesion in {rows_of(lesion & (values == 0))}.")
    return truth


def refuse_repeated(place: Ints, lesion: Texts) -> None:
    import pandas as pd

    repeated = pd.DataFrame({"case": place, "lesion": lesion}).duplicated().to_numpy(dtype=bool)
    if (repeated & (lesion != "")).any():
        raise CannotAnalyse(f"A lesion is listed twice within its case ({rows_of(repeated & (lesion != ''))}).")


def weights_of(
    frame: "pd.DataFrame", names: MarkColumns, place: Ints, rows: Ints, cases: tuple[str, ...]
) -> tuple[Floats, tuple[str, ...]]:
    """Weights of the lesions in the order of `rows`, summing to 1 in every case."""
    counts = np.bincount(place, minlength=len(cases))
    equal = 1 / counts[place]
    if names.weight not in frame.columns:
        return equal, ()
    weight = numbers(frame, names.weight)[rows]
    wrong = np.isnan(weight) | (weight < 0)
    if wrong.any():
        bad = np.zeros(len(frame), dtype=bool)
        bad[rows[wrong]] = True
        raise CannotAnalyse(f"The column {names.weight} holds no weight of 0 or more in {rows_of(bad)}.")
    total = np.bincount(place, weights=weight, minlength=len(cases))
    weight = np.where(total[place] == 0, equal, weight)
    total = np.where(total == 0, 1.0, total)
    if (np.abs(total - 1) > ROUNDED).any():
        case = int(np.flatnonzero(np.abs(total - 1) > ROUNDED)[0])
        raise CannotAnalyse(f"The weights of the lesions of case {cases[case]} sum to {total[case]:g}, not to 1.")
    rounded = int((np.abs(total - 1) > 1e-9).sum())
    warnings = (f"The weights of {rounded} cases do not sum to 1 exactly and are rescaled.",) if rounded else ()
    return weight / total[place], warnings


def located(labels: Texts, known: tuple[str, ...], sentence: Callable[[str], str]) -> Ints:
    """Place of every label among the known; the first that is not known is refused with its rows."""
    import pandas as pd

    found = pd.Index(known, dtype=object).get_indexer(pd.Index(labels, dtype=object)).astype(np.int64)
    if (found < 0).any():
        label = labels[np.flatnonzero(found < 0)[0]]
        raise CannotAnalyse(f"{sentence(str(label))} ({rows_of(labels == label)}).")
    return np.asarray(found)
