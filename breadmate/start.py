"""What must be right before a server process serves: commands check it by themselves, gunicorn does not."""

from django.core import checks
from django.core.exceptions import ImproperlyConfigured


def refuse_if_misconfigured() -> None:
    """Check what ``manage.py`` would check of keys and security.

    Raises:
        ImproperlyConfigured: names everything that is wrong; the server ends instead of serving without it.
    """
    found = [problem for problem in checks.run_checks(tags=[checks.Tags.security]) if problem.is_serious()]
    if found:
        raise ImproperlyConfigured("BreadMate does not start: " + "; ".join(_said(problem) for problem in found))


def _said(problem: checks.CheckMessage) -> str:
    return f"{problem.msg} {problem.hint or ''} ({problem.id})".replace("  ", " ")
