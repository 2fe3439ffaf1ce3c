"""Many readers, many cases, marks on lesions: OR and DBM analysis of the figures of `froc`."""

from dataclasses import replace

import numpy as np

from analysis.dbm import Dbm, Pseudovalues, analyse_pseudovalues
from analysis.designs import nesting_of
from analysis.error_terms import Sampling
from analysis.errors import CannotAnalyse
from analysis.localisation.froc import LocalisedFigures, check_left_out, localised_figures
from analysis.localisation.marks import Marks
from analysis.mrmc import Estimates, Mrmc, analyse


def localised_obuchowski_rockette(
    marks: Marks, figure: str = "wafroc", readers: Sampling = "random", cases: Sampling = "random"
) -> Mrmc:
    """Do the arms differ on average over readers and cases in how lesions are found and rated?

    marks: from `marks.read_marks`, arms in the order of comparison (`Marks.restricted`); figure: see
    `froc.localised_figures`; readers, cases, formulas: see `mrmc.obuchowski_rockette`. The covariance over cases is
    the jackknife's, over the cases that the figure rests on: diseased ones for hrse and maxllf, others for hrsp,
    maxnlf and exptrnsfmsp, all for every other figure. A reader who did not read a case keeps the figure without it.
    Intervals stay within the range of the figure; maxnlf, maxnlfallcases and froc have no upper end.
    Refused: one reader as random, a reader with some arms only, a class with one case, and what `mrmc.analyse` refuses.
    Source: Chakraborty & Berbaum (2004), Med. Phys. 31:2313-2330 (JAFROC); Chakraborty (2017), Observer Performance
    Methods for Diagnostic Imaging, chapter 16; Hillis (2007), Stat. Med. 26:596-619.

    >>> import pandas as pd
    >>> from analysis.localisation.marks import read_marks
    >>> cases = pd.DataFrame({"case": range(6), "truth": [0, 0, 0, 1, 1, 1], "lesion": [0, 0, 0, 1, 1, 1]})
    >>> rows = [("R", "A", 0, 0, 2), ("R", "A", 3, 1, 5), ("R", "B", 3, 1, 4), ("R", "B", 4, 1, 3),
    ...         ("S", "A", 1, 0, 3), ("S", "A", 3, 1, 2), ("S", "B", 4, 1, 3), ("S", "B", 5, 1, 2)]
    >>> table = pd.DataFrame(rows, columns=["reader", "arm", "case", "lesion", "rating"])
    >>> result = localised_obuchowski_rockette(read_marks(table, cases))
    >>> round(result.estimate, 6), round(result.se, 6), round(result.p, 6)
    (0.333333, 0.189419, 0.08071)
    """
    figures = localised_figures(marks, figure)
    check_readers(figures, readers)
    matrix = None
    if cases != "fixed":
        check_left_out(figures)
        matrix = figures.covariance
    found = analyse(
        Estimates(
            figures.figure, figures.readers, figures.arms, figures.values, matrix, nesting_of(marks.read),
            (figures.low, figures.high), covariance_method="jackknife",
        ),
        readers, cases,
    )  # fmt: skip
    return replace(found, warnings=(*figures.warnings, *found.warnings))


def check_readers(figures: LocalisedFigures, readers: Sampling) -> None:
    """Refuse a single random reader, and gaps that are neither crossed nor nested."""
    if len(figures.readers) == 1 and readers == "random":
        raise CannotAnalyse("There is only one reader, so readers cannot be random; analyse them as fixed.")
    unread = np.isnan(figures.values)
    nested = bool(((~unread).sum(axis=1) == 1).all())
    if unread.any() and not (nested and len(figures.arms) > 1):
        reader, arm = (int(place) for place in np.argwhere(unread)[0])
        raise CannotAnalyse(
            f"Reader {figures.readers[reader]} read nothing in arm {figures.arms[arm]}, and this analysis needs every "
            "reader in every arm; where they read and marked nothing, say so in a design table."
        )


def localised_dbm(
    marks: Marks, figure: str = "wafroc", readers: Sampling = "random", cases: Sampling = "random"
) -> Dbm:
    """Do the arms differ on average, by an analysis of variance of pseudovalues of marks?

    marks, figure: as in `localised_obuchowski_rockette`; formulas: see `dbm.dbm`. A pseudovalue is N theta - (N - 1)
    theta without the case, N the cases that the figure rests on, moved so that their mean is theta. With readers
    random the same as Obuchowski-Rockette with the jackknife covariance. Refused: a case that a reader did not read.
    Source: Chakraborty & Berbaum (2004), Med. Phys. 31:2313-2330; Hillis et al. (2005), Stat. Med. 24:1579-1607.

    >>> import pandas as pd
    >>> from analysis.localisation.marks import read_marks
    >>> cases = pd.DataFrame({"case": range(6), "truth": [0, 0, 0, 1, 1, 1], "lesion": [0, 0, 0, 1, 1, 1]})
    >>> rows = [("R", "A", 0, 0, 2), ("R", "A", 3, 1, 5), ("R", "B", 3, 1, 4), ("R", "B", 4, 1, 3),
    ...         ("S", "A", 1, 0, 3), ("S", "A", 3, 1, 2), ("S", "B", 4, 1, 3), ("S", "B", 5, 1, 2)]
    >>> table = pd.DataFrame(rows, columns=["reader", "arm", "case", "lesion", "rating"])
    >>> result = localised_dbm(read_marks(table, cases))
    >>> round(result.estimate, 6), round(result.se, 6), round(result.p, 6)
    (0.333333, 0.189419, 0.08071)
    """
    figures = localised_figures(marks, figure)
    check_readers(figures, readers)
    if marks.missing:
        raise CannotAnalyse(
            f"{marks.missing} cases were not read by a reader in an arm, and pseudovalues need every reading; use "
            "Obuchowski-Rockette."
        )
    check_left_out(figures)
    values = figures.values[:, :, None]
    moved = (figures.cases - 1) * (figures.left_out - values)
    pseudo = values - (moved - moved.mean(axis=2, keepdims=True))
    found = analyse_pseudovalues(
        Pseudovalues(
            figures.figure, figures.readers, figures.arms, figures.values, pseudo, (figures.low, figures.high)
        ),
        readers, cases,
    )  # fmt: skip
    return replace(found, warnings=(*figures.warnings, *found.warnings))
