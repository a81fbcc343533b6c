from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from annotate import submissions
from annotate.folder import FolderError
from annotate.management.study_named import study_named


class Command(BaseCommand):
    help = "Read a panel's export of its submissions, and exclude those whom the panel rejected."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="of the study")
        parser.add_argument("file", type=Path, help="as Prolific or Mechanical Turk exports it")
        parser.add_argument(
            "--exclude",
            nargs="+",
            metavar="STATUS",
            default=[submissions.REJECTED],
            help="statuses whose people do not count (default: rejected)",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")

    def handle(self, *args: Any, slug: str, file: Path, exclude: list[str], **options: Any) -> None:
        study = study_named(slug)
        try:
            export = submissions.read(study, file)
        except FolderError as error:
            raise CommandError(str(error)) from error
        wanted = {status.lower() for status in exclude}
        if unknown := wanted - set(export.statuses) - {submissions.REJECTED}:
            known = ", ".join(export.statuses)
            raise CommandError(f"no submission is “{', '.join(sorted(unknown))}”; there are {known}")
        with transaction.atomic():
            people = submissions.affected(study, export.people, wanted)
            if not options["dry_run"]:
                submissions.exclude(people)
        self.stdout.write("\n".join(_lines(export, people, options["dry_run"])))


def _lines(export: submissions.Submissions, people: submissions.Affected, dry_run: bool) -> list[str]:
    counts = ", ".join(f"{n:,} {status}" for status, n in export.statuses.most_common())
    lines = [f"{export.n:,} submissions: {counts}."]
    if export.unnamed:
        lines.append(f"{export.unnamed:,} more name nobody, and were passed over.")
    would = "would be excluded" if dry_run else "excluded"
    lines += [f"{annotator}: {would} ({status})" for annotator, status in people.now]
    lines.append(
        f"{len(people.now):,} {would}; {len(people.before):,} were before; {people.never_came:,} never came here."
    )
    lines += [
        f"{annotator}: left as it is, since the panel says several things" for annotator in people.unclear
    ]
    return lines
