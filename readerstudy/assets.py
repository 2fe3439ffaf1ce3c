"""How static files are named in production, and which are left out."""

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
    """Names carry the content's digest, also inside `import` statements of ES modules."""

    support_js_module_import_aggregation = True
