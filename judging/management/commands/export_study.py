from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate import trail
from annotate.folder import FolderError, Form
from annotate.folder.progress import bar
from annotate.folder.tables import FORMS
from annotate.management.study_named import study_named
from annotate.models import Action
from judging.exports.writers import WRITERS, export


class Command(BaseCommand):
    # The other checks load every page: a second, and 55 MB.
    requires_system_checks = [Tags.models]
    help = "Write a study as a folder that load_study reads, or in another tool's format.\n\n" + "\n".join(
        f"  {w.name:20} {w.title}" for w in WRITERS.values()
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("folder")
        parser.add_argument("--as", dest="name", choices=WRITERS, default="folder", metavar="NAME")
        parser.add_argument("--format", choices=FORMS, default="jsonl", help="of a study folder")
        parser.add_argument("--gzip", action="store_true", help="compress the tables of a study folder")
        parser.add_argument(
            "--raw-cells",
            action="store_true",
            help="leave texts that begin with = + - @ as they are, although a spreadsheet would run them as formulas",
        )

    def handle(self, *, slug: str, folder: str, name: str, raw_cells: bool, **given: Any) -> None:
        study = study_named(slug)
        form = Form(given["format"], given["gzip"])
        try:
            exported = export(study, folder, name, form, escape=not raw_cells, progress=bar)
        except FolderError as error:
            raise CommandError(str(error)) from error
        trail.note(study, Action.EXPORTED, name, folder=folder)
        self.stdout.write(f"{exported} → {folder}")
