"""The modules of the truthers' page, asked in a real browser."""

from typing import Any

from playwright.sync_api import Page


def said(page: Page, module: str, script: str, argument: Any = None) -> Any:
    return page.evaluate(
        f"(argument) => import('/static/reference/{module}.js').then((m) => ({script})(m, argument))", argument
    )
