"""Playwright's hand on the Firefox of the system: `python tests/bidi.py …` takes the arguments of Firefox in its place.

The two speak WebDriver BiDi, all of which goes through here; some of it is changed on the way. Orders newer than
Firefox ESR 140 are answered in its stead, as no test needs what they set. Scripts that Playwright would run by `eval`
in the page's own world, which the policy of our pages forbids, are compiled by the browser instead. What helps `fill`
is left out: it would be taken for a page that breaks its policy. So `fill`, `wait_for_function` and pictures of the
screen are out of reach.
"""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

# The variable that names the program.
FIREFOX = "FIREFOX"
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
NEWER: dict[str, dict[str, Any]] = {
    "network.addDataCollector": {"collector": "none"},
    "browser.setDownloadBehavior": {},
}
# Language, colours and turning of the screen, which stay what Firefox has at first: English and light.
EMULATION = "emulation."
BY_EVAL = "(utilityScript, ...args) => utilityScript.evaluate(...args)"
COMPILED = """(utilityScript, ...args) => {{
    const global = {{ __proto__: utilityScript.global, eval: () => ({script}) }};
    return {{ __proto__: utilityScript, global }}.evaluate(...args);
}}"""
# Where Playwright puts the script among the arguments of the order.
SCRIPT = 3
BY_EVAL_WITHIN = "injectedScript.extend("
NOTHING = {"type": "success", "realm": "", "result": {"type": "undefined"}}


async def main() -> int:
    firefox = await asyncio.create_subprocess_exec(os.environ[FIREFOX], *sys.argv[1:], stderr=PIPE)
    assert firefox.stderr is not None
    address = await listening(firefox, firefox.stderr)

    async def through(playwright: ServerConnection) -> None:
        assert playwright.request is not None
        async with connect(address + playwright.request.path, max_size=None, compression=None) as browser:
            await asyncio.gather(orders(playwright, browser), reports(browser, playwright))

    async with serve(through, "127.0.0.1", 0, max_size=None, compression=None) as server:
        _, port = next(iter(server.sockets)).getsockname()
        print(f"WebDriver BiDi listening on ws://127.0.0.1:{port}", file=sys.stderr, flush=True)
        while line := await firefox.stderr.readline():
            print(line.decode(errors="replace"), end="", file=sys.stderr, flush=True)
        return await firefox.wait()


async def listening(firefox: Process, said: asyncio.StreamReader) -> str:
    """Where it listens, once it says so."""
    while line := (await said.readline()).decode(errors="replace"):
        if found := LISTENING.search(line):
            return found[1]
        print(line, end="", file=sys.stderr, flush=True)
    raise SystemExit(await firefox.wait())


async def orders(playwright: ServerConnection, browser: ClientConnection) -> None:
    async for message in playwright:
        order = json.loads(message)
        own = instead(order)
        if own is None:
            await browser.send(json.dumps(order))
        else:
            await playwright.send(json.dumps({"type": "success", "id": order["id"], "result": own}))
    await browser.close()


async def reports(browser: ClientConnection, playwright: ServerConnection) -> None:
    async for message in browser:
        await playwright.send(message)
    await playwright.close()


def instead(order: dict[str, Any]) -> dict[str, Any] | None:
    """What answers an order that Firefox must not get; one that it gets in other words is changed in place."""
    asked = order["params"]
    if order["method"] in NEWER:
        return NEWER[order["method"]]
    if order["method"].startswith(EMULATION):
        return {}
    # In the world that Playwright has beside the page's own nothing is forbidden.
    if asked.get("functionDeclaration") != BY_EVAL or "sandbox" in asked["target"]:
        return None
    script = asked["arguments"][SCRIPT]["value"]
    if BY_EVAL_WITHIN in script:
        return NOTHING
    asked["functionDeclaration"] = COMPILED.format(script=script)
    return None


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
