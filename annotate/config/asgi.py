"""What granian serves: Django in a few threads, which get requests whose bodies are here already.

A thread that reads a body waits for whoever sends it, and a few slow senders would hold every thread. So bodies are
received by the event loop, where waiting costs nothing, and none may take for ever.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from annotate.config.wsgi import application as wsgi_application

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

THREADS = 2
# Seconds that a body may take, and bytes that give it another one: 160 kbit/s, the slowest that anybody works with.
GRACE = 20.0
SLOWEST = 20_000
# What is received before a thread gets the request. Larger files come while it reads: who has no account sends none.
AHEAD = 20 * 2**20
IN_MEMORY = 2**19
# Of a body that nobody reads, so much is received all the same: senders read the answer when they have sent it all.
DRAINED = 2**28
PIECE = 2**18
# Seconds for whoever downloads to take a piece.
TAKEN = 60

_threads = ThreadPoolExecutor(THREADS, "django")


class Incoming:
    """A request's body as it arrives. TimeoutError: too slowly; ConnectionError: the sender is gone."""

    def __init__(self, receive: Receive, length: int) -> None:
        self.receive, self.length = receive, length
        self.came, self.late = 0, False
        self.begun = asyncio.get_running_loop().time()

    @property
    def ended(self) -> bool:
        return self.came >= self.length

    async def piece(self) -> bytes:
        if self.ended:
            return b""
        until = self.begun + GRACE + self.came / SLOWEST
        try:
            async with asyncio.timeout_at(until):
                message = await self.receive()
        except TimeoutError:
            self.late = True
            raise
        if message["type"] != "http.request":
            raise ConnectionResetError("the sender has gone")
        piece = bytes(message.get("body", b""))
        # Whatever length was named: an end is an end.
        self.came = (
            self.came + len(piece) if message.get("more_body") else max(self.length, self.came + len(piece))
        )
        return piece

    async def fill(self, file: IO[bytes]) -> None:
        while not self.ended and self.came < AHEAD:
            file.write(await self.piece())
        file.seek(0)

    async def drain(self) -> None:
        try:
            while not self.ended and self.came < DRAINED:
                await self.piece()
        except (TimeoutError, ConnectionError):
            # The answer is sent, to whoever reads it.
            self.came, self.late = self.length, False


class Body(io.RawIOBase):
    """For Django: what is here, and then, in its thread, what still comes."""

    def __init__(self, here: IO[bytes], incoming: Incoming, loop: asyncio.AbstractEventLoop) -> None:
        self.here, self.incoming, self.loop = here, incoming, loop
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self.here.read(len(buffer)) or self._next(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self, most: int) -> bytes:
        while not self.rest and not self.incoming.ended:
            self.rest = asyncio.run_coroutine_threadsafe(self.incoming.piece(), self.loop).result()
        piece, self.rest = self.rest[:most], self.rest[most:]
        return piece


async def application(scope: Message, receive: Receive, send: Send) -> None:
    loop = asyncio.get_running_loop()
    environ = _environ(scope)
    incoming = Incoming(receive, _length(environ))
    with SpooledTemporaryFile(IN_MEMORY) as here:
        try:
            await incoming.fill(here)
            environ["wsgi.input"] = io.BufferedReader(Body(here, incoming, loop))
            response = _Response(incoming, send, loop)
            await response.piece(await loop.run_in_executor(_threads, response.run, environ), more=False)
        except TimeoutError:
            # A download that nobody takes ends with its connection.
            if not incoming.late:
                raise
            await _too_slow(send)
        except ConnectionError:
            return


class _Response:
    """Django's answer to one request, made in a thread and sent by the loop."""

    def __init__(self, incoming: Incoming, send: Send, loop: asyncio.AbstractEventLoop) -> None:
        self.incoming, self._send, self.loop = incoming, send, loop
        self.head: Message = {}

    def start(
        self, status: str, headers: Iterable[tuple[str, str]], *args: object
    ) -> Callable[[bytes], object]:
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.head = {"type": "http.response.start", "status": int(status.split(" ", 1)[0]), "headers": pairs}
        return _unused

    def run(self, environ: dict[str, Any]) -> bytes:
        """All but the last piece is sent from here: whoever downloads slowly is waited for, and no memory fills."""
        chunks = wsgi_application(environ, self.start)
        try:
            if self.incoming.late:
                raise TimeoutError
            gathered: list[bytes] = []
            for chunk in chunks:
                gathered.append(chunk)
                if sum(map(len, gathered)) >= PIECE:
                    self._wait_for(self.piece(b"".join(gathered), more=True))
                    gathered = []
            return b"".join(gathered)
        finally:
            chunks.close()

    def _wait_for(self, sending: Any) -> None:
        # A body that nobody has read comes first, in its own time.
        patience = TAKEN if self.incoming.ended else None
        asyncio.run_coroutine_threadsafe(sending, self.loop).result(patience)

    async def piece(self, content: bytes, *, more: bool) -> None:
        if self.head:
            await self.incoming.drain()
            await self._send(self.head)
            self.head = {}
        await self._send({"type": "http.response.body", "body": content, "more_body": more})


def _unused(content: bytes) -> None:
    """WSGI's old way to send, which Django does not use."""
    raise NotImplementedError


async def _too_slow(send: Send) -> None:
    words = b"The request took too long to arrive."
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", b"%d" % len(words)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 408, "headers": headers})
    await send({"type": "http.response.body", "body": words, "more_body": False})


def _length(environ: dict[str, Any]) -> int:
    text = environ.get("CONTENT_LENGTH", "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _environ(scope: Message) -> dict[str, Any]:
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"].partition(b"?")[0]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    return environ | _headers(scope["headers"])


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw, value in pairs:
        # X_Forwarded_For would pass for X-Forwarded-For.
        if b"_" in raw:
            continue
        name = raw.decode("latin-1").upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        known = f"{headers[key]}{'; ' if name == 'COOKIE' else ','}" if key in headers else ""
        headers[key] = known + value.decode("latin-1")
    return headers
