import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.config import metrics

THREADS = 2


class Command(BaseCommand):
    help = "Serve with a production server (granian). Run `migrate` and `collectstatic` first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=2)

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        """Become the server: this process ends only with it."""
        check_free(host, port)
        os.environ[metrics.FOLDER] = str(_empty_folder(f"metrics-{port}"))
        command = ["-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)]
        # Threads take turns in Python, but one that waits for a slow sender's body must not stop the others.
        command += ["--workers", str(workers), "--blocking-threads", str(THREADS), "--respawn-failed-workers"]
        command += ["--no-ws", "--log-level", "warning", "annotate.config.wsgi:application"]
        os.execv(sys.executable, [sys.executable, *command])  # noqa: S606


def _empty_folder(name: str) -> Path:
    """Where the server's processes count together; what an earlier server counted is over."""
    folder = Path(settings.WORK_DIR) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
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
