import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from annotate import members
from annotate.management.commands.serve import check_free
from annotate.models import Role, Study
from annotate.views.access import invite_path
from judging.folder.scores import load_folder
from judging.models import Embedding
from judging.runs import work as scoring

DEMO = Path(settings.BASE_DIR) / "fixtures" / "demo"
# Role of each in the demo, and whether the account may make studies of its own.
LOGINS = {
    "owner": (Role.OWNER, True),
    "researcher": (Role.RESEARCHER, True),
    "auditor": (Role.AUDITOR, False),
}


class Command(BaseCommand):
    help = "Set up the database, load the demo study, and serve it with a production server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-serve", action="store_true", help="only set up")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if not options["no_serve"]:
            check_free(host, port)
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        study = self._demo_study()
        password = self._logins(study)
        address = f"http://{host}:{port}"
        self.stdout.write(
            f"\nOffbeat is at      {address}\n"
            f"Rate in the demo   {address}{invite_path(study)}\n"
            f"Log in             {address}/login/  as {', '.join(LOGINS)}"
            + (f", password {password}" if password else "")
            + "\nStop               Ctrl+C\n"
        )
        self.stdout.flush()
        if not options["no_serve"]:
            self._serve(host, port)

    def _serve(self, host: str, port: int) -> None:
        """The server, and beside it a worker for what takes long; both end with this process."""
        server, worker = (
            subprocess.Popen([sys.executable, "manage.py", *command], cwd=settings.BASE_DIR)  # noqa: S603
            for command in (
                ["serve", "--host", host, "--port", str(port)],
                ["db_worker", "--no-reload", "-v0"],
            )
        )
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            # Ctrl+C reaches them too; a worker in the middle of a batch is told again below.
            with suppress(KeyboardInterrupt):
                server.wait()
        finally:
            for process in (server, worker):
                process.terminate()
            server.wait()
            worker.wait()

    def _demo_study(self) -> Study:
        if not Study.objects.filter(slug="demo").exists():
            self.stdout.write("First start: loading the demo study …")
            load_folder(DEMO)
        study = Study.objects.get(slug="demo")
        if not Embedding.objects.filter(run__study=study).exists():
            self.stdout.write("First start: embedding the demo's responses …")
            scoring.score(study, "minilm")
        return study

    def _logins(self, study: Study) -> str:
        """Demo accounts, made only where the environment names a password for them."""
        password = os.environ.get("DEMO_PASSWORD", "")
        for name, (role, staff) in LOGINS.items() if password else ():
            user, _ = get_user_model().objects.get_or_create(username=name, defaults={"is_staff": staff})
            members.add(study, user, role)
            if not user.check_password(password):
                user.set_password(password)
                user.save(update_fields=["password"])
        return password
