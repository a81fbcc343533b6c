"""Accounts: the log-in form, who may get one, and how the secrets of second factors are kept."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse


class LoginForm(AllauthLoginForm):  # type: ignore[misc]
    """With the field names that Django's own form has, which browsers and scripts remember."""

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else field_name


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "Wrong user name or password.",
        "too_many_login_attempts": "Too many failed attempts. Wait a quarter of an hour, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account here; `createsuperuser` does, or the identity provider."""
        return False


class OtherAccounts(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Whoever the identity provider lets in gets an account; it is a member of no study until an owner says so."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Keys of authenticator apps and recovery codes lie in the database encrypted, by a key that does not."""

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(f"second factors:{settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def elsewhere(request: HttpRequest) -> HttpResponse:
    """A password for an account of the identity provider would outlive it there."""
    raise PermissionDenied
