from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotate import trail
from annotate.management.study_named import study_named
from annotate.models import Action, Study
from judging.management.result_command import ResultCommand
from judging.results.agreement.tables import TABLES, as_csv


class Command(ResultCommand):
    name = "agreement"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--tables",
            metavar="DIR",
            type=Path,
            help="also write CSV tables: items with soft labels, and annotators, of each criterion",
        )

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        if options["tables"]:
            self._write(study_named(slug), options["tables"])
        super().handle(*args, slug=slug, **options)

    def _write(self, study: Study, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for criterion in study.criteria.all():
                for name, table in TABLES.items():
                    rows = table(criterion)
                    if rows is not None:
                        path = folder / f"{criterion.key}-{name}.csv"
                        path.write_text(as_csv(rows), encoding="utf-8", newline="")
            trail.note(study, Action.EXPORTED, "agreement", folder=str(folder))
        except OSError as error:
            raise CommandError(f"--tables {folder}: {error.strerror}") from error
