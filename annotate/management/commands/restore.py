from pathlib import Path
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.backup import BackupError, restore

LOST = {
    "SECRET_KEY": "earlier invite links, personal links and sessions are no longer valid",
    "PSEUDONYM_KEY": "returning panel participants count as new annotators",
}


class Command(BaseCommand):
    # The other checks load every page: a second, and 55 MB.
    requires_system_checks = [Tags.models]
    help = "Replace everything with a backup; if it fails, nothing changes. Stop the servers first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="even if there are studies or accounts")

    def handle(self, *, file: Path, force: bool, **options: Any) -> None:
        try:
            manifest, other = restore(file, force=force)
        except BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(table["rows"] for table in manifest["tables"].values())
        self.stdout.write(
            f"{file} of {manifest['made_at']}: {rows:,} rows of {len(manifest['tables'])} tables restored"
        )
        for name in other:
            self.stderr.write(self.style.WARNING(f"Another {name} than when it was made: {LOST[name]}."))
