"""Numbers and counts in words, in the manner of the statistics' own pages."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "−"


def digits_for(values: Sequence[float]) -> int:
    """So many decimals that the largest of the values shows three to four digits.

    >>> digits_for([0.8123, 0.02]), digits_for([12.3]), digits_for([1234.5]), digits_for([0.00042])
    (3, 1, 0, 6)
    >>> digits_for([1.0, 0.5])  # shares keep three
    3
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0 or 0.1 <= largest <= 1:
        return 3
    return max(0, min(8, 2 - math.floor(math.log10(largest)) if largest < 100 else 1 if largest < 1000 else 0))


def number(value: float | None, digits: int | None = None) -> str:
    """With as many decimals as its size asks for, unless said; a true minus sign; a dash where there is none.

    >>> number(-0.12345), number(123.456), number(0.0071, 3), number(None)
    ('−0.123', '123.5', '0.007', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    value = 0.0 if abs(value) < 1e-12 else value
    return f"{value:.{digits_for([value]) if digits is None else digits}f}".replace("-", MINUS)


def probability(value: float) -> str:
    """With two decimals; no model is so sure that it would be 0 or 1.

    >>> probability(0.8349), probability(0.999999), probability(0.0003)
    ('0.83', '> 0.99', '< 0.01')
    """
    return "> 0.99" if value >= 0.995 else "< 0.01" if value < 0.005 else number(value, 2)


def p_value(p: float | None) -> str:
    """As journals print it; a dash where there is none.

    >>> p_value(0.0123), p_value(0.00004), p_value(1.0)
    ('.012', '< .001', '1.00')
    """
    if p is None or not math.isfinite(p):
        return "–"
    if p < 0.001:
        return "< .001"
    return "1.00" if p >= 0.995 else f"{p:.3f}".replace("0.", ".", 1)


def listed(parts: Sequence[str]) -> str:
    """a, b and c.

    >>> listed(["a", "b", "c"]), listed(["a"]), listed([])
    ('a, b and c', 'a', '')
    """
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0] if parts else ""


def counted(count: int, word: str, many: str = "") -> str:
    """1 case, 2 cases.

    >>> counted(1, "case"), counted(2, "study", "studies")
    ('1 case', '2 studies')
    """
    return f"{count} {word if count == 1 else many or word + 's'}"
