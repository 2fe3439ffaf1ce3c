"""The modules as production serves them: packed, named by digest, and still working."""

import re
from pathlib import Path

import numpy as np
from django.contrib.staticfiles import finders
from django.core.files.storage import FileSystemStorage
from playwright.sync_api import Page, expect

from readerstudy.assets import Assets, packed
from tests.readerstudy.reading.browser.page_server import QUESTIONS, Desk, picture, read
from tests.readerstudy.reading.browser.test_answers_in_browser import MARKS

MOST_BYTES = 40 * 1024


def loaded_from(module: Path) -> set[Path]:
    """A module and all that it imports, at once or later."""
    found, waiting = set(), [module]
    while waiting:
        path = waiting.pop().resolve()
        if path not in found:
            found.add(path)
            names = re.findall(r"""(?:from|import\(?)\s*["'](\.{1,2}/[^"']+\.js)["']""", path.read_text())
            waiting += [path.parent / name for name in names]
    return found


def test_the_reading_page_loads_at_most_40_kilobytes_of_script(collected: Path) -> None:
    entries = [next((collected / "reading").glob(f"{name}.??????.js")) for name in ("reading", "decode")]
    modules = set().union(*map(loaded_from, entries))
    assert len(modules) >= 20
    # The words of another language are data, and loaded where it is spoken alone.
    script = [module for module in modules if not module.name.startswith("zh.")]
    assert sum(module.with_name(f"{module.name}.gz").stat().st_size for module in script) <= MOST_BYTES


def test_packing_takes_only_what_nobody_needs(collected: Path) -> None:
    made = (collected / "reading" / "viewport.js").read_text()
    source = Path(str(finders.find("reading/viewport.js"))).read_text()
    assert len(made) < 0.7 * len(source)
    assert "DICOM SCOORD" not in made
    names = re.compile(r"^export (?:class|function|const|async function) (\w+)", re.MULTILINE)
    assert all(re.search(rf"export\{{[^}}]*\w+ as {name}\b", made) for name in names.findall(source))


def test_a_second_collection_finds_the_modules_packed_and_leaves_them_so(tmp_path: Path) -> None:
    """`make serve` collects each time, and copies only what is newer than what was collected before."""
    sources = Path(str(finders.find("reading/reading.js"))).parents[1]
    modules = {f"reading/{path.name}": path for path in (sources / "reading").glob("*.js")}
    (tmp_path / "reading").mkdir()
    for name, path in modules.items():
        (tmp_path / name).write_bytes(path.read_bytes())

    def collect() -> dict[str, bytes]:
        told = Assets(location=tmp_path).post_process({name: (FileSystemStorage(sources), name) for name in modules})
        assert [done for _name, _hashed, done in told if isinstance(done, Exception)] == []
        return {path.name: path.read_bytes() for path in tmp_path.rglob("*.js")}

    assert collect() == collect()


IN_ORDER = """
export function told(other) {
  const said = [];
  const say = (word) => said.push(word) && { word, list: [word] };
  const one = say("one");
  const { word } = say("two");
  const two = one ?? say(word);
  const { list } = (two && other) ?? { list: [word, two] };
  say("three");
  const three = say("four");
  const [first] = [three, say("five")];
  for (const { word } of [first]) say(word);
  return [said, list, first];
}
"""


def test_packing_leaves_declarations_in_their_order(page: Page) -> None:
    run = "(source) => import('data:text/javascript,' + encodeURIComponent(source)).then(({ told }) => told())"
    page.goto("about:blank")
    assert page.evaluate(run, packed(IN_ORDER)) == page.evaluate(run, IN_ORDER)


def test_a_case_is_read_with_the_packed_modules(page: Page, desk: Desk) -> None:
    case = desk.add_case("a", [[picture(n) for n in range(9)]], questions=[*QUESTIONS, MARKS])
    for n, frame in enumerate(case["series"][0]["frames"]):
        frame |= {"position": [0, 0, n], "orientation": [1, 0, 0, 0, 1, 0]}
    read(page, desk, "a")
    page.keyboard.press("Shift+P")
    expect(page.locator(".pane .caption")).to_have_count(3)
    page.keyboard.press("y")
    expect(page.locator("#questions :checked")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.locator("#questions .marks li")).to_have_count(1)
    drawn = page.locator("canvas").first.evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(c.width / 2, 0, 1, c.height).data)"
    )
    assert len(np.unique(drawn)) > 10
