"""Log-in: name and password, the lock-out, the second factor, and what an account without one may see."""

import base64
import hmac
import re
import struct
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db

PASSWORD = "river-fish-stone-4"


@pytest.fixture
def sam(client: Client, settings: Settings) -> User:
    # The real one is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    return User.objects.create_user("sam", password=PASSWORD)


def log_in(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/login/", {"username": "sam", "password": password, **more})


def code_of(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238 with its defaults)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def set_up(client: Client) -> str:
    """Turn the second factor on as its owner does; the key of the app."""
    asked = client.get("/account/second-factor/")
    assert asked["Location"].startswith("/account/confirm/"), "who finds a browser open knows no password"
    page = client.post(asked["Location"], {"password": PASSWORD}, follow=True).content.decode()
    secret = re.search(r'class="key">(\w+)<', page)
    assert secret is not None
    done = client.post("/account/second-factor/", {"code": code_of(secret[1])})
    assert done["Location"] == "/account/codes/"
    return secret[1]


def test_log_in_and_out(client: Client, sam: User) -> None:
    assert log_in(client, next="/studies/?x=1")["Location"] == "/studies/?x=1"
    assert client.get("/studies/").status_code == 200
    assert client.get("/logout/").status_code == 200, "asks first"
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/studies/").status_code == 302


def test_a_wrong_password_says_no_more_than_that(client: Client, sam: User) -> None:
    wrong = log_in(client, "nope").content.decode()
    assert "Wrong user name or password." in wrong
    unknown = client.post("/login/", {"username": "nobody", "password": "nope"}).content.decode()
    assert "Wrong user name or password." in unknown


def test_the_log_in_leads_nowhere_else(client: Client, sam: User) -> None:
    assert log_in(client, next="https://evil.example/")["Location"] == "/studies/"


LOCKED = "Too many failed attempts"


def test_five_failures_lock_a_name_at_its_address(client: Client, sam: User) -> None:
    for _ in range(5):
        log_in(Client(REMOTE_ADDR="10.0.0.1"), "nope")
    assert LOCKED in log_in(Client(REMOTE_ADDR="10.0.0.1")).content.decode()
    assert log_in(Client(REMOTE_ADDR="10.0.1.1")).status_code == 302, "nobody locks the owner out"
    other = User.objects.create_user("ann", password=PASSWORD)
    assert client.post("/login/", {"username": other.username, "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    "spelled",
    [{"username": "SAM"}, {"username": "ｓａｍ"}, {"username": " sam "}, {"HTTP_HOST": "testserver:81"}],
    ids=str,
)
def test_no_other_spelling_of_name_or_host_has_tries_of_its_own(sam: User, spelled: dict[str, str]) -> None:
    headers: Any = {k: v for k, v in spelled.items() if k.startswith("HTTP")}
    for _ in range(5):
        log_in(Client(), "nope")
    locked = Client().post(
        "/login/", {"username": spelled.get("username", "sam"), "password": PASSWORD}, **headers
    )
    assert LOCKED in locked.content.decode()


def test_many_addresses_together_lock_a_name_but_not_a_browser_that_is_known(
    client: Client, sam: User
) -> None:
    log_in(client)
    client.post("/logout/")
    for n in range(30):
        log_in(Client(REMOTE_ADDR=f"10.0.0.{n}"), "nope")
    assert LOCKED in log_in(Client(REMOTE_ADDR="10.0.1.1")).content.decode()
    assert log_in(client).status_code == 302
    client.post("/logout/")
    for _ in range(5):
        log_in(client, "nope")
    assert LOCKED in log_in(client).content.decode(), "a stolen browser has five tries too"


def test_a_known_browser_is_known_under_its_own_name_only(client: Client, sam: User) -> None:
    User.objects.create_user("ann", password=PASSWORD)
    log_in(client)
    client.post("/logout/")
    mallory = Client(REMOTE_ADDR="10.0.0.1")
    mallory.cookies["known-browser"] = client.cookies["known-browser"].value.swapcase()
    for _ in range(5):
        log_in(mallory, "nope")
    assert LOCKED in log_in(mallory).content.decode(), "a forged cookie is none"
    for n in range(30):
        Client(REMOTE_ADDR=f"10.0.1.{n}").post("/login/", {"username": "ann", "password": "nope"})
    assert LOCKED in client.post("/login/", {"username": "ann", "password": PASSWORD}).content.decode()


def test_one_address_can_not_try_every_account(sam: User) -> None:
    for n in range(20):
        Client().post("/login/", {"username": f"user{n}", "password": "nope"})
    assert "Too many failed attempts" in log_in(Client()).content.decode()
    assert log_in(Client(REMOTE_ADDR="10.0.0.1")).status_code == 302


def test_nobody_signs_up(client: Client) -> None:
    for path in ("/signup/", "/account/signup/", "/oidc/signup/"):
        assert client.get(path).status_code == 404


def test_a_closed_account_stays_out(client: Client, sam: User) -> None:
    User.objects.filter(pk=sam.pk).update(is_active=False)
    assert client.get(log_in(client).get("Location", "/studies/")).status_code in (200, 302)
    assert client.get("/studies/").status_code == 302


def test_the_password_is_changed(client: Client, sam: User) -> None:
    log_in(client)
    fields = {"oldpassword": PASSWORD, "password1": "another-river-7", "password2": "another-river-7"}
    weak = client.post("/account/password/", fields | {"password1": "12345678", "password2": "12345678"})
    assert "too common" in weak.content.decode()
    assert client.post("/account/password/", fields).status_code == 302
    assert client.get("/studies/").status_code == 200, "this session goes on"
    sam.refresh_from_db()
    assert sam.check_password("another-river-7")


def test_the_second_factor(client: Client, sam: User) -> None:
    log_in(client)
    secret = set_up(client)
    codes = re.findall(r"^\d{8}$", client.get("/account/codes/download/").content.decode(), re.MULTILINE)
    assert len(codes) == 10
    client.post("/logout/")
    cache.clear()  # a code counts once
    assert log_in(client)["Location"].startswith("/login/second-factor/")
    assert client.get("/studies/").status_code == 302, "the password alone opens nothing"
    assert "Incorrect code" in client.post("/login/second-factor/", {"code": "000000"}).content.decode()
    assert client.post("/login/second-factor/", {"code": code_of(secret)})["Location"] == "/studies/"
    client.post("/logout/")
    log_in(client)
    assert client.post("/login/second-factor/", {"code": codes[0]})["Location"] == "/studies/"
    client.post("/logout/")
    log_in(client)
    again = client.post("/login/second-factor/", {"code": codes[0]})
    assert "Incorrect code" in again.content.decode(), "a recovery code lets in once"


def test_keys_of_second_factors_are_not_stored_in_the_clear(client: Client, sam: User) -> None:
    log_in(client)
    secret = set_up(client)
    stored = [str(data) for data in Authenticator.objects.values_list("data", flat=True)]
    assert len(stored) == 2
    assert not any(secret in data for data in stored)


def test_without_a_second_factor_nothing_opens_where_it_is_required(
    client: Client, sam: User, settings: Settings
) -> None:
    log_in(client)
    assert client.get("/studies/").status_code == 200
    settings.REQUIRE_SECOND_FACTOR = True
    for path in ("/studies/", "/methods/", "/account/", "/account/codes/"):
        assert client.get(path)["Location"] == "/account/second-factor/"
    assert Client().get("/methods/").status_code == 200, "what is for everybody stays so"
    set_up(client)
    assert client.get("/studies/").status_code == 200


def test_the_second_factor_is_turned_off(client: Client, sam: User) -> None:
    log_in(client)
    set_up(client)
    assert client.get("/account/second-factor/remove/").status_code == 200
    client.post("/account/second-factor/remove/")
    assert not Authenticator.objects.exists()


def test_pages_of_the_account_look_like_ours(client: Client, sam: User) -> None:
    log_in(client)
    for path in (
        "/account/",
        "/account/password/",
        "/account/second-factor/",
        "/account/confirm/",
        "/logout/",
    ):
        page = client.get(path, follow=True).content.decode()
        assert "css/offbeat.css" in page, path
        assert "Menu:" not in page, "allauth's own layout"


def test_no_page_of_an_account_is_kept_by_a_browser(client: Client, sam: User) -> None:
    log_in(client)
    set_up(client)
    for path in (
        "/account/",
        "/account/codes/",
        "/account/second-factor/",
        "/account/confirm/",
        "/account/tokens/",
    ):
        assert "no-store" in client.get(path).headers.get("Cache-Control", ""), path


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/login/", "evil.example", 400),
        ("/a%00b/", "testserver", 404),
        ("/login/?next=%00", "testserver", 400),
    ],
)
def test_what_is_refused_is_not_framed_either(client: Client, path: str, host: str, status: int) -> None:
    refused = client.get(path, HTTP_HOST=host)
    assert refused.status_code == status
    assert refused["X-Frame-Options"] == "DENY"
