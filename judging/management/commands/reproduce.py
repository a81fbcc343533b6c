import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.folder import FolderError
from judging.folder.reproduction import reproduce


class Command(BaseCommand):
    help = "Recompute results from an exported study folder. The database is not changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", help="what export_study wrote, as a study folder or --as huggingface")
        parser.add_argument(
            "--tables", help="what export_study --as tables wrote: every result in it is compared"
        )
        parser.add_argument("--json", action="store_true", help="print the results")

    def handle(self, *, folder: str, tables: str | None, **options: Any) -> None:
        try:
            done = reproduce(Path(folder), Path(tables) if tables else None)
        except FolderError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(done.results, ensure_ascii=False, indent=2))
        if tables:
            for path, before, after in done.different[:20]:
                self.stderr.write(f"{path}: the tables say {before}, computed {after}")
            if done.different:
                raise CommandError(f"{len(done.different):,} of {done.compared:,} values differ")
            self.stdout.write(f"All {done.compared:,} values are the same.")
