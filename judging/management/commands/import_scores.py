import sys
from pathlib import Path
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.folder import FolderError
from annotate.folder.progress import bar
from annotate.management.study_named import study_named
from annotate.models import Study
from judging.folder.scores import import_scores
from judging.management import reading_arguments

FOREIGN = (
    "scorer", "score_version", "map", "values", "decimal", "encoding", "quotes", "header", "skip_bad_rows", "dry_run",
)  # fmt: skip


class Command(BaseCommand):
    # The other checks load every page: a second, and 55 MB.
    requires_system_checks = [Tags.models]
    help = "Add a file of scores (.jsonl, .csv or .parquet, plain or .gz) to a study: everything or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file")
        parser.add_argument(
            "--as", dest="form", help="what another tool wrote: rewardbench, judgebench, table …"
        )
        parser.add_argument("--score-version", default="")
        reading_arguments.add_to(parser)
        parser.add_argument("--yes", action="store_true", help="store what matches without asking")

    def handle(self, *, slug: str, file: str, form: str | None, **options: Any) -> None:
        study = study_named(slug)
        if form is not None:
            self._foreign(study, form, Path(file), options)
            return
        # A study folder's own scores have one way to be read.
        if foreign := [f"--{name.replace('_', '-')}" for name in FOREIGN if options[name]]:
            raise CommandError(f"{', '.join(foreign)}: only with --as, for files of other tools")
        try:
            counts = import_scores(study, file, progress=bar)
        except FolderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{slug}: {counts['scores']:,} scores ({counts['new']:,} new)")

    def _foreign(self, study: Study, form: str, file: Path, options: dict[str, Any]) -> None:
        # Imported here: a study's own tables need none of it.
        from annotate.formats import of_name
        from judging.imports.scores import SCORES, join
        from judging.imports.storing import ConflictError, store

        format = of_name(form)
        if format is None or not format.scores:
            raise CommandError(f"There is no format {form!r} of scores; there are {', '.join(SCORES)}.")
        try:
            joined = join(study, [file], format.name, reading_arguments.options_of(options))
            self.stdout.write(f"{file}: {joined.report()}")
            if joined.left_out:
                self.stdout.write(reading_arguments.write_list(joined.left_out, options["skip_bad_rows"]))
            if options["dry_run"] or not joined.matched:
                self.stdout.write("Nothing was stored.")
            elif options["yes"] or self._agreed():
                new = store(study, joined, options["score_version"])
                self.stdout.write(f"{study.slug}: {new:,} stored")
            else:
                raise CommandError("Nothing was stored. To store what matches: --yes")
        except (FolderError, ConflictError) as error:
            raise CommandError(f"{error}\nNothing was stored.") from error

    def _agreed(self) -> bool:
        return sys.stdin.isatty() and input("Store what matches? [y/N] ").strip().lower() == "y"
