"""How static files are named and served."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed, compressed files whose JavaScript ``import`` lines name the hashed files too."""

    support_js_module_import_aggregation = True
