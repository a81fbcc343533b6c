import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.models import TrailEntry


class Command(BaseCommand):
    help = "Who did what in a study, oldest first; also for deleted studies."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        entries = TrailEntry.objects.of_study(slug).order_by("pk")
        if not entries.exists():
            raise CommandError(f"There is no trail of a study {slug!r}.")
        for entry in entries.iterator(1_000):
            details = json.dumps(entry.details, ensure_ascii=False) if entry.details else ""
            columns = (entry.at.isoformat(timespec="seconds"), entry.by_name, entry.via, entry.action)
            self.stdout.write("\t".join([*columns, entry.about, details]).rstrip())
