from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.folder import FolderError
from annotate.folder.progress import bar
from judging.folder.scores import load_folder


class Command(BaseCommand):
    # The other checks load every page: a second, and 55 MB.
    requires_system_checks = [Tags.models]
    help = "Load a study folder: everything or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder")
        parser.add_argument("--slug", help="load it under this slug")
        parser.add_argument("--replace", action="store_true", help="delete the study of that slug first")
        parser.add_argument(
            "--pool",
            metavar="POOL",
            help="a pool on disk that `corpus` has measured, by folder or URL; default: the study folder, if it is one",
        )

    def handle(
        self, *, folder: str, slug: str | None, replace: bool, pool: str | None, **options: Any
    ) -> None:
        try:
            loaded = load_folder(folder, slug, replace, progress=bar, pool=pool)
        except FolderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(loaded))
        if not loaded.study.memberships.exists():
            hint = f"manage.py member {loaded.study.slug} NAME --role owner"
            self.stderr.write(f"It has no members yet, so only superusers see it. Add one: {hint}")
