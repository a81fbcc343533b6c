import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.models import Study
from judging.agreement import Entry, agreement, as_json
from judging.stats import Estimate


class Command(BaseCommand):
    help = "How far annotators agree on each criterion of a study."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--json", action="store_true", help="one JSON object, numbers at full precision")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"no study with slug {slug!r}")
        entries = agreement(study)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(study, entries), indent=2))
            return
        if study.simulated:
            self.stdout.write("The stored annotators of this study are simulated.")
        for entry in entries:
            self.stdout.write(_line(entry))


def _line(e: Entry) -> str:
    return (
        f"{e.criterion.key} ({e.criterion.kind}, {e.level}): alpha {_shown(e.alpha)}; "
        f"percent agreement {_shown(e.percent_agreement)}; reliability of the mean {_shown(e.reliability_of_mean)}; "
        f"{e.n_items:,} items, {e.n_annotators:,} annotators, {e.n_answers:,} answers"
    )


def _shown(e: Estimate) -> str:
    if e.estimate is None:
        return f"undefined ({e.reason})"
    interval = f"[{e.low:.3f}, {e.high:.3f}]" if e.low is not None else f"(no interval: {e.reason})"
    return f"{e.estimate:.3f} {interval}"
