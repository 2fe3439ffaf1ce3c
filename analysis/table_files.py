"""Reading a file as a table: CSV or Parquet, labels as text as they are written, every fault one sentence."""

import gzip
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import CannotAnalyse

if TYPE_CHECKING:
    import pandas as pd

PARQUET = (".parquet", ".pq")
GZIP = b"\x1f\x8b"
SEPARATORS = (",", ";", "\t")
# An arm may well be called None; a label that R, Excel or pandas wrote for nothing is blank.
NO_LABEL = ("", "NA", "<NA>", "N/A", "n/a", "#N/A", "NaN", "nan")
NO_VALUE = (*NO_LABEL, ".", "None", "NULL", "null", "#NA", "-NaN", "-nan")


def read_file(path: Path, labels: Sequence[str]) -> "pd.DataFrame":
    """What does this file hold?

    path: Parquet where the name ends so, otherwise CSV in UTF-8, also gzipped; separated by semicolons or tabs where
    the header has no comma. labels: columns that are text and keep their leading zeros; blanks around them are no
    part of them. R's unnamed column of row names, a separator at the end of every row and blank rows at the end are
    left out. Refused: a file that cannot be read, rows longer than the header, a column named twice.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = file.write_text("case;rating\\n007 ;3\\nNone;.\\n")
    >>> read_file(file, ("case",)).values.tolist()
    [['007', 3.0], ['None', nan]]
    """
    import pandas as pd

    try:
        if path.suffix.lower() in PARQUET:
            frame = pd.read_parquet(path)
            frame = frame.reset_index() if any(frame.index.names) else frame
        else:
            frame = csv_of(path.read_bytes(), labels, path.name)
    except CannotAnalyse:
        raise
    except FileNotFoundError:
        raise CannotAnalyse(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise CannotAnalyse(f"{path} is a folder, not a table.") from None
    except UnicodeDecodeError:
        raise CannotAnalyse(f"{path} is no text in UTF-8; save it as CSV in UTF-8, or as Parquet.") from None
    except (OSError, ValueError) as failure:
        reason = " ".join(str(failure).split()).rstrip(".").removeprefix("Error tokenizing data. C error: ")
        raise CannotAnalyse(f"{path} cannot be read as a table: {reason}.") from failure
    return trimmed(frame, labels)


def csv_of(content: bytes, labels: Sequence[str], name: str) -> "pd.DataFrame":
    """The table as it is written."""
    import pandas as pd

    content = gzip.decompress(content) if content.startswith(GZIP) else content
    form: dict[str, Any] = {"sep": separator(content), "skipinitialspace": True}
    first = pd.read_csv(io.BytesIO(content), header=None, nrows=1, dtype=str, keep_default_na=False, **form)
    header = [str(column).strip() for column in first.iloc[0]]
    twice = [column for column, count in Counter(header).items() if count > 1 and column]
    if twice:
        raise CannotAnalyse(f"{name} has two columns called {twice[0]}.")
    columns = pd.read_csv(io.BytesIO(content), nrows=0, index_col=False, **form).columns
    texts = [column for column in columns if column.strip() in labels]
    form |= {
        "dtype": dict.fromkeys(texts, str),
        "na_values": {column: list(NO_LABEL if column in texts else NO_VALUE) for column in columns},
        "keep_default_na": False,
        "low_memory": False,
    }
    frame: pd.DataFrame = pd.read_csv(io.BytesIO(content), **form)
    if not isinstance(frame.index, pd.RangeIndex):
        # More fields than the header names: a separator at the end of every row, or R's row names at the start.
        if frame.index.nlevels == 1 and frame.iloc[:, -1].isna().all():
            frame = pd.read_csv(io.BytesIO(content), header=0, names=[*columns, ""], **form)[list(columns)]
        elif frame.index.nlevels > 1 or not frame.index.is_unique:
            raise CannotAnalyse(f"{name} has rows with more fields than its header.")
        frame = frame.reset_index(drop=True)
    return frame.rename(columns=str.strip)


def separator(content: bytes) -> str:
    """The comma, unless the header has none but another."""
    header = next((line for line in content.splitlines() if line.strip()), b"").decode()
    return next((mark for mark in SEPARATORS if mark in header), ",")


def trimmed(frame: "pd.DataFrame", labels: Sequence[str]) -> "pd.DataFrame":
    """Labels without the blanks around them, and without blank rows at the end."""
    import pandas as pd

    texts = [label for label in labels if label in frame.columns and isinstance(frame[label].dtype, pd.StringDtype)]
    frame = frame.assign(**{label: frame[label].str.strip() for label in texts})
    filled = frame.notna().any(axis=1).to_numpy().nonzero()[0]
    return frame.iloc[: int(filled[-1]) + 1 if filled.size else 0]
