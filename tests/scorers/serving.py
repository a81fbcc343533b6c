"""A real HTTP server that speaks the shapes of endpoints, and misbehaves on demand."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ServerReply:
    """What the server does with a call: an answer, and how badly it gives it."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    cut: bool = False
    # Nothing is sent before the server ends.
    hang: bool = False
    # Called between the first byte of the answer and the rest.
    midway: Callable[[], object] | None = None


Speaks = Callable[[str, dict[str, Any], int], ServerReply]
"""Path, body and how often exactly this was called before → the reply."""


class EndpointServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, speaks: Speaks) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.speaks = speaks
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are expected here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EndpointServer

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            before = self.server.calls.count((self.path, body))
            self.server.calls.append((self.path, body))
            self.server.headers.append(dict(self.headers))
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        reply = self.server.speaks(self.path, body, before)
        # Before the reply is sent: by then the client may have begun the next call.
        with self.server.lock:
            self.server.at_once -= 1
        self._send(reply)

    def _send(self, reply: ServerReply) -> None:
        if reply.hang:
            self.server.over.wait()
        raw = json.dumps(reply.body).encode() if reply.raw is None else reply.raw
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if reply.cut:
            self.wfile.write(raw[: len(raw) // 2])
            self.close_connection = True
        elif reply.midway:
            self.wfile.write(raw[:1])
            reply.midway()
            self.wfile.write(raw[1:])
        else:
            self.wfile.write(raw)


@contextmanager
def serving(speaks: Speaks) -> Iterator[EndpointServer]:
    server = EndpointServer(speaks)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


def completion(text: str, finish: str = "stop", tokens: int = 10) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"total_tokens": tokens},
    }


def candidates(**probabilities: float) -> dict[str, Any]:
    import math

    told = [{"token": token, "logprob": math.log(p)} for token, p in probabilities.items()]
    return {"choices": [{"logprobs": {"content": [{"top_logprobs": told}]}, "message": {"content": "x"}}]}
