"""Accounts: the log-in form, who can get one, and how second-factor secrets are stored."""

import base64
import hashlib
import unicodedata
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from annotate.models import ApiToken

KNOWN_BROWSER = "known-browser"
_HALF_A_YEAR = 183 * 24 * 60 * 60


class LoginForm(AllauthLoginForm):  # type: ignore[misc]
    """Uses the field names of Django's own form, which browsers and scripts remember."""

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else field_name


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "Wrong user name or password.",
        "too_many_login_attempts": "Too many failed attempts. Wait a quarter of an hour, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are not created here, but by `createsuperuser` or the identity provider."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a try; `authenticate` takes it back if the password is right.

        By name and address, so that nobody locks somebody else out, and by name alone more slowly. A browser that
        has logged in under this name before counts for itself.
        """
        name = folded(credentials.get("username") or "")
        browser = _known_browser(request, name)
        usage = _count(request, "login_failed", name, browser or self.get_client_ip(request))
        if usage and not browser:
            from_anywhere = _count(request, "login_failed_by_name", name)
            if from_anywhere:
                usage.usage += from_anywhere.usage
            else:
                usage = None
        self._login_failed_rl_usage = usage
        if not usage:
            raise self.validation_error("too_many_login_attempts")

    def post_login(self, request: HttpRequest, user: Any, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        name = folded(user.get_username())
        response.set_cookie(
            KNOWN_BROWSER,
            signing.dumps(
                {"name": _hashed(name), "browser": _known_browser(request, name) or get_random_string(22)},
                salt=KNOWN_BROWSER,
            ),
            max_age=_HALF_A_YEAR,
            path=settings.SESSION_COOKIE_PATH,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response


def folded(name: str) -> str:
    """One spelling for all that a reader takes for the same name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def _count(request: HttpRequest, action: str, *key: str) -> ratelimit.RateLimitUsage | None:
    return ratelimit.consume(request, app="allauth.account", action=action, key="\n".join(key))


def _hashed(name: str) -> str:
    return salted_hmac(KNOWN_BROWSER, name, algorithm="sha256").hexdigest()


def _known_browser(request: HttpRequest, name: str) -> str:
    """What names this browser, if somebody has logged in with it under this name; else nothing."""
    try:
        known = signing.loads(
            request.COOKIES.get(KNOWN_BROWSER, ""), salt=KNOWN_BROWSER, max_age=_HALF_A_YEAR
        )
    except signing.BadSignature:
        return ""
    return known["browser"] if known["name"] == _hashed(name) else ""


class TokensEndWithThePassword:
    """Refuses no password. Whoever changes theirs may fear that somebody knows it, and has made a token with it."""

    def validate(self, password: str, user: Any = None) -> None:
        return

    def password_changed(self, password: str, user: Any = None) -> None:
        if user is not None and user.pk:
            ApiToken.objects.filter(user=user).valid().update(revoked_at=timezone.now())

    def get_help_text(self) -> str:
        return "API tokens end with the password that they were made under."


def has_second_factor(user: Any) -> bool:
    return bool(is_mfa_enabled(user, [Authenticator.Type.TOTP]))


class OtherAccounts(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Everyone the identity provider lets in gets an account, which belongs to no study until an owner adds it."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Authenticator keys and recovery codes are encrypted in the database; the encryption key is not stored there."""

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(f"second factors:{settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def elsewhere(request: HttpRequest) -> HttpResponse:
    """A password for an identity provider's account would outlive that account."""
    raise PermissionDenied
