"""What no view can foresee."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from urllib.parse import unquote_plus

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.core.exceptions import BadRequest
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers

from annotate import trail
from annotate.accounts import has_second_factor
from annotate.config.logs import request_id
from annotate.config.metrics import REQUESTS, SECONDS

_ACCESS = logging.getLogger("offbeat.access")
_SANE_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Watched:
    """Every request has an id, its own or the proxy's, and is counted, timed and, from LOG_LEVEL=INFO on, logged."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        named = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
        # It stays until the next request of this thread: Django logs 4xx and 5xx after all middleware.
        request_id.set(named)
        response = self.get_response(request)
        _count(request, response, time.perf_counter() - begun)
        response.headers["X-Request-ID"] = named
        return response


def _count(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    # By the name of the view: addresses are without number, and some are secret.
    view = request.resolver_match.view_name if request.resolver_match else "none"
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.labels(view, method, response.status_code).inc()
    SECONDS.labels(view).observe(seconds)
    if _ACCESS.isEnabledFor(logging.INFO):
        record = {"method": method, "path": request.path, "view": view, "status": response.status_code}
        _ACCESS.info("request", extra=record | {"ms": round(seconds * 1000, 1)})


class Storable:
    """No address and no query holds a NUL: PostgreSQL can't even be asked for one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            raise Http404("Nothing has an address with a NUL character.")
        if "\0" in unquote_plus(request.META.get("QUERY_STRING", "")):
            raise BadRequest("The query holds a NUL character.")
        return self.get_response(request)


class Unkept:
    """Pages of an account show keys and codes: no browser and no proxy keeps one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith(("/account/", "/login/")):
            add_never_cache_headers(response)
        return response


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


class Framed:
    """Pages of annotators may be shown in a frame by those whom FRAME_ANCESTORS names; no other page, by nobody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if settings.FRAME_ANCESTORS and match and match.route.startswith(("join/", "rate/")):
            ancestors = {"frame-ancestors": ["'self'", *settings.FRAME_ANCESTORS]}
            response._csp_replace = ancestors  # type: ignore[attr-defined]
            # The older header knows no list of sites; browsers that know the policy don't read it.
            response.xframe_options_exempt = True
        return response


class Acting:
    """What a request does stands in the trail under the name of who sent it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with trail.acting(request):
            return self.get_response(request)


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
        if not user.is_authenticated or has_second_factor(user):
            return None
        records = get_authentication_records(request, user)
        if any(record["method"] == "socialaccount" for record in records):
            return None
        return redirect("mfa_activate_totp")
