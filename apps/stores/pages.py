"""Which version of the pages this process serves."""

from django.contrib.staticfiles.storage import staticfiles_storage


def page_version() -> str:
    """Return what changes whenever a script or style does; empty where files are served as they lie."""
    return str(getattr(staticfiles_storage, "manifest_hash", ""))
