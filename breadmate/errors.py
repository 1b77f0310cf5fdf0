"""What is answered when nothing else is: a problem document to programs, a friendly page to people."""

import logging
import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from apps.core.problems import database_problem, is_database_away, problem, wants_problem

logger = logging.getLogger(__name__)


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    if wants_problem(request):
        return problem(status=status)
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refused to read."""
    if isinstance(exception, RequestDataTooBig) and wants_problem(request):
        return problem(status=413)
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what is not allowed."""
    return _answer(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a write without its CSRF token: an old page, or a form of somebody else's site."""
    if wants_problem(request):
        return problem(status=403, detail="Recarregue a página e tente de novo.")
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what is not there."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault; what it was stays in the log."""
    fault = sys.exc_info()[1]
    if isinstance(fault, Exception) and is_database_away(fault):
        refused = database_problem(fault)
        if wants_problem(request):
            return refused
        response = _answer(request, 503)
        response["Retry-After"] = refused["Retry-After"]
        response["Cache-Control"] = "no-store"
        return response
    logger.error("a request failed", exc_info=fault)
    return _answer(request, 500)
