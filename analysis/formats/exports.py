"""A study's readings as the files of other programs, so that each can repeat the analysis."""

import csv
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import CannotAnalyse
from analysis.formats.sav import Variable, write_sav
from analysis.formats.workbook import Sheet, write_workbook
from analysis.ratings import Ratings

if TYPE_CHECKING:
    import pandas as pd

UNSAFE = re.compile(r"[^A-Za-z0-9_.\-]+")
LABELS = {
    "reader": "Reader",
    "arm": "Arm (modality, treatment, test)",
    "case": "Case",
    "truth": "Truth: 1 diseased, 0 non-diseased",
    "rating": "Rating, higher is more suspicious",
    "decision": "Decision: 1 diseased, 0 non-diseased",
    "patient": "Patient",
    "seniority": "Seniority of the reader",
    "seconds": "Reading time in seconds",
}
TRUTH = ((0.0, "non-diseased"), (1.0, "diseased"))
# `case` is a reserved word there.
STATA = {"case": "case_id"}
# What OBUMRM holds in its arrays.
MOST_CASES, MOST_READERS = 500, 15


@dataclass(frozen=True)
class Written:
    """What was written: the files, the first of them the one asked for, and what a person must know."""

    files: tuple[Path, ...]
    readings: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Renamed:
    """Names as another program takes them, and the names they stand for."""

    kind: str
    names: tuple[str, ...]
    written: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return self.names != self.written


def safe(kind: str, names: Sequence[str], forbidden: Sequence[str] = ()) -> Renamed:
    """Letters, digits, point, hyphen and underscore only, all different.

    >>> safe("reader", ("Dr. A, B", "Dr. A B")).written
    ('Dr._A_B', 'Dr._A_B_2')
    """
    found: list[str] = []
    for name in names:
        plain = UNSAFE.sub("_", name.strip()) or "_"
        taken, tries, trial = {*found, *forbidden}, 1, plain
        while trial in taken:
            tries += 1
            trial = f"{plain}_{tries}"
        found.append(trial)
    return Renamed(kind, tuple(names), tuple(found))


def numbered(kind: str, names: Sequence[str]) -> Renamed:
    """1, 2, ... with leading zeros, so that they sort alike as texts and as numbers."""
    width = len(str(len(names)))
    return Renamed(kind, tuple(names), tuple(f"{place:0{width}d}" for place in range(1, len(names) + 1)))


def long_rows(ratings: Ratings) -> "pd.DataFrame":
    """One row per reading: reader, arm, case, truth, rating, in that order of sorting."""
    import pandas as pd

    reader, arm, case = np.nonzero(~np.isnan(ratings.values))
    return pd.DataFrame(
        {
            "reader": np.array(ratings.readers, dtype=object)[reader],
            "arm": np.array(ratings.arms, dtype=object)[arm],
            "case": np.array(ratings.cases, dtype=object)[case],
            "truth": ratings.truth[case].astype(int),
            "rating": ratings.values[reader, arm, case],
        }
    )


def write(path: Path, ratings: Ratings, program: str, extra: "pd.DataFrame | None" = None) -> Written:
    """Which file does another program read?

    path: the file to write; companions (data beside a program, names that were changed) stand beside it. program: one
    of PROGRAMS. extra: further columns by reader, arm and case for the programs that hold whole tables (SAS, Stata,
    SPSS). Readings that are missing have no row. Refused: what the program cannot hold, a place that cannot be written.

    >>> import tempfile
    >>> study = Ratings(("R",), ("A",), ("1", "2"), np.array([False, True]), np.array([[[1.0, 2.0]]]))
    >>> place = Path(tempfile.mkdtemp()) / "study.imrmc"
    >>> write(place, study, "imrmc").readings, place.read_text().splitlines()[-1]
    (2, 'R,2,A,2.0')
    """
    if program not in PROGRAMS:
        raise CannotAnalyse(f"Readings are exported to {', '.join(PROGRAMS)}, not to {program}.")
    rows = long_rows(ratings)
    if rows.empty:
        raise CannotAnalyse("There is no reading to export.")
    if extra is not None and program in ("sas", "stata", "spss"):
        rows = rows.merge(extra, how="left", on=["reader", "arm", "case"], validate="one_to_one")
    try:
        files, warnings = PROGRAMS[program](path, ratings, rows)
    except OSError as failure:
        raise CannotAnalyse(f"{path} cannot be written: {failure.strerror or failure}.") from failure
    return Written(files, len(rows), warnings)


