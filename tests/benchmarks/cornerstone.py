"""The same radiographs in Cornerstone3D, where npm is there: opened from memory, and windowed, by the processor."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser

from readerstudy.cases import frames
from tests.benchmarks.reading_site import DIFFERENT_FILMS, film

PACKAGES = ("@cornerstonejs/core@4.22.13", "esbuild@0.28.2")
FRAME = "application/octet-stream"
HERE = Path(__file__).parent
DECODE = HERE.parents[1] / "readerstudy" / "reading" / "static" / "reading" / "decode.js"
PAGE = b"""<!doctype html><html lang="en"><title>Cornerstone</title>
<div id="view" style="width: 1576px; height: 960px"></div><script type="module" src="/bundle.js"></script>"""


def opened_and_windowed(browser: Browser, folder: Path, openings: int) -> tuple[list[float], list[float]] | None:
    """Milliseconds of each opening, and between two drawings; nothing where it cannot be built here."""
    bundle = built(folder)
    if bundle is None:
        return None
    files = {f"/film/{n}": frames.encode(film(n)) for n in range(DIFFERENT_FILMS)} | {"/": PAGE, "/bundle.js": bundle}
    with served(files) as address:
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(address)
        page.evaluate("(films) => window.start(films)", [f"/film/{n}" for n in range(DIFFERENT_FILMS)])
        times = [page.evaluate("(n) => window.open(n)", n % DIFFERENT_FILMS) for n in range(1, openings + 1)]
        intervals: list[float] = page.evaluate("window.levels(4000)")
        page.close()
    return times, intervals


def built(folder: Path) -> bytes | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    (folder / "package.json").write_text("{}")
    shutil.copy(DECODE, folder / "decode.js")
    shutil.copy(HERE / "cornerstone.js", folder / "entry.js")
    words = ["--bundle", "--format=esm", "--outfile=bundle.js", "--log-level=error"]
    try:
        install = [npm, "install", "--no-audit", "--no-fund", "--silent", *PACKAGES]
        subprocess.run(install, cwd=folder, check=True, timeout=600, capture_output=True)
        subprocess.run(["node_modules/.bin/esbuild", "entry.js", *words], cwd=folder, check=True, capture_output=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return (folder / "bundle.js").read_bytes()


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", {"/": "text/html", "/bundle.js": "text/javascript"}.get(self.path, FRAME))
            self.end_headers()
            self.wfile.write(body or b"")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
