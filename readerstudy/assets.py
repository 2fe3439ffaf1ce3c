"""How static files are named and packed in production, and which are left out."""

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

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        ours = [name for name, (storage, _) in paths.items() if name.endswith(".js") and is_ours(storage.location)]
        if not dry_run:
            for name in ours:
                pack(Path(self.path(name)))
        # What is named by digest is made from the packed module, not from its source.
        yield from super().post_process(paths | {name: (self, name) for name in ours}, dry_run, **options)


def is_ours(location: str) -> bool:
    return Path(location).is_relative_to(settings.BASE_DIR / "readerstudy")


def pack(module: Path) -> None:
    """Without comments and with short names inside; packing what is packed changes nothing."""
    # A runtime of its own that only the collecting of files needs.
    import minify

    module.write_text(minify.string("application/javascript", module.read_text()))
