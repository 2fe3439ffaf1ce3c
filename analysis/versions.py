"""Versions of what computed a result; stored with it."""

import platform
from importlib.metadata import version

LIBRARIES = ("numpy", "scipy", "pandas", "statsmodels", "scikit-learn")


def versions() -> dict[str, str]:
    """Python and the libraries that the numbers rest on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
