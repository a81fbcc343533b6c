from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.management.study_named import study_named
from annotate.models import Study
from judging.runs import batch_files

NAMED = 20


class Command(BaseCommand):
    help = "Write an endpoint scorer's calls to a batch file (JSONL), or read the results back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["write", "read"])
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument("--scorer", required=True)

    def handle(self, *, what: str, slug: str, file: Path, scorer: str, **options: Any) -> None:
        study = study_named(slug)
        try:
            (self._write if what == "write" else self._read)(study, scorer, file)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        except ValueError as error:
            raise CommandError(str(error)) from error

    def _write(self, study: Study, scorer: str, file: Path) -> None:
        written = batch_files.write(study, scorer, file)
        self.stdout.write(
            f"{file}: {written.lines:,} calls to be answered; {written.answered_before:,} were answered before"
        )

    def _read(self, study: Study, scorer: str, file: Path) -> None:
        batch, task = batch_files.read(study, scorer, file)
        self.stdout.write(
            f"{file}: {batch.kept:,} answers kept, {len(batch.failures):,} failed, "
            f"{batch.foreign:,} of other calls or known before"
        )
        for key, why in batch.failures[:NAMED]:
            self.stdout.write(f"  {key}: {why}")
        if len(batch.failures) > NAMED:
            self.stdout.write(f"  and {len(batch.failures) - NAMED:,} more")
        self.stdout.write(
            f"{study.slug}: {task.done - task.failed:,} scored, {task.failed:,} without a number, "
            f"{task.total - task.done:,} still to be asked"
        )
