"""The Firefox of the system, headless, with the hand of Playwright that the other journeys have."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import bidi
from tests.equipment import firefox

START = 180_000


@contextmanager
def open_firefox() -> Iterator[Browser]:
    """The counterpart of `open_browser`; `tests.bidi` says what cannot be done there."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        opened = playwright.firefox.launch(
            channel="moz-firefox", executable_path=hand(Path(folder)), env=environment(), timeout=START
        )
        yield opened
        opened.close()


def hand(folder: Path) -> Path:
    """A program that Playwright can start as if it were Firefox."""
    program = folder / "firefox"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{bidi.__file__}" "$@"\n')
    program.chmod(0o700)
    return program


def environment() -> dict[str, str | float | bool]:
    installed = firefox()
    if installed is None:
        pytest.fail("No Firefox was found; `make test` as root installs Debian's firefox-esr.")
    return {**os.environ, bidi.FIREFOX: str(installed)}
