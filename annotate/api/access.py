"""Authentication and rate limits: by token, or by browser session. The role in a study decides the rest."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework import exceptions, permissions, throttling
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.request import Request

from annotate.accounts import has_second_factor
from annotate.models import ApiToken

if TYPE_CHECKING:
    # It loads the classes of this module by their names in the settings.
    from rest_framework.views import APIView


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ofb_…`."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword.lower().encode():
            return None
        if len(words) != 2:
            raise exceptions.AuthenticationFailed("Expected: Authorization: Bearer TOKEN.")
        secret = words[1].decode("ascii", "replace")
        token = ApiToken.objects.valid().named(secret).select_related("user").first()
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, expired or revoked.")
        if settings.REQUIRE_SECOND_FACTOR and not has_second_factor(token.user):
            raise exceptions.AuthenticationFailed("The token's account needs a second factor first.")
        token.note_use()
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return f'{self.keyword} realm="api"'


class LogInAuthentication(SessionAuthentication):
    """A browser session, with the CSRF token for unsafe requests. For the docs in a browser."""


class WithinScope(permissions.BasePermission):
    """Every request needs an account; a write by token needs a token that may write."""

    message = "This token may only read."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            raise exceptions.NotAuthenticated
        token: Any = request.auth
        return request.method in permissions.SAFE_METHODS or token is None or bool(token.may_write)


class Accounts(throttling.UserRateThrottle):
    scope = "account"

    def get_cache_key(self, request: Request, view: "APIView") -> Any:
        return super().get_cache_key(request, view) if request.user.is_authenticated else None
