"""The real server in processes of its own, and annotators who work over real HTTP. On this machine only."""

import atexit
import contextlib
import fcntl
import functools
import http.client
import math
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO
from urllib.parse import quote, urlencode

SQLITE = "sqlite:///"
ROOT = Path(__file__).parents[1]
HIDDEN = re.compile(rb'type="hidden" name="(\w+)" value="([^"]*)"')
FIELD = re.compile(rb'name="(c[\d-]+)" value="([^"]+)"')


def environment(database_url: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "for-this-test-only",
        "PSEUDONYM_KEY": "for-this-test-only",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "0",
        "LOG_LEVEL": "ERROR",
    }


def run(database_url: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", *args],
        cwd=ROOT,
        env=environment(database_url),
        capture_output=True,
        text=True,
        check=False,
    )


def manage(database_url: str, *args: str) -> str:
    done = run(database_url, *args)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def migrate(database_url: str) -> None:
    """Give an empty database its tables. For SQLite they are made once a process, and copied."""
    if not database_url.startswith(SQLITE):
        manage(database_url, "manage.py", "migrate", "-v0", "--skip-checks")
        return
    shutil.copyfile(_migrated(), database_url.removeprefix(SQLITE))


@functools.cache
def _migrated() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="offbeat-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "db.sqlite3"
    manage(f"{SQLITE}{file}", "manage.py", "migrate", "-v0", "--skip-checks")
    # Settings switch to a log of writes beside the file: one that is whole needs none.
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@functools.cache
def collect_static() -> None:
    """What pages link to, collected once: by whichever process of the tests comes first."""
    with (Path(tempfile.gettempdir()) / "offbeat-tests-static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manage("sqlite://:memory:", "manage.py", "collectstatic", "--noinput", "-v0")


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int

    def processes(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def megabytes(self) -> float:
        """Memory of the server and its workers that is theirs alone.

        Without files: what of a library counts as one process's depends on who else runs.
        """
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.processes()]
        return sum(int(re.findall(r"^Pss_Anon: +(\d+)", text, re.MULTILINE)[0]) for text in texts) / 1024

    def cpu_seconds(self) -> float:
        """User and system time of the server and its workers."""
        ticks = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def served(
    database_url: str,
    *,
    workers: int = 2,
    log: IO[str] | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Server]:
    collect_static()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", str(workers)],
        cwd=ROOT,
        env=environment(database_url) | dict(more),
        stderr=log,
        start_new_session=True,
    )
    try:
        _wait_for(port, process)
        yield Server(port, process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server ended with status {process.returncode}")


@dataclass
class Annotator:
    """Somebody who takes the first answer of every question, until nothing is left."""

    port: int
    slug: str
    invite: str
    seconds: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None
    sent: dict[str, str] = field(default_factory=dict)
    # Seconds from a page to its answer; each time another, drawn by the seed.
    reads: tuple[float, float] = (0, 0)
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    ends: float = math.inf

    def request(self, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, bytes]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        sent = None
        if body is not None:
            sent = urlencode(body)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        self.connection.request(method, path, sent, headers)
        response = self.connection.getresponse()
        text = response.read()
        for header in response.headers.get_all("Set-Cookie") or []:
            name, _, value = header.split(";")[0].partition("=")
            self.cookies[name] = value
        return response.status, text

    def join(self) -> bytes:
        path = quote(self.invite)
        _, page = self.request("GET", path)
        if form := hidden(page):
            status, page = self.request("POST", path, form)
            if status >= 400:
                raise RuntimeError(f"joining: status {status}: {page[:500]!r}")
        return self.request("GET", f"/rate/{self.slug}/")[1]

    def work(self, at_most: int = 10**9) -> None:
        try:
            self._work(at_most)
        finally:
            self.close()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def _work(self, at_most: int) -> None:
        page = self.join()
        while b'class="answer"' in page and len(self.seconds) < at_most and time.monotonic() < self.ends:
            sent = hidden(page) | {k.decode(): v.decode() for k, v in reversed(FIELD.findall(page))}
            self.sent = sent
            time.sleep(self.chance.uniform(*self.reads))
            start = time.perf_counter()
            status, page = self.request("POST", f"/rate/{self.slug}/", sent)
            self.seconds.append(time.perf_counter() - start)
            if status == 200:
                self.acknowledged.append(sent["token"])
            elif status not in (409, 422):
                raise RuntimeError(f"status {status}: {page[:500]!r}")


def hidden(page: bytes) -> dict[str, str]:
    return {k.decode(): v.decode() for k, v in HIDDEN.findall(page)}
