import re
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.folder import FolderError
from annotate.folder.progress import bar
from annotate.formats import FORMATS, Options
from annotate.formats.numbers import is_plain
from annotate.formats.votes import MEANINGS
from judging.imports.study import Imported, import_study, left_out_table


class Command(BaseCommand):
    # The other checks load every page, and the pages load pandas: a second, and 100 MB.
    requires_system_checks = [Tags.models]
    help = "Bring in a study from files of another tool: all of it, or nothing.\n\nFormats:\n" + "\n".join(
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
        parser.add_argument(
            "--map", nargs="+", default=[], metavar="ROLE=COLUMN", help="what columns of a plain table mean"
        )
        parser.add_argument(
            "--values", nargs="+", default=[], metavar="VALUE=MEANING",
            help=f"what coded votes mean ({', '.join(MEANINGS)}), or which number a word stands for",
        )  # fmt: skip
        parser.add_argument(
            "--decimal", choices=[".", ","], default="", help="the decimal mark of numbers in texts"
        )
        parser.add_argument(
            "--scorer", default="", help="the machine whose scores the files hold, if they don't say"
        )
        parser.add_argument(
            "--encoding", default="", help="of files of text; left out: UTF-8, or as it can be told"
        )
        parser.add_argument(
            "--quotes", choices=["cells", "letters"], default="", help="what quotes mean in CSV"
        )
        parser.add_argument(
            "--header", default="", metavar="NAME,NAME", help="the columns of a file without a header"
        )
        parser.add_argument(
            "--skip-bad-rows", nargs="?", const="left-out.csv", metavar="FILE",
            help="bring in the rows that are right, and write those left out, with reasons, to FILE (left-out.csv)",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="only say what would come in")

    def handle(self, *, files: list[str], format: str, dry_run: bool, **given: Any) -> None:
        if given["formats"]:
            self.stdout.write("\n".join(f.line for f in FORMATS.values()))
            return
        if not files:
            raise CommandError("Name at least one file.")
        slug = given["slug"] or slug_of(files[0])
        options = Options(
            slug=slug,
            title=given["title"],
            seats=given["seats"],
            language=given["language"],
            voters=given["voters"],
            scorer=given["scorer"],
            values=values_of(given["values"]),
            decimal=given["decimal"],
            encoding=given["encoding"],
            quotes=given["quotes"],
            header=tuple(filter(None, given["header"].split(","))),
            mapping=mapping_of(given["map"]),
            skip_bad_rows=given["skip_bad_rows"] is not None,
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
            path = Path(given["skip_bad_rows"])
            path.write_text(left_out_table(imported.left_out), encoding="utf-8")
            self.stdout.write(f"{len(imported.left_out):,} rows were left out; each with its reason: {path}")

    def _say(self, imported: Imported, slug: str, *, dry_run: bool) -> None:
        reading = imported.reading
        self.stdout.write(
            f"Read {reading.rows_read:,} rows as {reading.format.name} ({reading.format.title})."
        )
        for line in reading.remarks:
            self.stdout.write(f"- {line}")
        new = ", ".join(f"{n:,} {table}" for table, n in imported.new.items() if n) or "nothing new"
        self.stdout.write(f"{slug}: {'would come in' if dry_run else 'came in'}: {new}")


def slug_of(file: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", Path(file).name.partition(".")[0]).strip("-")[:100] or "imported"


def mapping_of(pairs: list[str], option: str = "--map", form: str = "ROLE=COLUMN") -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"{option}: expected {form}, found {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)


def values_of(pairs: list[str]) -> dict[str, str]:
    """What values mean; a value may hold an = itself, as in A>=B."""
    values = {}
    for pair in pairs:
        value, _, meaning = pair.rpartition("=")
        if not value or (meaning not in MEANINGS and not is_plain(meaning)):
            raise CommandError(f"--values: expected VALUE={'|'.join(MEANINGS)} or a number, found {pair!r}")
        values[value] = meaning
    return values
