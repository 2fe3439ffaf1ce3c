"""Why a file cannot be used, in words of ours: those of the system are numbers and its own language."""

from __future__ import annotations

import csv
import errno
from json import JSONDecodeError
from urllib.error import HTTPError, URLError

_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (FileNotFoundError, "there is no such file"),
    (PermissionError, "its permissions do not allow it"),
    (IsADirectoryError, "it is a folder, not a file"),
    (NotADirectoryError, "a part of its path is a file, not a folder"),
    (FileExistsError, "something of that name is there already"),
    (TimeoutError, "nobody answered in time"),
    (ConnectionError, "nobody answers at this address"),
    (UnicodeDecodeError, "it is not text in UTF-8"),
    (UnicodeEncodeError, "its name holds characters that no file can have"),
    (MemoryError, "it does not fit into memory"),
)
_NUMBERS: dict[int | None, str] = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.EROFS: "the disk can only be read",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its path is a link to itself",
    errno.EIO: "the disk does not give it",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.ENOTEMPTY: "the folder is not empty",
}


def why(error: Exception) -> str:
    """The reason as a clause without a full stop; what has no words here is told in those of the library.

    Examples
    --------
    >>> why(FileNotFoundError(2, "No such file or directory", "a.csv"))
    'there is no such file'
    >>> why(KeyError("digest"))
    'it has no field digest'
    """
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        return why(error.reason)
    known = next((words for kind, words in _KINDS if isinstance(error, kind)), "")
    return known or _NUMBERS.get(getattr(error, "errno", None), "") or _with_values(error)


def _with_values(error: Exception) -> str:
    match error:
        case HTTPError(code=code):
            return f"the server answered {code}"
        case URLError(reason=reason):
            return f"it cannot be reached, {reason}"
        case JSONDecodeError(lineno=line, colno=column):
            return f"it is no JSON document, line {line}, column {column}"
        case KeyError(args=(name, *_)):
            return f"it has no field {name}"
    words = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return f"it is no CSV table, {words}" if isinstance(error, csv.Error) else words


def sentence_of(error: OSError) -> str:
    """A whole sentence that names the file, where the error does.

    Examples
    --------
    >>> sentence_of(IsADirectoryError(21, "Is a directory", "var"))
    'var cannot be used: it is a folder, not a file.'
    """
    reason = why(error)
    if error.filename is None or isinstance(error, URLError):
        return f"{reason[0].upper()}{reason[1:]}."
    return f"{error.filename} cannot be used: {reason}."
