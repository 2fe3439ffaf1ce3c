"""The one place where numbers become text on pages."""

import math

from django import template
from django.utils.translation import gettext as _

import readerstudy

register = template.Library()
NOTHING = "–"
SMALLEST_P = 0.001
# What rounds to none or to all at one decimal of a percent.
LEAST_SHARE = 0.0005


@register.filter
def estimate(value: float | None, decimals: int = 3) -> str:
    """Three decimals; a true minus sign; never minus zero."""
    if value is None:
        return NOTHING
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


@register.filter
def signed(value: float | None, decimals: int = 3) -> str:
    """A difference: its sign always shown."""
    text = estimate(value, decimals)
    return text if value is None or text.startswith("−") or float(text) == 0 else f"+{text}"


@register.filter
def precise(value: float | str | None) -> str:
    """Twelve significant digits, for who compares with another program."""
    return NOTHING if value is None or isinstance(value, str) else f"{value:.12g}"


@register.filter
def interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return NOTHING
    return _("%(low)s to %(high)s") % {"low": estimate(low), "high": estimate(high)}


@register.filter
def percent(value: float | None) -> str:
    """One decimal, a half rounded up: the rule of the reader's browser too (`percent` of assistance.js)."""
    if value is None:
        return NOTHING
    tenths = 1000 * value
    whole = math.floor(tenths)
    return f"{estimate((whole + (tenths - whole >= 0.5)) / 10, 1)} %"


@register.filter
def probability(value: float | None) -> str:
    """Of something that is not known: never none of it and never all."""
    if value is not None and value < LEAST_SHARE:
        return "<0.1 %"
    if value is not None and value >= 1 - LEAST_SHARE:
        return ">99.9 %"
    return percent(value)


@register.filter
def pvalue(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "< 0.001" if value < SMALLEST_P else f"{value:.3f}"


@register.filter
def duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return NOTHING
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


@register.filter
def short(digest: str) -> str:
    """The first 12 of a digest's 64 characters: enough to compare by eye."""
    return digest[:12]


@register.filter
def share(done: int, total: int) -> int:
    """Whole percent, rounded down, so that 100 means all."""
    return 100 * done // total if total else 0


@register.simple_tag
def version() -> str:
    return readerstudy.__version__
