"""How static files are named and packed in production, and which are left out."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        # Of the folder that comes with plotly only its script is served, of htmx no extensions.
        *("widgetbundle.js", "datasets", "ext"),
        "templates",
    ]


class Assets(CompressedManifestStaticFilesStorage):
    """Names carry the content's digest, also inside `import` statements of ES modules; our own modules go packed."""

    support_js_module_import_aggregation = True

    def file_hash(self, name: str, content: Any = None) -> str | None:
        # Digests stand in every import and do not compress; half of one tells the versions of a file apart.
        digest: str | None = super().file_hash(name, content)
        return digest and digest[:6]

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        ours = [name for name, (storage, _) in paths.items() if name.endswith(".js") and is_ours(storage.location)]
        if not dry_run:
            # From the sources: what was collected before is not copied again, and is packed already.
            for name in ours:
                storage, path = paths[name]
                Path(self.path(name)).write_text(packed(Path(storage.path(path)).read_text()))
        # What is named by digest is made from the packed module, not from its source.
        yield from super().post_process(paths | {name: (self, name) for name in ours}, dry_run, **options)


def is_ours(location: str) -> bool:
    return Path(location).is_relative_to(settings.BASE_DIR / "readerstudy")


IMPORT = re.compile(r'^import\s*\{[^}]*\}\s*from\s*"[^"]+";\s*', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let) (\w+))", re.MULTILINE)
TAKEN_APART = re.compile(r"^\s*(?=(?:const|let)\s*[{\[])", re.MULTILINE)
HELD = "__held();"


def packed(source: str) -> str:
    """A module without comments and with short names inside."""
    return min(short(source), with_short_names_at_its_top(source), key=as_sent)


def as_sent(source: str) -> int:
    return len(gzip.compress(source.encode()))


def short(source: str) -> str:
    # A runtime of its own that only the collecting of files needs.
    import minify

    # It would move a declaration that takes a value apart before those that it stands behind, though it uses their
    # names or does something after them. A call in between holds it, which then goes.
    made: str = minify.string("application/javascript", TAKEN_APART.sub(HELD, source))
    return made.replace(f",{HELD}", ";").replace(HELD, "")


def with_short_names_at_its_top(source: str) -> str:
    """The packer keeps names at the top of a file, though of a module nobody sees them; so they go into a function."""
    body = IMPORT.sub("", source)
    names = EXPORT.findall(body)
    if not names or re.search(r"^(?:import|export default)\b", body, re.MULTILINE):
        return short(source)
    made = short(f"(async()=>{{exported({','.join(names)});{EXPORT.sub('', body)}\n}})()")
    found = re.fullmatch(r"\(async\(\)=>\{exported\(([^)]*)\)[;,]?(.*)\}\)\(\);?", made, re.DOTALL)
    if found is None:
        return short(source)
    exported = ",".join(f"{inside} as {name}" for inside, name in zip(found[1].split(","), names, strict=True))
    imports = "".join(f"{short(one)};" for one in IMPORT.findall(source))
    return f"{imports}export{{{exported}}};{found[2]}"
