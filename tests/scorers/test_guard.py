"""Which addresses may be called."""

import ipaddress
import socket
from typing import Any

import pytest

from judging.scorers.endpoints import RefusedError
from judging.scorers.endpoints.client import Call, Client, EndpointError, Limits
from judging.scorers.endpoints.guard import check_url, permitted
from tests.scorers.serving import ServerReply, serving


def anything(path: str, body: dict[str, Any], before: int) -> ServerReply:
    return ServerReply({"ok": True})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "::",
        *(
            "192.0.0.8",
            "192.88.99.1",
            "::5db8:d822",
            "::ffff:93.184.216.34",
            "64:ff9b:1::5db8:d822",
            "fec0::1",
        ),
        *("3fff::1", "5f00::1", "64:ff9b::c000:8", "2002:c058:6301::"),
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not permitted(ipaddress.ip_address(address), "host", [])


def test_public_addresses_are_called() -> None:
    assert permitted(ipaddress.ip_address("93.184.216.34"), "host", [])
    assert permitted(ipaddress.ip_address("2606:4700::1111"), "host", [])


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "gpu.internal", "GPU.internal"])
def test_what_is_allowed_is_called(allowed: str) -> None:
    assert permitted(ipaddress.ip_address("127.0.0.1"), "gpu.internal", [allowed])
    assert not permitted(ipaddress.ip_address("10.0.0.1"), "other.internal", [allowed])


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/",
        "//host",
        "http://",
        "http://me:secret@host/",
        "http://h/?key=s",
        "http://[::1",
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_url(url)
    assert "secret" not in str(refused.value) or url in str(refused.value)


def ask(url: str, allowed: list[str], path: str = "/x") -> Any:
    client = Client(url, None, Limits(attempts=1))
    client.allowed = allowed
    return client.ask([("k", Call(path, {"a": 1}))])[0]


def test_the_loopback_is_refused_unless_allowed() -> None:
    with serving(anything) as server:
        with pytest.raises(RefusedError, match="ENDPOINTS_ALLOWED"):
            ask(server.url, [])
        assert server.calls == []
        assert ask(server.url, ["127.0.0.1"]).body == {"ok": True}


def test_a_name_is_judged_by_what_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was judged is called: a second look-up with another answer does not happen."""
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def resolver(host: str, port: int, *args: Any, **named: Any) -> list[Any]:
        if host[0].isdigit():
            return list(real(host, port, *args, **named))
        looked_up.append(host)
        address = "127.0.0.1" if len(looked_up) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with serving(anything) as server:
        port = server.server_address[1]
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        with pytest.raises(RefusedError, match=r"innocent\.example is at 127\.0\.0\.1"):
            ask(f"http://innocent.example:{port}", [])
        looked_up.clear()
        # The second look-up would find an address that is refused.
        assert ask(f"http://innocent.example:{port}", ["127.0.0.1"]).body == {"ok": True}
        assert looked_up == ["innocent.example"]


def test_redirects_are_not_followed() -> None:
    def away(path: str, body: dict[str, Any], before: int) -> ServerReply:
        return ServerReply({}, status=307, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    with serving(away) as server, pytest.raises(EndpointError, match="HTTP 307"):
        ask(server.url, ["127.0.0.1"])


def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(anything) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        monkeypatch.setenv("ALL_PROXY", server.url)
        with pytest.raises(RefusedError):
            ask("http://10.1.2.3", ["127.0.0.1"])
        assert server.calls == []
