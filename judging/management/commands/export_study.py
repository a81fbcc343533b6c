from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.folder import FolderError, Form
from annotate.folder.progress import bar
from annotate.folder.tables import FORMS
from annotate.models import Study
from judging.exports import export_folder


class Command(BaseCommand):
    # The other checks load every page, and the pages load pandas: a second, and 100 MB.
    requires_system_checks = [Tags.models]
    help = "Write a study as a folder that load_study reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("folder")
        parser.add_argument("--format", choices=FORMS, default="jsonl")
        parser.add_argument("--gzip", action="store_true", help="compress the tables")

    def handle(self, *, slug: str, folder: str, format: str, gzip: bool, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"There is no study {slug!r}.")
        try:
            exported = export_folder(study, folder, Form(format, gzip), progress=bar)
        except FolderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{exported} → {folder}")
