"""Accounts: the log-in form, who can get one, and how second-factor secrets are stored."""

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
