"""Errors are problem+json (RFC 9457), whoever raises them."""

from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.db import OperationalError

from annotate.api import lists
from annotate.models import Role
from tests.api.conftest import Asks

pytestmark = pytest.mark.django_db


def told(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    return dict(body)


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/nothing/", "/api/v2/", "/api/v1/studies/no/", "/api/v1/studies"]
)
def test_not_found(asks: Asks, path: str) -> None:
    told(asks().get(path), 404)


def test_an_address_without_its_slash_says_so(asks: Asks) -> None:
    assert "slash" in told(asks().get("/api/v1/studies"), 404)["detail"]


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "status"),
    [
        ("get", "/api/v1/studies/tiny/prompts/nobody/", {}, 404),
        ("delete", "/api/v1/studies/tiny/", {}, 405),
        ("get", "/api/v1/studies/", {"HTTP_ACCEPT": "text/csv"}, 406),
        ("post", "/api/v1/studies/tiny/prompts/", {"data": "x", "content_type": "text/plain"}, 415),
        ("post", "/api/v1/studies/tiny/prompts/", {"data": "[{", "content_type": "application/json"}, 400),
        ("post", "/api/v1/studies/tiny/prompts/", {"data": "{}", "content_type": "application/json"}, 400),
        ("post", "/api/v1/studies/tiny/prompts/", {"data": "[NaN]", "content_type": "application/json"}, 400),
        ("post", "/api/v1/studies/tiny/prompts/", {"data": b"\xff", "content_type": "application/json"}, 400),
        ("get", "/api/v1/studies/?cursor=nonsense", {}, 404),
        ("get", "/api/v1/studies/?page_size=0", {}, 400),
        ("get", "/api/v1/studies/?page_size=²", {}, 400),
        ("get", "/api/v1/studies/?simulated=maybe", {}, 400),
        ("get", "/api/v1/studies/?langauge=en", {}, 400),
        ("get", "/api/v1/studies/?fields=slug,nothing", {}, 400),
        ("get", "/api/v1/studies/tiny/audit/?unusualness=nothing", {}, 400),
    ],
)
def test_what_is_wrong(asks: Asks, method: str, path: str, kwargs: dict[str, Any], status: int) -> None:
    told(getattr(asks(), method)(path, **kwargs), status)


def test_a_wrong_parameter_is_named(asks: Asks) -> None:
    body = told(asks().get("/api/v1/studies/?langauge=en"), 400)
    assert [e["field"] for e in body["errors"]] == ["langauge"]
    assert "cursor" in body["detail"]


def test_a_role_that_is_too_low(asks: Asks) -> None:
    told(asks(Role.AUDITOR).get("/api/v1/studies/tiny/annotators/"), 403)


def test_there_is_no_such_study_for_who_is_no_member(asks: Asks) -> None:
    client = asks(None)
    there, not_there = client.get("/api/v1/studies/tiny/"), client.get("/api/v1/studies/none/")
    assert told(there, 404) == told(not_there, 404)


def test_a_failure_of_the_server_says_nothing_of_its_inside(asks: Asks) -> None:
    client = asks()
    client.raise_request_exception = False
    with mock.patch.object(lists.Pages, "get_page_size", side_effect=RuntimeError("secret of the inside")):
        answer = client.get("/api/v1/studies/")
    assert "secret" not in told(answer, 500)["detail"]


def test_a_busy_database_may_be_asked_again(asks: Asks) -> None:
    with mock.patch.object(lists.Pages, "get_page_size", side_effect=OperationalError("locked")):
        answer = asks().get("/api/v1/studies/")
    told(answer, 503)
    assert answer["Retry-After"] == "10"


def test_too_much_at_once(asks: Asks, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    for kind in ("application/json", "application/x-ndjson"):
        answer = asks().post("/api/v1/studies/tiny/prompts/", b" " * 1_001, content_type=kind)
        told(answer, 413)


def test_an_account_that_asks_too_often_is_told_when_to_go_on(asks: Asks) -> None:
    cache.clear()
    client = asks()
    with mock.patch("annotate.api.access.Accounts.get_rate", return_value="2/min"):
        answers = [client.get("/api/v1/studies/") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    told(answers[2], 429)
    assert 0 < int(answers[2]["Retry-After"]) <= 60


@pytest.mark.parametrize("path", ["prompts/a%00b/", "prompts/?text=%00", "judgments/99999999999999999999/"])
def test_what_no_database_takes_is_not_found_or_refused(asks: Asks, path: str) -> None:
    """PostgreSQL has no text with NUL in it, and no number that long."""
    answer = asks().get(f"/api/v1/studies/tiny/{path}")
    told(answer, 400 if "?" in path else 404)
