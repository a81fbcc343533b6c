from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotate import pseudonyms
from annotate.management.study_named import study_named
from annotate.models import Annotator


class Command(BaseCommand):
    help = "Print the pseudonym of each given participant id, and whether that annotator is in the study."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="of the study")
        parser.add_argument("ids", nargs="+", metavar="ID", help="as the panel names its participants")

    def handle(self, *args: Any, slug: str, ids: list[str], **options: Any) -> None:
        study_named(slug)
        keys = [pseudonyms.participant(slug, panel_id) for panel_id in ids]
        rows = Annotator.objects.filter(study__slug=slug, key__in=keys)
        known = {a.key: a.outcome or a.stage for a in rows}
        for panel_id, key in zip(ids, keys, strict=True):
            self.stdout.write(f"{panel_id}\t{key}\t{known.get(key, 'never came')}")