Made = tuple[tuple[Path, ...], tuple[str, ...]]


def names_beside(path: Path, renamed: Sequence[Renamed]) -> Made:
    """The table of changed names, where any was changed, and a sentence about it."""
    changed = [item for item in renamed if item.changed]
    if not changed:
        return (path,), ()
    table = path.with_name(f"{path.name}.names.csv")
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("kind", "name", "written"))
        writer.writerows((item.kind, *pair) for item in changed for pair in zip(item.names, item.written, strict=True))
    kinds = ", ".join(item.kind for item in changed)
    return (path, table), (f"Names were changed ({kinds}); {table.name} says which is which.",)


def imrmc(path: Path, ratings: Ratings, rows: "pd.DataFrame") -> Made:
    """iMRMC: numbers of readers, cases and arms, BEGIN DATA:, then reader,case,modality,score.

    The truth of a case is a row of reader -1 and modality 0. iMRMC takes spaces out of names and knows no quotes.
    """
    readers = safe("reader", ratings.readers, ("-1", "truth"))
    arms, cases = safe("arm", ratings.arms, ("truth",)), safe("case", ratings.cases)
    lines = ["Exported readings", f"NR: {len(readers.names)}", f"N0: {ratings.negatives}", f"N1: {ratings.positives}"]
    lines += [f"NM: {len(arms.names)}", "", "BEGIN DATA:"]
    lines += [f"-1,{case},0,{int(truth)}" for case, truth in zip(cases.written, ratings.truth, strict=True)]
    to = [dict(zip(item.names, item.written, strict=True)) for item in (readers, cases, arms)]
    lines += [
        f"{to[0][reader]},{to[1][case]},{to[2][arm]},{rating!r}"
        for reader, case, arm, rating in zip(
            rows["reader"], rows["case"], rows["arm"], rows["rating"].tolist(), strict=True
        )
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return names_beside(path, (readers, arms, cases))


def rjafroc(path: Path, ratings: Ratings, rows: "pd.DataFrame") -> Made:
    """RJafroc 2: an Excel workbook with the sheets Truth, TP and FP, paradigm ROC, design FCTRL.

    Cases are whole numbers there, the non-diseased first; readers and arms are sorted as texts by the rules of the
    machine, so names keep only where every machine sorts them alike.
    """
    if path.suffix.lower() != ".xlsx":
        raise CannotAnalyse("RJafroc reads Excel workbooks only; name the file with .xlsx.")
    whole_study(ratings, "RJafroc's ROC paradigm")
    readers, arms = (sorted_alike(*kind) for kind in (("reader", ratings.readers), ("arm", ratings.arms)))
    order = np.argsort(ratings.truth, kind="stable")
    ordered = tuple(ratings.cases[place] for place in order)
    cases = Renamed("case", ordered, tuple(str(number) for number in range(1, len(ordered) + 1)))
    lists = ", ".join(readers.written), ", ".join(arms.written)
    truth = [
        (number, int(ratings.truth[place]), int(ratings.truth[place]), *lists, {1: "ROC", 2: "FCTRL"}.get(number))
        for number, place in enumerate(order.tolist(), start=1)
    ]
    marks: dict[bool, list[tuple[str | int | float | None, ...]]] = {False: [], True: []}
    for reader, reader_name in enumerate(readers.written):
        for arm, arm_name in enumerate(arms.written):
            for number, place in enumerate(order.tolist(), start=1):
                diseased, rating = bool(ratings.truth[place]), float(ratings.values[reader, arm, place])
                lesion = (1,) if diseased else ()
                marks[diseased].append((reader_name, arm_name, number, *lesion, rating))
    first = ("CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm")
    write_workbook(
        path,
        [
            Sheet("Truth", first, truth),
            Sheet("TP", ("ReaderID", "ModalityID", "CaseID", "LesionID", "TP_Rating"), marks[True]),
            Sheet("FP", ("ReaderID", "ModalityID", "CaseID", "FP_Rating"), marks[False]),
        ],
    )
    return names_beside(path, (readers, arms, cases))


def sorted_alike(kind: str, names: tuple[str, ...]) -> Renamed:
    plain = all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in names)
    if plain and list(names) == sorted(names) == sorted(names, key=str.casefold):
        return Renamed(kind, names, names)
    return numbered(kind, names)


