"""What is answered when nothing else is: a problem document to programs, a friendly page to people."""

import sys

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from apps.core.problems import database_problem, problem, wants_problem


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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what is not there."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault; what it was stays in the log."""
    fault = sys.exc_info()[1]
    if isinstance(fault, (OperationalError, InterfaceError)) and wants_problem(request):
        return database_problem(fault)
    return _answer(request, 500)
