"""Sends tasks to workers and follows them: tasks lost with a worker or scheduler are sent again."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self, TypeVar

import dask
from distributed import Client, LocalCluster, as_completed
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

T = TypeVar("T")

LOG = logging.getLogger(__name__)
# Every connection made and closed would be told on the terminal.
logging.getLogger("distributed").setLevel(logging.ERROR)
PATIENCE = 20
"""Retries of a lost scheduler or broken task before the run gives up."""
PAUSE = 2.0
"""Seconds between two tries."""
CONNECT = "30s"
"""Seconds to wait for an answer from an address."""

# A worker that says nothing for so long is given up, and its tasks go to others.
SETTINGS = {
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.scheduler.allowed-failures": 10,
    "distributed.comm.timeouts.connect": CONNECT,
}


class ClusterError(Exception):
    """The cluster can't be reached, or does not come back."""


class Cluster:
    """Where the work is done: a scheduler's address, or as many processes of this machine as it has cores.

    Connected to on first use, and again when it was lost.
    """

    def __init__(self, address: str = "", workers: int | None = None) -> None:
        self.address, self.workers = address, workers
        self._client: Client | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._client = None
        # A scheduler that is gone can't be told goodbye.
        with suppress(OSError, CommClosedError, TimeoutError):
            self._opened.close()
        self._opened = ExitStack()

    @property
    def client(self) -> Client:
        if self._client is None:
            self._opened.enter_context(dask.config.set(SETTINGS))
            try:
                self._client = self._opened.enter_context(self._connected())
            except (OSError, ValueError) as error:
                self.close()
                raise ClusterError(
                    f"{self.address}: expected a Dask scheduler, found none ({error})"
                ) from error
            try:
                _check_project(self._client, self.address)
            except ClusterError:
                self.close()
                raise
        return self._client

    def _connected(self) -> Client:
        if self.address:
            return Client(self.address, timeout=CONNECT, set_as_default=False)  # type: ignore[no-untyped-call]
        # One thread a process: numpy's and torch's own threads would only contend.
        local = self._opened.enter_context(
            LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=self.workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                host="127.0.0.1",
                silence_logs=logging.CRITICAL,
            )
        )
        return Client(local, set_as_default=False)  # type: ignore[no-untyped-call]

    def every(
        self,
        function: Callable[..., T],
        tasks: Sequence[Any],
        on_done: Callable[[T], None] = lambda done: None,
    ) -> list[T]:
        """The function's result for every task, in order; what breaks on the way is given out again.

        An error that the function itself raises is raised here: the same input would only raise it again.
        """
        results: dict[int, T] = {}
        for tries in range(PATIENCE):
            try:
                self._follow(function, tasks, results, on_done)
            except LOST as error:
                if isinstance(error, ClusterError) and not tries:
                    raise
                LOG.warning(
                    "The cluster was lost (%s); trying again.", str(error).partition("\n")[0] or type(error)
                )
                self.close()
                time.sleep(PAUSE)
            else:
                return [results[i] for i in range(len(tasks))]
        raise ClusterError(
            f"Gave up after {PATIENCE} tries; results so far are kept, and the same command continues."
        )

    def _follow(
        self,
        function: Callable[..., T],
        tasks: Sequence[Any],
        results: dict[int, T],
        on_done: Callable[[T], None],
    ) -> None:
        remaining = [i for i in range(len(tasks)) if i not in results]
        # Impure: a task's effect is a file, so a result that the scheduler remembers is no use.
        futures = self.client.map(function, [tasks[i] for i in remaining], pure=False)
        number = dict(zip((f.key for f in futures), remaining, strict=True))
        done = as_completed(futures, with_results=True, raise_errors=True, loop=self.client.loop)  # type: ignore[no-untyped-call]
        for future, result in done:
            if isinstance(result, BaseException):
                raise result
            results[number[future.key]] = result
            on_done(result)
            future.release()


def _check_project(client: Client, address: str) -> None:
    """Raise ClusterError if a machine can't import this project, or has another version of it."""
    # By a function of Python's own: one of ours could not be read where we are not.
    there = client.run_on_scheduler(find_spec, "judging")  # type: ignore[no-untyped-call]
    # Who dies meanwhile is no reason to stop.
    places = {address: there, **client.run(find_spec, "judging", on_error="ignore")}
    without = sorted(place for place, spec in places.items() if spec is None)
    if without:
        raise ClusterError(
            f"{', '.join(without)}: expected this project, found none; start scheduler and workers in its folder, "
            "as `python -m dask scheduler` and `python -m dask worker`"
        )
    codes = client.run(project_code, on_error="ignore")
    other = sorted(place for place, code in codes.items() if code != project_code())
    if other:
        raise ClusterError(f"{', '.join(other)}: expected this version of the project, found another")


def project_code() -> str:
    """Digest of what a step's numbers follow from, on the machine that is asked."""
    folder = Path(__file__).parents[1]
    files = sorted(p for part in ("corpus", "stats", "scorers") for p in (folder / part).rglob("*.py"))
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:16]


LOST = (OSError, CommClosedError, FutureCancelledError, KilledWorker, ClusterError, TimeoutError)