def whole_study(ratings: Ratings, who: str) -> None:
    """Refuse missing readings and absent classes."""
    if ratings.missing:
        raise CannotAnalyse(
            f"{who} needs every reader to have read every case in every arm; {ratings.missing} are missing."
        )
    if not ratings.positives or not ratings.negatives:
        raise CannotAnalyse(f"{who} needs diseased and non-diseased cases.")


def mrmcaov(path: Path, ratings: Ratings, rows: "pd.DataFrame") -> Made:
    """MRMCaov: a CSV of reader, treatment, case, truth, rating, and an R script that analyses it."""
    rows.rename(columns={"arm": "treatment"}).to_csv(path, index=False)
    script = path.with_suffix(".R")
    if script == path:
        raise CannotAnalyse("The data of MRMCaov are a CSV file; name it with .csv.")
    levels = ", ".join(quoted_r(arm) for arm in ratings.arms)
    script.write_text(
        "library(MRMCaov)\n"
        f'd <- read.csv({quoted_r(path.name)}, colClasses = c(reader = "character", treatment = "character", '
        'case = "character"))\n'
        f"d$treatment <- factor(d$treatment, levels = c({levels}))\n"
        "fit <- mrmc(empirical_auc(truth, rating), treatment, reader, case, data = d)\n"
        "print(summary(fit))\n",
        encoding="utf-8",
    )
    return (path, script), ()


