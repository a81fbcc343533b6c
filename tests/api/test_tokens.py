import datetime as dt
import hashlib
import re
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from annotate.models import ApiToken

pytestmark = pytest.mark.django_db

LIST = "/api/v1/studies/"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada")


def status(secret: str, method: str = "get", **kwargs: str) -> int:
    client = APIClient()
    return int(getattr(client, method)(LIST, HTTP_AUTHORIZATION=f"Bearer {secret}", **kwargs).status_code)


def test_a_token_opens_and_is_stored_as_its_hash_only(user: User) -> None:
    token, secret = ApiToken.make(user, "nightly", "read", 30)
    assert status(secret) == 200
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    stored = ApiToken.objects.values().get()
    assert secret not in map(str, stored.values())
    assert secret.startswith(token.prefix)
    assert len(secret) > len(token.prefix) + 32


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer ofb_unknown", "Bearer ofb_\xff\x00"])
def test_what_is_no_token_is_401_and_says_how_to_ask(header: str) -> None:
    answer = APIClient().get(LIST, HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"


def test_expired_revoked_and_shut_out_tokens_open_nothing(user: User) -> None:
    token, secret = ApiToken.make(user, "nightly", "read", 30)
    ApiToken.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert status(secret) == 401
    ApiToken.objects.update(expires_at=timezone.now() + dt.timedelta(days=1))
    assert status(secret) == 200
    User.objects.update(is_active=False)
    assert status(secret) == 401
    User.objects.update(is_active=True)
    token.revoke()
    assert status(secret) == 401


def test_a_token_that_may_read_changes_nothing(user: User) -> None:
    User.objects.update(is_staff=True)
    _, secret = ApiToken.make(user, "reader", "read", 30)
    client = APIClient()
    answer = client.post(LIST, {"slug": "x"}, HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "This token may only read."


def test_last_use_is_noted_every_ten_minutes(user: User) -> None:
    _, secret = ApiToken.make(user, "nightly", "read", 30)
    start = timezone.now()
    for minutes, noted in [(0, 0), (5, 0), (11, 11), (12, 11)]:
        with mock.patch(
            "annotate.models.token.timezone.now", return_value=start + dt.timedelta(minutes=minutes)
        ):
            assert status(secret) == 200
        assert ApiToken.objects.get().used_at == start + dt.timedelta(minutes=noted)


def test_made_shown_once_and_revoked_on_the_page(client: Client, user: User) -> None:
    client.force_login(user)
    page = client.post("/account/tokens/", {"name": "R script", "scope": "write", "days": "90"})
    found = re.search(r'value="(ofb_[\w-]{43})"', page.content.decode())
    assert found
    assert status(found[1]) == 200
    token = ApiToken.objects.get()
    assert (token.scope, token.name) == ("write", "R script")
    assert dt.timedelta(days=89) < token.expires_at - timezone.now() <= dt.timedelta(days=90)
    again = client.get("/account/tokens/").content.decode()
    assert found[1] not in again
    assert token.prefix in again
    client.post(f"/account/tokens/{token.pk}/revoke/")
    assert status(found[1]) == 401
    assert "revoked" in client.get("/account/tokens/").content.decode()


@pytest.mark.parametrize(
    "sent", [{}, {"name": "x", "scope": "all", "days": "30"}, {"name": "x", "days": "9999"}]
)
def test_a_form_filled_in_wrongly_makes_none(client: Client, user: User, sent: dict[str, str]) -> None:
    client.force_login(user)
    assert client.post("/account/tokens/", sent).status_code == 422
    assert not ApiToken.objects.exists()


def test_nobody_revokes_the_token_of_somebody_else(client: Client, user: User) -> None:
    token, _ = ApiToken.make(user, "nightly", "read", 30)
    client.force_login(User.objects.create_user("eve"))
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert token.prefix not in client.get("/account/tokens/").content.decode()
    assert ApiToken.objects.valid().exists()


def test_a_log_in_needs_the_csrf_token(user: User) -> None:
    User.objects.update(is_staff=True)
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get(LIST).status_code == 200
    assert client.post(LIST, {}).status_code == 403


def test_a_token_ends_with_the_password_it_was_made_under(user: User) -> None:
    _, secret = ApiToken.make(user, "nightly", "read", 30)
    other = ApiToken.make(User.objects.create_user("ann"), "nightly", "read", 30)[1]
    user.set_password("another-river-7")
    user.save()
    assert status(secret) == 401
    assert status(other) == 200


def test_a_token_opens_nothing_for_whom_a_second_factor_is_asked(user: User, settings: Settings) -> None:
    _, secret = ApiToken.make(user, "nightly", "read", 30)
    settings.REQUIRE_SECOND_FACTOR = True
    assert status(secret) == 401
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert status(secret) == 200
