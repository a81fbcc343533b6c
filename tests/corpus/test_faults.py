"""Scheduler and workers as separate processes, killed in the middle of a run."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import Client

from judging.corpus import runs
from judging.corpus.cluster import Cluster, ClusterError
from judging.corpus.pool import Pool, write_pool
from tests.corpus.conftest import rows
from tests.corpus.test_corpus import results

SLOW = runs.Column('"tests.corpus.made.Slow"', "made")
ROOT = Path(__file__).parents[2]


class Machines:
    """A scheduler and its workers, each a process of its own with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, ExitStack()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.log = self.stack.enter_context((folder / "processes.log").open("ab"))
        # Below the ports of outgoing connections: a client that keeps calling a dead scheduler would take its port.
        self.port = next(port for port in range(21_000 + os.getpid() % 5_000, 30_000) if not listening(port))

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def isolated_scheduler(self) -> None:
        """One that has Dask and does not have this project."""
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        command = [sys.executable, "-I", "-m", "distributed.cli.dask_scheduler", *options]
        self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log))
        until(lambda: listening(self.port))

    def scheduler(self, **environment: str) -> subprocess.Popen[bytes]:
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        started = self._start("scheduler", *options, cwd=ROOT, **environment)
        until(lambda: listening(self.port))
        return started

    def worker(self, cwd: Path = ROOT, **environment: str) -> subprocess.Popen[bytes]:
        own = self.folder / f"worker-{len(self.processes)}"
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(own)]
        return self._start("worker", self.address, "--host", "127.0.0.1", *options, cwd=cwd, **environment)

    def _start(self, *command: str, cwd: Path = ROOT, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:]],
            cwd=cwd,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        self.stack.close()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    made.scheduler()
    yield made
    made.stop()


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    made = Pool(str(tmp_path / "pool"))
    write_pool(made, rows(prompts=40), partitions=12)
    return made


def manifests(pool: Pool) -> list[Path]:
    return sorted(Path(pool.path("corpus", "made", "embeddings")).glob("*.json"))


def during(pool: Pool, done: int, act: Callable[[], None]) -> threading.Thread:
    """Acts once so many partitions are done."""

    def wait() -> None:
        until(lambda: len(manifests(pool)) >= done)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def whole(pool: Pool) -> None:
    found = results(pool, "embeddings")
    assert sorted(found["response_id"]) == sorted(r["response_id"] for r in rows(prompts=40))
    assert not list(Path(pool.path("corpus", "made", "embeddings")).glob(".*"))


def test_a_killed_worker_is_survived(machines: Machines, pool: Pool) -> None:
    first = machines.worker()
    machines.worker()
    acting = during(pool, 2, lambda: os.kill(first.pid, signal.SIGKILL))
    with Cluster(machines.address) as cluster:
        ran = runs.embed(pool, SLOW, cluster)
    acting.join()
    assert first.wait() == -signal.SIGKILL
    assert ran.responses == 480
    whole(pool)


def test_a_machine_without_the_project_is_named(tmp_path: Path, pool: Pool) -> None:
    machines = Machines(tmp_path)
    try:
        machines.isolated_scheduler()
        with (
            Cluster(machines.address) as cluster,
            pytest.raises(
                ClusterError, match=f"{machines.address}: expected this project, found none; start"
            ),
        ):
            runs.embed(pool, SLOW, cluster)
    finally:
        machines.stop()


def test_a_worker_with_another_version_is_named(machines: Machines, pool: Pool, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "judging", copy / "judging", ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "judging" / "stats" / "similarity" / "homogeneity.py").open("a") as file:
        file.write("THRESHOLDS = (0.1,)\n")
    machines.worker(cwd=copy, PYTHONPATH=str(copy))
    until(lambda: seen(machines))
    with Cluster(machines.address) as cluster, pytest.raises(ClusterError, match="expected this version"):
        runs.embed(pool, SLOW, cluster)


def seen(machines: Machines) -> bool:
    """Whether the scheduler has a worker."""
    with Client(machines.address, set_as_default=False) as client:
        return bool(client.scheduler_info()["workers"])


def test_a_worker_that_falls_silent_is_survived(tmp_path: Path, pool: Pool) -> None:
    """Slow to the end: it is given up, and what it had is done by the other; then it wakes, and spoils nothing."""
    machines = Machines(tmp_path)
    try:
        machines.scheduler(DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="10s")
        slow = machines.worker()
        machines.worker()
        acting = during(pool, 2, lambda: os.kill(slow.pid, signal.SIGSTOP))
        with Cluster(machines.address) as cluster:
            ran = runs.embed(pool, SLOW, cluster)
            acting.join()
            assert ran.responses == 480
            whole(pool)
            os.kill(slow.pid, signal.SIGCONT)
            assert runs.embed(pool, SLOW, cluster).computed == 0
        whole(pool)
    finally:
        machines.stop()


def test_a_restarted_scheduler_is_survived(machines: Machines, pool: Pool) -> None:
    old, worker = machines.processes[0], machines.worker()

    def restart() -> None:
        old.kill()
        worker.kill()
        old.wait()
        machines.scheduler()
        machines.worker()

    acting = during(pool, 3, restart)
    with Cluster(machines.address) as cluster:
        ran = runs.embed(pool, SLOW, cluster)
    acting.join()
    assert ran.responses == 480
    whole(pool)


def test_a_killed_run_goes_on_where_it_was(machines: Machines, pool: Pool) -> None:
    machines.worker()
    code = (
        "import sys; from judging.corpus import runs; from judging.corpus.cluster import Cluster; "
        "from judging.corpus.pool import Pool; "
        "column = runs.Column('\"tests.corpus.made.Slow\"', 'made'); "
        "runs.embed(Pool(sys.argv[2]), column, Cluster(sys.argv[1]))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, machines.address, pool.url], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    until(lambda: len(manifests(pool)) >= 3)
    run.kill()
    run.wait()
    kept = {p: p.stat().st_mtime_ns for p in manifests(pool)}
    with Cluster(machines.address) as cluster:
        ran = runs.embed(pool, SLOW, cluster)
    assert ran.responses == 480
    assert ran.computed <= 480 - 3 * 12
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    whole(pool)
