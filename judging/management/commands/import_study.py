import re
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.folder import FolderError
from annotate.folder.progress import bar
from annotate.formats import FORMATS
from judging.imports.study import Imported, import_study
from judging.management import reading_arguments


class Command(BaseCommand):
    # The other checks load every page: a second, and 55 MB.
    requires_system_checks = [Tags.models]
    help = "Import a study from another tool's files: all of it, or nothing.\n\nFormats:\n" + "\n".join(
        f"  {f.name:20} {f.title}" for f in FORMATS.values()
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", metavar="FILE", help="a file, or a folder of `datasets`")
        parser.add_argument(
            "--formats", action="store_true", help="only list the formats, as the README has them"
        )
        parser.add_argument(
            "--as", dest="format", default="", metavar="NAME", help="default: detected automatically"
        )
        parser.add_argument("--slug", help="of the study; left out: the first file's name")
        parser.add_argument("--title", default="")
        parser.add_argument("--seats", type=int, help="annotators wanted for each item")
        parser.add_argument("--language", default="", help="of the texts (BCP 47)")
        parser.add_argument("--split", default="", help="of a `datasets` folder; left out: all")
        parser.add_argument("--voters", choices=["auto", "people", "machines"], default="auto")
        reading_arguments.add_to(parser)

    def handle(self, *, files: list[str], format: str, dry_run: bool, **given: Any) -> None:
        if given["formats"]:
            self.stdout.write("\n".join(f.line for f in FORMATS.values()))
            return
        if not files:
            raise CommandError("Name at least one file.")
        slug = given["slug"] or slug_of(files[0])
        options = reading_arguments.options_of(
            given,
            slug=slug,
            title=given["title"],
            seats=given["seats"],
            language=given["language"],
            voters=given["voters"],
            progress=bar,
        )
        try:
            imported = import_study(
                [Path(f) for f in files], format, options, split=given["split"], dry_run=dry_run
            )
        except FolderError as error:
            raise CommandError(str(error)) from error
        self._say(imported, slug, dry_run=dry_run)
        if imported.left_out:
            self.stdout.write(reading_arguments.write_list(imported.left_out, given["skip_bad_rows"]))

    def _say(self, imported: Imported, slug: str, *, dry_run: bool) -> None:
        reading = imported.reading
        self.stdout.write(
            f"Read {reading.rows_read:,} rows as {reading.format.name} ({reading.format.title})."
        )
        for line in reading.remarks:
            self.stdout.write(f"- {line}")
        new = ", ".join(f"{n:,} {table}" for table, n in imported.new.items() if n) or "nothing new"
        self.stdout.write(f"{slug}: {'would import' if dry_run else 'imported'} {new}")


def slug_of(file: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", Path(file).name.partition(".")[0]).strip("-")[:100] or "imported"
