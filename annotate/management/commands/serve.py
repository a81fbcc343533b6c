import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.config import metrics

MEMORY = Path("/dev/shm")  # noqa: S108 - the folder has a name and a mode of its own
# Bytes that the counters of many workers never reach.
ROOM = 32 * 2**20


class Command(BaseCommand):
    help = "Serve with a production server (granian). Run `migrate` and `collectstatic` first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=2)

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        """Become the server: this process ends only with it."""
        check_free(host, port)
        if folder := _folder_in_memory():
            os.environ[metrics.FOLDER] = str(folder)
        else:
            self.stderr.write(f"No room in {MEMORY}: each server process counts its requests for itself.")
        command = ["-m", "granian", "--interface", "asginl", "--host", host, "--port", str(port)]
        command += ["--workers", str(workers), "--respawn-failed-workers"]
        command += ["--no-ws", "--log-level", "warning", "annotate.config.asgi:application"]
        os.execv(sys.executable, [sys.executable, *command])  # noqa: S606


def _folder_in_memory() -> Path | None:
    """Where the server's processes count together; what servers counted that have ended is over.

    Counters are mapped into memory. On a disk that fills up, the next count would end the process, and every one
    after it.
    """
    name = f"offbeat-metrics-{os.getuid()}-"
    folder = MEMORY / f"{name}{os.getpid()}"
    try:
        for old in MEMORY.glob(f"{name}*"):
            if old == folder or not Path("/proc", old.name.removeprefix(name)).exists():
                shutil.rmtree(old, ignore_errors=True)
        if shutil.disk_usage(MEMORY).free < ROOM:
            return None
        folder.mkdir(mode=0o700)
    except OSError:
        return None
    return folder


def check_free(host: str, port: int) -> None:
    # The server shares its port among workers, so it would share it with another server too, without a word.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"{host}:{port} can't be used ({error.strerror}); choose another port"
            ) from error
