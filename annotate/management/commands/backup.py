from pathlib import Path
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.backup import BackupError, backup


class Command(BaseCommand):
    # The other checks load every page: a second, and 55 MB.
    requires_system_checks = [Tags.models]
    help = (
        "Write the whole database, pending uploads and finished exports to one file, consistently, while people work. "
        "The secret keys are not included: keep them separately."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            manifest = backup(file)
        except BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(table["rows"] for table in manifest["tables"].values())
        self.stdout.write(
            f"{file}: {rows:,} rows of {len(manifest['tables'])} tables, {len(manifest['files'])} files, "
            f"{file.stat().st_size / 2**20:.1f} MB"
        )
        self.stdout.write(
            "It does not include SECRET_KEY and PSEUDONYM_KEY. Without the first, invite links and sessions become "
            "invalid; without the second, returning panel participants count as new ones."
        )