def quoted_r(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def obuchowski(path: Path, ratings: Ratings, rows: "pd.DataFrame") -> Made:
    """OBUMRM (Obuchowski, Cleveland Clinic), format A: five lines of numbers, then one line per reader and case.

    Non-diseased cases first; a field per arm; whole ratings in six columns, others in 24 with their point. OBUMRM's
    own FORMAT statement must say so, which the file beside repeats.
    """
    whole_study(ratings, "OBUMRM")
    readers, arms, _ = ratings.values.shape
    if arms not in (2, 3) or readers > MOST_READERS or max(ratings.positives, ratings.negatives) > MOST_CASES:
        raise CannotAnalyse(
            f"OBUMRM takes two or three arms, up to {MOST_READERS} readers and up to {MOST_CASES} cases of each class, "
            f"not {arms}, {readers}, {ratings.negatives} and {ratings.positives}."
        )
    whole = bool((ratings.values == np.round(ratings.values)).all() and (np.abs(ratings.values) < 100_000).all())
    order = np.argsort(ratings.truth, kind="stable")
    lines = [
        f" 0 {0 if whole else 1}",
        f"{ratings.negatives:4d}",
        f"{arms:2d}",
        f"{readers:2d}",
        f"{ratings.positives:4d}",
    ]
    for table in ratings.values[:, :, order]:
        lines += ["".join(field(rating, whole) for rating in line) for line in table.T.tolist()]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    said = path.with_name(f"{path.name}.format.txt")
    said.write_text(f"FORMAT statement of the ratings: ({arms}{'F6.0' if whole else 'F24.0'})\n", encoding="ascii")
    ordered = tuple(ratings.cases[place] for place in order)
    kinds = [numbered(kind, names) for kind, names in (("reader", ratings.readers), ("arm", ratings.arms))]
    files, warnings = names_beside(path, (*kinds, numbered("case", ordered)))
    return (path, said, *files[1:]), warnings


def field(rating: float, whole: bool) -> str:
    """Right-justified; Fortran reads a point where it stands."""
    return f"{rating:6.0f}" if whole else f"{np.format_float_positional(rating, trim='0'):>24}"


def data_beside(path: Path, ending: str, rows: "pd.DataFrame") -> tuple[Path, Path]:
    """The program's file and its data, a CSV of the same name."""
    program = path.with_suffix(ending) if path.suffix.lower() == ".csv" else path
    data = program.with_suffix(".csv")
    rows.to_csv(data, index=False, lineterminator="\n")
    return program, data


def sas(path: Path, ratings: Ratings, rows: "pd.DataFrame") -> Made:
    """SAS: a CSV and a program that reads it into work.readings with labels."""
    program, data = data_beside(path, ".sas", rows)
    texts = text_widths(rows)
    read = " ".join(f"{name} $" if name in texts else name for name in rows.columns)
    lengths = " ".join(f"{name} ${width}" for name, width in texts.items())
    labels = "\n    ".join(f"{name} = '{LABELS[name]}'" for name in rows.columns)
    formats = " ".join(f"{name} class." for name in ("truth", "decision") if name in rows.columns)
    program.write_text(
        "* Start SAS in the folder of this file, or write the full name of the data below;\n"
        "proc format;\n  value class 0 = 'non-diseased' 1 = 'diseased';\nrun;\n\n"
        "data work.readings;\n"
        f"  infile {quoted_single(data.name)} dsd firstobs=2 truncover encoding='utf-8' lrecl=32767;\n"
        f"  length {lengths};\n  input {read};\n  label {labels};\n  format {formats};\nrun;\n\n"
        "proc sort data=work.readings;\n  by reader arm case;\nrun;\n",
        encoding="utf-8",
    )
    return (program, data), ()


def stata(path: Path, ratings: Ratings, rows: "pd.DataFrame") -> Made:
    """Stata 14 and later: a data set with labels of variables and of the values of truth."""
    labels = {STATA.get(name, name): LABELS[name] for name in rows.columns}
    values: dict[Hashable, dict[float, str]] = {"truth": dict(TRUTH)}
    renamed = rows.rename(columns=STATA)
    renamed.to_stata(path, write_index=False, variable_labels=labels, value_labels=values, version=118)
    return (path,), ()


def spss(path: Path, ratings: Ratings, rows: "pd.DataFrame") -> Made:
    """SPSS: a data file where the name ends in .sav, else a CSV and the syntax that reads it."""
    texts = text_widths(rows)
    if path.suffix.lower() == ".sav":
        short = {"seniority": "senior"}
        variables = [
            Variable(
                short.get(name, name),
                LABELS[name],
                texts.get(name, 0),
                0 if name in texts or name == "truth" else 6,
                TRUTH if name in ("truth", "decision") else (),
            )
            for name in rows.columns
        ]
        write_sav(path, rows.rename(columns=short), variables)
        return (path,), ()
    program, data = data_beside(path, ".sps", rows)
    kinds = "\n    ".join(f"{name} A{texts[name]}" if name in texts else f"{name} F24.12" for name in rows.columns)
    labels = "\n  /".join(f"{name} {quoted_single(LABELS[name])}" for name in rows.columns)
    program.write_text(
        f"GET DATA\n  /TYPE=TXT\n  /FILE={quoted_single(data.name)}\n  /ENCODING='UTF8'\n  /ARRANGEMENT=DELIMITED\n"
        f'  /FIRSTCASE=2\n  /DELIMITERS=","\n  /QUALIFIER=\'"\'\n  /VARIABLES=\n    {kinds}.\n'
        f"VARIABLE LABELS\n  {labels}.\nVALUE LABELS truth 0 'non-diseased' 1 'diseased'.\nEXECUTE.\n",
        encoding="utf-8",
    )
    return (program, data), ()


def text_widths(rows: "pd.DataFrame") -> dict[str, int]:
    """Bytes of the longest text of each column of texts."""
    import pandas as pd

    return {
        str(name): max(1, max(len(str(text).encode()) for text in rows[name]))
        for name in rows.columns
        if not pd.api.types.is_numeric_dtype(rows[name])
    }


def quoted_single(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


PROGRAMS: dict[str, Callable[[Path, Ratings, "pd.DataFrame"], Made]] = {
    "imrmc": imrmc,
    "rjafroc": rjafroc,
    "mrmcaov": mrmcaov,
    "obuchowski": obuchowski,
    "sas": sas,
    "stata": stata,
    "spss": spss,
}
