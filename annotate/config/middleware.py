"""What no view can foresee."""

from collections.abc import Callable

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render


class BusyMiddleware:
    """A locked database (a large study being loaded) or a deadlock is told as such, and may be tried again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError):
            return None
        response = render(request, "503.html", status=503)
        response["Retry-After"] = "10"
        return response


# What one needs in order to get a second factor, or to leave.
_WITHOUT = {
    *("login", "account_login", "mfa_authenticate", "logout", "account_logout", "account_inactive"),
    *("account_change_password", "account_reauthenticate", "mfa_activate_totp"),
}


class SecondFactor:
    """With REQUIRE_SECOND_FACTOR, an account without one sees the page that sets one up, and no other.

    Whoever came by the identity provider has shown it what it asks for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: object) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.REQUIRE_SECOND_FACTOR or match is None or match.url_name in _WITHOUT:
            return None
        user = request.user
        if not user.is_authenticated or is_mfa_enabled(user, [Authenticator.Type.TOTP]):
            return None
        records = get_authentication_records(request, user)
        if any(record["method"] == "socialaccount" for record in records):
            return None
        return redirect("mfa_activate_totp")
