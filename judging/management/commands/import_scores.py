from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.folder import FolderError
from annotate.folder.progress import bar
from annotate.models import Study
from judging.exports import import_scores


class Command(BaseCommand):
    # The other checks load every page, and the pages load pandas: a second, and 100 MB.
    requires_system_checks = [Tags.models]
    help = "Add a file of scores (.jsonl, .csv or .parquet, plain or .gz) to a study: all of it, or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file")

    def handle(self, *, slug: str, file: str, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"There is no study {slug!r}.")
        try:
            counts = import_scores(study, file, progress=bar)
        except FolderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{slug}: {counts['scores']:,} scores ({counts['new']:,} new)")
