"""Serving photos."""

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe


@require_safe
def photo(request: HttpRequest, file: str) -> FileResponse:
    """Answer one file of a photo; the address admits nothing but names that ``photos`` gives."""
    try:
        content = (settings.MEDIA_ROOT / file).open("rb")
    except OSError:
        raise Http404 from None
    response = FileResponse(content, content_type="image/webp")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
