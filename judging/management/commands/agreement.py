import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate import trail
from annotate.models import Action, Study
from judging.management.study_commands import study_named
from judging.results import agreement as agreements
from judging.results.agreement import Details, Entry
from judging.results.agreement.tables import TABLES, as_csv
from judging.results.text import text


class Command(BaseCommand):
    help = "How far annotators agree on each criterion of a study."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--json", action="store_true", help="one JSON object, numbers at full precision")
        parser.add_argument(
            "--tables",
            metavar="DIR",
            type=Path,
            help="also write CSV tables: items with soft labels, and annotators, of each criterion",
        )

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        study = study_named(slug)
        if options["tables"]:
            self._write(study, options["tables"])
        found = agreements.report(study)
        if options["json"]:
            self.stdout.write(json.dumps(agreements.as_json(study, found), indent=2))
            return
        if study.simulated:
            self.stdout.write("The stored annotators of this study are simulated.")
        for entry in found.entries:
            self.stdout.write(_line(entry))
        for details in found.details:
            self.stdout.write(_more(details))

    def _write(self, study: Study, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for criterion in study.criteria.all():
                for name, table in TABLES.items():
                    found = table(criterion)
                    if found is not None:
                        path = folder / f"{criterion.key}-{name}.csv"
                        path.write_text(as_csv(found), encoding="utf-8", newline="")
            trail.note(study, Action.EXPORTED, "agreement", folder=str(folder))
        except OSError as error:
            raise CommandError(f"--tables {folder}: {error.strerror}") from error


def _line(e: Entry) -> str:
    return (
        f"{e.criterion.key} ({e.criterion.kind}, {e.level}): alpha {text(e.alpha)}, for new annotators too "
        f"{text(e.alpha_new_annotators)}; "
        f"percent agreement {text(e.percent_agreement)}; reliability of the mean {text(e.reliability_of_mean)}; "
        f"{e.n_items:,} items, {e.n_annotators:,} annotators, {e.n_answers:,} answers"
    )


def _more(d: Details) -> str:
    lines = [f"{d.criterion.key}, further:"]
    lines += [f"  {f.label}: {text(f.estimate)}, n = {f.estimate.n:,}" for f in d.figures]
    lines += [
        f"  {f.label}, {c.weights} weights: {text(f.estimate)}" for c in d.coefficients for f in c.figures
    ]
    lines += [f"  {s.source}: strength {text(s.strength)} from {s.n:,} preferences" for s in d.sources]
    return "\n".join([*lines, *([f"  No order of sources: {d.no_sources}"] if d.no_sources else [])])
