"""Bodies that come slowly, or are too large, hold up nobody else; and who sent too much can read why."""

import asyncio
import contextlib
import http.client
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annotate.config import asgi
from tests.serving import SQLITE, Server, migrate, served

MB = 2**20
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Chunks(list[bytes]):
    def close(self) -> None:
        pass


def scope(
    length: int, *headers: tuple[bytes, bytes], path: bytes = b"/x", query: bytes = b""
) -> dict[str, Any]:
    return {
        "type": "http", "method": "POST", "raw_path": path, "query_string": query, "http_version": "1.1",
        "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 5),
        "headers": [(b"content-length", b"%d" % length), *headers],
    }  # fmt: skip


def answered(pieces: list[bytes], length: int, *, ends: bool = True) -> tuple[int, bytes]:
    """What the server sends to whoever sends these pieces, and then nothing more."""
    sent: list[dict[str, Any]] = []
    waiting = list(pieces)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or not ends}

    async def send(message: dict[str, Any]) -> None:
        # Who sent it all, or is late, reads.
        assert not waiting
        sent.append(message)

    asyncio.run(asgi.application(scope(length), receive, send))
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that sends back what it reads."""

    def app(environ: dict[str, Any], start: Any) -> Chunks:
        body = b""
        with contextlib.suppress(TimeoutError):
            while piece := environ["wsgi.input"].read(7):
                body += piece
        start("200 OK", [])
        return Chunks([body[:3], body[3:]])

    monkeypatch.setattr(asgi, "wsgi_application", app)


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("ahead", [1, 10, 10**6])
def test_a_body_is_read_as_it_was_sent(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is here before a thread has the request, or comes while the thread reads."""
    monkeypatch.setattr(asgi, "AHEAD", ahead)
    monkeypatch.setattr(asgi, "PIECE", 4)
    body = bytes(range(256)) * 3
    pieces = [body[n : n + 50] for n in range(0, len(body), 50)]
    assert answered(pieces, len(body)) == (200, body)
    assert answered([], 0) == (200, b"")
    # It ends where it ends, whatever length was named.
    assert answered([b"abc"], 5) == (200, b"abc")


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("ahead", [1, 10**6])
def test_who_sends_too_slowly_is_told_so(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "AHEAD", ahead)
    monkeypatch.setattr(asgi, "GRACE", 0.2)
    status, words = answered([b"abc"], 1_000, ends=False)
    assert (status, words) == (408, b"The request took too long to arrive.")


def test_what_nobody_reads_is_received_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(environ: dict[str, Any], start: Any) -> Chunks:
        start("413 Payload Too Large", [])
        return Chunks([b"too much"])

    monkeypatch.setattr(asgi, "wsgi_application", refuses)
    monkeypatch.setattr(asgi, "AHEAD", 10)
    assert answered([b"x" * 50] * 20, 1_000) == (413, b"too much")


def test_nothing_is_sent_to_whoever_has_gone() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(message)

    asyncio.run(asgi.application(scope(9), receive, send))


def test_headers_and_addresses_come_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = asgi._environ(
        scope(
            3,
            *[(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"accept", b"x"), (b"accept", b"y")],
            *[(b"x-forwarded-for", b"9.9.9.9"), (b"x_forwarded_for", b"1.1.1.1")],
            path=b"/caf%C3%A9/%FF%00?a",
            query=b"q=\xff",
        )
    )
    assert environ["PATH_INFO"] == "/café/".encode().decode("latin-1") + "\xff\0"
    assert environ["QUERY_STRING"] == "q=\xff"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_ACCEPT"] == "x,y"
    assert environ["HTTP_X_FORWARDED_FOR"] == "9.9.9.9", "and no name that passes for it"
    assert environ["CONTENT_LENGTH"] == "3"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"{SQLITE}{tmp_path_factory.mktemp('bodies') / 'db.sqlite3'}"
    migrate(url)
    with served(url, workers=1) as running:
        yield running


HEAD = "POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: csrftoken={}\r\nContent-Length: {}\r\n\r\n"


def begun(server: Server, length: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    form = "Content-Type: application/x-www-form-urlencoded\r\nHost"
    connection.sendall(HEAD.format("a" * 32, length).replace("Host", form, 1).encode())
    return connection


def test_pages_answer_while_others_send_slowly(server: Server) -> None:
    """More of them than there are threads; each has sent its first byte and keeps the rest."""
    with contextlib.ExitStack() as stack:
        for _ in range(4 * asgi.THREADS):
            slow = stack.enter_context(contextlib.closing(begun(server, 1_000)))
            slow.sendall(b"c")
        page = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(3):
            page.request("GET", "/login/")
            response = page.getresponse()
            assert response.status == 200
            assert b"password" in response.read()
        page.close()


def test_who_sent_too_much_can_read_why(server: Server) -> None:
    body = b"x" * (30 * MB)
    with contextlib.closing(begun(server, len(body))) as connection:
        connection.sendall(body)
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_a_proxy_that_buffers_stands_before_the_containers() -> None:
    """Only the proxy has a port outside, and it keeps what slow senders send until all of it is there."""
    deploy = Path(__file__).parents[2] / "deploy"
    compose = (deploy / "compose.yaml").read_text()
    services = compose.partition("services:")[2].partition("\nvolumes:")[0]
    proxy = services.partition("  proxy:")[2].partition("  worker:")[0]
    assert services.count("ports:") == proxy.count("ports:") == 1
    assert "proxy_request_buffering off" not in (deploy / "compose-proxy.conf").read_text()
    assert "client_body_timeout" in (deploy / "compose-proxy.conf").read_text()
