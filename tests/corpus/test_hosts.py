"""A scheduler and two workers on hosts of their own, network namespaces joined by a bridge; one is cut off mid-way."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from judging.corpus.pool import Pool, write_pool
from tests.corpus.conftest import rows
from tests.corpus.test_faults import ROOT, manifests, until, whole

BOSS, HOSTS = "offbeat-boss", ("offbeat-one", "offbeat-two")
RUN = """
import json, sys
from judging.corpus import runs
from judging.corpus.cluster import Cluster
from judging.corpus.pool import Pool
with Cluster(sys.argv[1]) as cluster:
    ran = runs.embed(Pool(sys.argv[2]), runs.Column(json.dumps("tests.corpus.made.Slow"), "made"), cluster)
print(json.dumps([ran.responses, ran.computed]))
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def remove() -> None:
    for name in (BOSS, *HOSTS):
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def on(host: str, *command: str, out: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        # A host that is silent for so long is given up.
        "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "5s",
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "10",
    }
    return subprocess.Popen(
        ["ip", "netns", "exec", host, sys.executable, *command],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=out,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def hosts() -> Iterator[None]:
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("network namespaces need root and the command ip")
    remove()
    try:
        for name in (BOSS, *HOSTS):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", BOSS, "link", "add", "bridge", "type", "bridge")
        ip("-n", BOSS, "addr", "add", "10.77.0.1/24", "dev", "bridge")
        ip("-n", BOSS, "link", "set", "bridge", "up")
        for number, name in enumerate(HOSTS, 2):
            ip(
                "-n",
                BOSS,
                "link",
                "add",
                f"to-{number}",
                "type",
                "veth",
                "peer",
                "name",
                "wire",
                "netns",
                name,
            )
            ip("-n", BOSS, "link", "set", f"to-{number}", "master", "bridge", "up")
            ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
    except subprocess.CalledProcessError as error:
        remove()
        pytest.skip(f"network namespaces can't be made here: {error.stderr.decode().strip()}")
    yield
    remove()


def test_a_host_that_is_cut_off_is_survived(hosts: None, tmp_path: Path) -> None:
    pool = Pool(str(tmp_path / "pool"))
    write_pool(pool, rows(prompts=40), partitions=12)
    module = "distributed.cli.dask_"
    processes = [
        on(BOSS, "-m", f"{module}scheduler", "--host", "10.77.0.1", "--port", "8786", "--no-dashboard")
    ]
    try:
        for number, name in enumerate(HOSTS, 2):
            own = ["--local-directory", str(tmp_path / name), "--host", f"10.77.0.{number}"]
            options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", *own]
            processes.append(on(name, "-m", f"{module}worker", "tcp://10.77.0.1:8786", *options))
        run = on(BOSS, "-c", RUN, "tcp://10.77.0.1:8786", pool.url, out=subprocess.PIPE)
        processes.append(run)
        until(lambda: len(manifests(pool)) >= 3)
        ip("-n", BOSS, "link", "set", "to-2", "down")
        out, _ = run.communicate()
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
    assert json.loads(out)[0] == 480
    time.sleep(0.5)
    whole(pool)
