"""The reading page as a browser gets it: the real template, modules and frame format before a scripted server."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright

from readerstudy.cases.frames import encode
from tests.planes import png_of

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'"
)
CHROMIUM = ["/usr/bin/chromium", "/usr/bin/google-chrome"]
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    # No viewer of ours may need WebGL.
    "--disable-3d-apis",
]
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
QUESTIONS = [
    {
        "key": "fracture",
        "kind": "decision",
        "text": "Is there a vertebral fracture?",
        "help": "",
        "required": True,
        "choices": [{"value": False, "label": "No fracture"}, {"value": True, "label": "Fracture"}],
    },
    {
        "key": "confidence",
        "kind": "confidence",
        "text": "How likely is a fracture?",
        "help": "0 certainly absent, 100 certainly present.",
        "required": True,
        "minimum": 0,
        "maximum": 100,
        "agrees_with": "fracture",
        "threshold": 50,
    },
]


AIDED = {
    "algorithm": "spine-net 1.2.0",
    "probability": 0.834,
    "operating_point": 0.41,
    "positive": True,
    "abstain": None,
    "uncertain": False,
    "heatmaps": None,
    "masks": None,
    "boxes": None,
    "levels": None,
}
CORNERS = [[8, 8], [24, 8], [24, 20], [8, 20]]
BELOW = [[8, 28], [24, 28], [24, 40], [8, 40]]
FRACTURED = {"frame": "/reading/a/frame/0-0", "label": "L1", "points": CORNERS, "probability": 0.87, "positive": True}
SOUND = {"frame": "/reading/a/frame/0-0", "label": "L2", "points": BELOW, "probability": 0.04, "positive": False}
BOX = {"frame": "/reading/a/frame/0-0", "label": "Cleft", "points": CORNERS, "probability": None, "positive": None}


def frame(url: str, pixels: NDArray[Any], **facts: Any) -> dict[str, Any]:
    rows, columns = pixels.shape[:2]
    return {
        "url": url,
        "preview": None,
        "rows": rows,
        "columns": columns,
        "bits": 12,
        "inverted": False,
        "slope": 1,
        "intercept": 0,
        "window": {"center": 2048, "width": 4096},
        "spacing": [0.5, 0.5],
        "calibrated": True,
    } | facts


@dataclass
class Desk:
    """What the server holds, what it is told to answer next, and what it was asked."""

    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    replies: list[tuple[int, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    # How often a path is still answered by "busy", and how many seconds it takes.
    busy: dict[str, int] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    address: str = ""
    # The network between the page and the server is cut: nothing arrives, no answer comes.
    cut: bool = False
    # Collected static files, where not those of the sources.
    static: Path | None = None

    def add_case(self, slot: str, stacks: list[list[NDArray[Any]]], **facts: Any) -> dict[str, Any]:
        series = []
        for n, stack in enumerate(stacks):
            frames = []
            for m, pixels in enumerate(stack):
                url = f"/reading/{slot}/frame/{n}-{m}"
                self.add_frame(url, pixels)
                frames.append(frame(url, pixels, **facts.get("frame", {})))
            presets = [
                {"label": "Bone", "center": 2500, "width": 1500},
                {"label": "Soft tissue", "center": 1000, "width": 800},
            ]
            series.append({"label": f"Series {n + 1}", "plane": "", "frames": frames, "presets": presets, "unit": ""})
        case = {
            "slot": slot,
            "progress": {"done": 22, "total": 300},
            "period": 1,
            "arm_label": "Without AI",
            "series": series,
            "questions": facts.get("questions", QUESTIONS),
            "draft": None,
            "activity": facts.get("activity"),
            "assistance": facts.get("assistance"),
            "next_prefetch": None,
            "hanging": None,
            "unreadable": facts.get("unreadable", []),
            "stage": facts.get("stage", "final"),
            "training": False,
            "withheld": False,
            "on_request": facts.get("on_request", False),
            "revised": False,
            "previous": None,
        }
        self.cases[slot] = case
        return case

    def add_frame(self, url: str, pixels: NDArray[Any]) -> None:
        self.bodies[url] = ("application/octet-stream", encode(pixels))

    def add_plane(self, slot: str, kind: str, grey: NDArray[np.uint8], frame: str = "0-0") -> dict[str, str]:
        """A heat map or mask of one frame, as the case names it."""
        url = f"/reading/{slot}/{kind}/{frame}"
        self.bodies[url] = ("image/png", png_of(grey))
        return {"frame": f"/reading/{slot}/frame/{frame}", "url": url}

    def posted(self, tail: str) -> list[Any]:
        return [body for method, path, body in self.asked if method == "POST" and path.endswith(tail)]

    def got(self, path: str) -> int:
        return sum(1 for method, asked, _ in self.asked if method == "GET" and asked == path)

    def page(self, slot: str) -> bytes:
        context = {
            "slot": slot,
            "csrf_token": "token",
            "case_url": f"/reading/{slot}/case.json",
            "home_url": "/reading/",
            "finished_url": "/reading/finished/",
            "study": {"title": "Vertebral fractures on lateral radiographs", "synthetic": True},
        }
        return render_to_string("reading/read.html", context).encode()

    def answer_get(self, path: str) -> tuple[int, str, bytes]:
        if path.startswith("/static/"):
            name = path.removeprefix("/static/")
            found = self.static / name if self.static else Path(str(finders.find(name)))
            return 200, TYPES.get(found.suffix, "application/octet-stream"), found.read_bytes()
        time.sleep(self.slow.get(path, 0))
        if self.busy.get(path):
            self.busy[path] -= 1
            return 503, "text/plain", b"busy"
        if path in self.bodies:
            kind, body = self.bodies[path]
            return 200, kind, body
        if path.endswith("/case.json"):
            return 200, "application/json", json.dumps(self.cases[path.split("/")[2]]).encode()
        slot = path.strip("/").split("/")[-1]
        if slot in self.cases:
            return 200, "text/html; charset=utf-8", self.page(slot)
        return 200, "text/html; charset=utf-8", b"<!doctype html><html lang=en><title>Other</title><h1>Other page</h1>"

    def answer_post(self, path: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        if path.endswith("/draft"):
            return 204, {}, {}
        return self.replies.pop(0)


def handler_for(desk: Desk) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave together: apart, the second waits 40 ms for the acknowledgement of the first.
        wbufsize = -1

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what was asked is in the desk."""

        def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in (
                headers | {"Content-Security-Policy": POLICY, "Content-Length": str(len(body))}
            ).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            desk.asked.append(("GET", self.path, None))
            status, kind, body = desk.answer_get(self.path)
            self.reply(status, {"Content-Type": kind}, body)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if desk.cut:
                self.close_connection = True
                return
            desk.asked.append(("POST", self.path, json.loads(content)))
            status, headers, body = desk.answer_post(self.path)
            payload = b"" if status == 204 else json.dumps(body).encode()
            self.reply(status, {"Content-Type": "application/json"} | headers, payload)

    return Handler


