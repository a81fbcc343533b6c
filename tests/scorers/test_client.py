"""Endpoints that are slow, wrong, cut short, overloaded, broken or silent."""

import threading
from typing import Any

import pytest

from judging.scorers.endpoints.client import Budget, Call, Client, EndpointError, Limits, ShapeError
from judging.scorers.endpoints.replies import storable
from judging.scorers.protocol import NOT_ASKED
from tests.scorers.serving import ServerReply, Speaks, serving

QUICK: dict[str, Any] = {"back_off": 0.01, "timeout": 60.0}


class Clock:
    """Stands still but for those who sleep."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("judging.scorers.endpoints.client.time", clock)
    return clock


def client_of(url: str, key_env: str | None = None, **limits: Any) -> Client:
    client = Client(url, key_env, Limits(**(QUICK | limits)))
    client.allowed = ["127.0.0.1"]
    return client


def calls(n: int) -> list[tuple[str, Call]]:
    return [(f"k{i}", Call("/x", {"n": i})) for i in range(n)]


def at_first(bad: ServerReply, times: int = 1) -> Speaks:
    """Misbehaves the first times, then answers."""
    return lambda path, body, before: bad if before < times else ServerReply({"n": body["n"]})


@pytest.mark.parametrize(
    "bad",
    [
        ServerReply({"error": "slow down"}, status=429),
        ServerReply({"error": "oops"}, status=500),
        ServerReply({"error": "later"}, status=503),
        ServerReply(raw=b'{"n": '),
        ServerReply(raw=b"<html>gateway</html>"),
        ServerReply(raw=b'{"n": NaN}'),
        ServerReply({"n": "a long answer that breaks off"}, cut=True),
    ],
    ids=["429", "500", "503", "half a JSON", "HTML", "NaN", "cut"],
)
def test_what_passes_is_tried_again(bad: ServerReply) -> None:
    with serving(at_first(bad)) as server:
        answers = client_of(server.url).ask(calls(3))
        assert [a.body for a in answers] == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert len(server.calls) == 6


def test_a_call_that_hangs_is_tried_again() -> None:
    """However slow this machine is: of so many attempts one is answered in time."""
    with serving(at_first(ServerReply(hang=True))) as server:
        answers = client_of(server.url, timeout=0.4, attempts=1_000).ask(calls(3))
        assert [a.body for a in answers] == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert len(server.calls) >= 6


def test_an_answer_that_drips_is_tried_again(clock: Clock) -> None:
    """The connection is never silent for long, and still the answer takes longer than a call may."""
    drips = ServerReply({"n": "drop by drop"}, midway=lambda: clock.sleep(61))
    with serving(at_first(drips)) as server:
        answers = client_of(server.url, timeout=60, concurrency=1).ask(calls(3))
        assert [a.body for a in answers] == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert len(server.calls) == 6


def test_in_the_end_it_has_failed_and_says_why() -> None:
    with serving(lambda *_: ServerReply({"error": "out of memory"}, status=500)) as server:
        answer = client_of(server.url, attempts=3).ask(calls(1))[0]
        assert answer.body is None
        assert answer.error.startswith("HTTP 500")
        assert "out of memory" in answer.error
        assert "attempt 3 of 3" in answer.error
        assert len(server.calls) == 3


@pytest.mark.timeout(60)
def test_a_silent_server_does_not_hold_the_run_up() -> None:
    """It stays silent longer than this test may take."""
    with serving(lambda *_: ServerReply(hang=True)) as server:
        answer = client_of(server.url, timeout=0.3, attempts=2).ask(calls(1))[0]
        assert "no answer within 0.3 s" in answer.error


def test_the_server_says_how_long_to_wait() -> None:
    busy = at_first(ServerReply({}, status=429, headers={"Retry-After": "7"}))
    assert waits(busy) == [7]
    assert waits(busy, longest_wait=2) == [2]


def test_back_off_doubles() -> None:
    seconds = waits(at_first(ServerReply({}, status=500), times=3), back_off=2)
    first, second, third = (s or 0.0 for s in seconds)
    assert 1 <= first <= 2 <= second <= 4 <= third <= 8


def waits(speaks: Speaks, **limits: Any) -> list[float | None]:
    """Seconds that a client wants to wait between the attempts of one call; it does not."""
    seconds: list[float | None] = []

    class Hasty(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            seconds.append(timeout)
            return self.is_set()

    with serving(speaks) as server:
        client = client_of(server.url, **limits)
        client._over = Hasty()
        assert client.ask(calls(1))[0].body == {"n": 0}
    return seconds


def test_a_refusal_that_every_call_would_meet_ends_the_run() -> None:
    with serving(lambda *_: ServerReply({"error": "who are you?"}, status=401)) as server:
        with pytest.raises(EndpointError, match=r"HTTP 401.*who are you"):
            client_of(server.url, concurrency=1).ask(calls(50))
        assert len(server.calls) == 1


def test_a_server_that_is_down_ends_the_run() -> None:
    with serving(lambda *_: ServerReply({})) as server:
        url = server.url
    with pytest.raises(EndpointError, match="calls in a row got no answer"):
        client_of(url, concurrency=2, attempts=1).ask(calls(200))


def test_one_bad_text_does_not_end_the_run() -> None:
    def speaks(path: str, body: dict[str, Any], before: int) -> ServerReply:
        return (
            ServerReply({"error": "too long"}, status=413)
            if body["n"] == 1
            else ServerReply({"n": body["n"]})
        )

    with serving(speaks) as server:
        answers = client_of(server.url).ask(calls(3))
        assert [a.body for a in answers] == [{"n": 0}, None, {"n": 2}]
        assert answers[1].error.startswith("HTTP 413")
        assert len(server.calls) == 3


def test_no_more_calls_at_once_than_allowed() -> None:
    together = threading.Barrier(3)

    def speaks(path: str, body: dict[str, Any], before: int) -> ServerReply:
        together.wait()
        return ServerReply({"n": body["n"]})

    with serving(speaks) as server:
        client_of(server.url, concurrency=3).ask(calls(15))
        assert server.most_at_once == 3


def test_no_more_calls_a_minute_than_allowed(clock: Clock) -> None:
    with serving(at_first(ServerReply({}), times=0)) as server:
        client_of(server.url, per_minute=600, concurrency=1).ask(calls(6))
    assert clock.monotonic() == pytest.approx(0.5)


def test_what_was_answered_is_not_asked_again() -> None:
    with serving(at_first(ServerReply({}), times=0)) as server:
        client = client_of(server.url)
        client.ask(calls(3))
        assert [a.body["n"] for a in client.ask(calls(5))] == [0, 1, 2, 3, 4]
        assert len(server.calls) == 5


def test_a_wrong_shape_is_told_and_not_kept() -> None:
    def check(body: Any) -> None:
        raise ShapeError("expected data")

    with serving(at_first(ServerReply({}), times=0)) as server:
        client = client_of(server.url)
        assert client.ask(calls(1), check)[0].error == "expected data"
        assert client.ask(calls(1))[0].body == {"n": 0}
        assert len(server.calls) == 2


def test_the_budget_of_calls_counts_attempts() -> None:
    with serving(at_first(ServerReply({}, status=500))) as server:
        client = client_of(server.url, concurrency=1)
        client.budget = Budget(calls=5)
        answers = client.ask(calls(10))
        assert len(server.calls) == 5
        assert [a.body is not None for a in answers] == [True, True, *[False] * 8]
        assert {a.error for a in answers[3:]} == {NOT_ASKED}
        assert client.budget.spent


def test_the_budget_of_tokens() -> None:
    with serving(lambda *_: ServerReply({"usage": {"total_tokens": 40}})) as server:
        client = client_of(server.url, concurrency=1)
        client.budget = Budget(tokens=100)
        answers = client.ask(calls(10))
        assert [a.error for a in answers] == [""] * 3 + [NOT_ASKED] * 7
        assert client.budget.used_tokens == 120


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def speaks(path: str, body: dict[str, Any], before: int) -> ServerReply:
        return ServerReply({"error": "Incorrect API key provided: sk-very-secret"}, status=400)

    monkeypatch.setenv("TEST_API_KEY", "sk-very-secret")
    with serving(speaks) as server:
        client = client_of(server.url, "TEST_API_KEY")
        answer = client.ask(calls(1))[0]
        assert server.headers[0]["Authorization"] == "Bearer sk-very-secret"
        assert "[key]" in answer.error
        assert "sk-very-secret" not in answer.error + repr(vars(client))
        monkeypatch.delenv("TEST_API_KEY")
        with pytest.raises(EndpointError, match="the environment has no TEST_API_KEY"):
            client.ask(calls(1))


def test_the_applications_own_secrets_are_no_keys() -> None:
    with pytest.raises(ValueError, match="ends in _API_KEY"):
        Client("https://host", "SECRET_KEY", Limits())


def test_what_a_server_refuses_is_asked_another_way_once() -> None:
    def speaks(path: str, body: dict[str, Any], before: int) -> ServerReply:
        if "response_format" in body:
            return ServerReply({"error": "response_format is not supported"}, status=400)
        return ServerReply({"n": body["n"]})

    with serving(speaks) as server:
        client = client_of(server.url, concurrency=1)
        asked = [(f"k{i}", Call("/x", {"n": i, "response_format": {}}, {"n": i})) for i in range(4)]
        assert [a.body for a in client.ask(asked)] == [{"n": i} for i in range(4)]
        assert len(server.calls) == 5
        assert client.budget.used_calls == 5


def test_characters_that_no_database_stores_are_replaced() -> None:
    found = storable(rb'{"a": "\u0000 \ud83d \ud83d\ude00 ok"}')
    assert found["a"].encode()
    assert "\x00" not in found["a"]
    assert found["a"].endswith("😀 ok")


def test_words_about_such_characters_stay() -> None:
    assert storable(rb'{"\\u0000": ["\\ud83d is half a pair", 1, null]}') == {
        "\\u0000": ["\\ud83d is half a pair", 1, None]
    }
