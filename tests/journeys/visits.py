"""People who sit at browsers: they log in by the form, and every page they see must be free of faults."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from django.test import override_settings
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from readerstudy.embedded.places import REPOSITORY
from tests.equipment import browser as installed_browser
from tests.world import PASSWORD, People

SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
ARGON2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
TASK = 120_000
# Slow only where something is wrong, or where the machine does much else.
expect.set_options(timeout=20_000)
OUTSIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDEST = """() => Array.from(document.querySelectorAll("main *"))
    .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth)
    .map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 30)}`).slice(0, 3)"""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Only while no row is read or written: its event loop gives Django another connection."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=installed_browser(), args=["--no-sandbox"])
        yield opened
        opened.close()


def real_passwords() -> override_settings:
    """Passwords that the servers can check, unlike the quick ones of other tests."""
    return override_settings(PASSWORD_HASHERS=[ARGON2])


def real_people(*names: str) -> People:
    people = People()
    with real_passwords():
        for name in names:
            getattr(people, name)
    return people


def manage(environment: dict[str, str], *words: str) -> str:
    """`manage.py` as an administrator calls it."""
    order = [sys.executable, "-W", "ignore", "manage.py", *words]
    done = subprocess.run(
        order, cwd=REPOSITORY, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def new_page(browser: Browser, width: int = 1280, height: int = 900, language: str = "en") -> Iterator[Page]:
    """A fresh window; no script may fail there, no policy be violated, no server break down."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale=language)
    context.set_default_timeout(60_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if against_the_policy(said) else None)
    page.on("response", lambda got: faults.append(f"{got.status} {got.url}") if got.status >= 500 else None)
    yield page
    context.close()
    assert not faults, faults


@contextmanager
def visit(browser: Browser, address: str, username: str, language: str = "en") -> Iterator[Page]:
    """A window in which this person has logged in by the form."""
    with new_page(browser, language=language) as page:
        log_in(page, address, username)
        yield page


def against_the_policy(said: ConsoleMessage) -> bool:
    # plotly.min.js brings a style of maps, which no page draws; the policy refuses it, as it should.
    ours = not said.location["url"].endswith("plotly.min.js")
    return ours and "Content Security Policy" in said.text


def log_in(page: Page, address: str, username: str) -> None:
    page.goto(f"{address}/")
    page.locator("[name=login]").fill(username)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.locator("header form[action$='logout/'] button").wait_for()


def look(page: Page, name: str) -> None:
    """A picture of the page, where one is asked for."""
    if SCREENSHOTS:
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}.png", full_page=True)


def faults_of(page: Page) -> list[str]:
    """What axe objects to; what passes is not listed, which takes half of the time."""
    # Half a megabyte of script, once in a document.
    axe = Axe("null") if page.evaluate("() => 'axe' in window") else Axe()
    found = axe.run(page, options={"resultTypes": ["violations"]})
    return [
        f"{page.url} {rule['id']}: {rule['help']} – {[node['html'][:200] for node in rule['nodes'][:3]]}"
        for rule in found.response["violations"]
    ]


def check_page(page: Page, name: str) -> None:
    """Nothing that axe objects to, and nothing outside the window to the right."""
    look(page, name)
    assert not faults_of(page), "\n".join(faults_of(page))
    assert page.evaluate(OUTSIDE) == 0, f"{name} is wider than the window: {page.evaluate(WIDEST)}"


def study_address(page: Page) -> str:
    """The address of the study whose page is open: https://host/studies/<token>"""
    return "/".join(page.url.split("/")[:5])


def choose(page: Page, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).select_option(value)


def lock_and_analyse(page: Page, home: str) -> None:
    """The coordinator signs the lock with the password and runs the frozen plan; a worker carries it out."""
    page.goto(f"{home}/data/")
    page.get_by_label("Your password").fill(PASSWORD)
    page.locator("input[name=agrees]").check()
    page.get_by_role("button", name="Sign and lock").click()
    page.get_by_role("heading", name="Locked data set").wait_for(timeout=TASK)
    page.goto(f"{home}/results/")
    page.get_by_role("button", name="Run the analysis").click()
    page.get_by_role("link", name="Show the results").or_(
        page.get_by_role("heading", name="Primary endpoint")
    ).first.wait_for(timeout=TASK)
    page.goto(f"{home}/results/")
    page.get_by_role("heading", name="Primary endpoint").wait_for()


def saved(page: Page, link: str, folder: Path) -> Path:
    """A file that this person downloads by clicking its link."""
    with page.expect_download(timeout=TASK) as download:
        page.get_by_role("link", name=link).first.click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    return target