@contextmanager
def open_desk() -> Iterator[Desk]:
    desk = Desk()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(desk))
    desk.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def open_browser() -> Iterator[Browser]:
    installed = next((path for path in CHROMIUM if Path(path).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=QUIET)
        yield browser
        browser.close()


def picture(seed: int = 0, rows: int = 60, columns: int = 40) -> NDArray[np.uint16]:
    return np.random.default_rng(seed).integers(0, 4096, (rows, columns), dtype=np.uint16)


def read(page: Page, desk: Desk, slot: str) -> None:
    page.goto(f"{desk.address}/reading/{slot}/")
    page.wait_for_selector(f"#reading[data-painted={slot}]")


def drawn(page: Page) -> None:
    """Once whatever waited to be drawn is on the screen: a drawing that is due comes with the next frame of it."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def soon(see: Callable[[], object], expected: object) -> None:
    """What is seen, as soon as it is as expected, 10 s at most."""
    until = time.monotonic() + 10
    while (seen := see()) != expected and time.monotonic() < until:
        time.sleep(0.02)
    assert seen == expected


def switched(exposures: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What was switched on and off, without what lay on the screen over which image."""
    return [(one["kind"], one["event"]) for one in exposures if "image" not in one]


def in_module(page: Page, module: str, script: str, argument: Any = None) -> Any:
    """The value of a function that is given a module of the page and one argument."""
    return page.evaluate(
        f"(argument) => import('/static/reading/{module}.js').then((m) => ({script})(m, argument))", argument
    )
