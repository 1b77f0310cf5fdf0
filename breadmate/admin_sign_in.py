"""The door of the back office, where passwords are guessed: few tries, and a new password of one's own."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from unfold.forms import AuthenticationForm

from apps.core.facade import LimitedError, limits
from apps.stores import sign_in, sign_in_trail, tokens

LOCKED = "locked"
FOUND = 302
A_MINUTE_SECONDS = 60


class SignInForm(AuthenticationForm):
    """E-mail and password; the same words for whoever is unknown, wrong or closed."""

    retry_after_seconds = 0

    def clean(self) -> dict[str, Any]:
        """Look at the password if there are tries left."""
        email = self.cleaned_data.get("username")
        if not email or not self.cleaned_data.get("password"):
            return dict(super().clean())
        who = {"email": email, "address": limits.client_address(self.request), "at": timezone.now()}
        try:
            sign_in.count_try(**who)
        except LimitedError as refusal:
            self.retry_after_seconds = refusal.retry_after_seconds or A_MINUTE_SECONDS
            minutes = -(-self.retry_after_seconds // A_MINUTE_SECONDS)
            raise ValidationError(f"Muitas tentativas. Tente de novo em {minutes} min.", code=LOCKED) from None
        told: dict[str, Any] = super().clean()
        sign_in.forget_try(**who)
        return told


@never_cache
def enter(request: HttpRequest) -> HttpResponse:
    """Show the door, or let somebody in; 429 while there are no tries left."""
    response = admin.site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    if form is not None and form.is_bound and form.has_error("__all__", LOCKED):
        response.status_code = 429
        response["Retry-After"] = str(form.retry_after_seconds)
    return response


def change_password(request: HttpRequest) -> HttpResponse:
    """Let somebody who knows their password have another; the trail hears of it, and other sign-ins of theirs end."""
    with transaction.atomic():
        response = admin.site.password_change(request)
        user = request.user
        if request.method == "POST" and response.status_code == FOUND and user.is_authenticated:
            sign_in_trail.password_changed(user=user, at=timezone.now())
            tokens.end_all(user.pk)
    return response
