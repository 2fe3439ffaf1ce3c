"""Where the specification folder beside the repository stands; its data is read from there, never copied."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared"


def shared(relative: str) -> Path:
    """A file or folder of ../shared (or of SHARED_DATA); the test is skipped where it is absent, but never in CI."""
    path = Path(os.environ.get("SHARED_DATA", BESIDE)) / relative
    if path.exists():
        return path
    if os.environ.get("CI", "").lower() in ("1", "true"):
        raise FileNotFoundError(f"CI needs {path}; SHARED_DATA names the folder.")
    pytest.skip(f"{path} is not there; SHARED_DATA names the folder.")
