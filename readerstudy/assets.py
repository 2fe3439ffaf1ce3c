"""How static files are named in production."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Assets(CompressedManifestStaticFilesStorage):
    """Names carry the content's digest, also inside `import` statements of ES modules."""

    support_js_module_import_aggregation = True
