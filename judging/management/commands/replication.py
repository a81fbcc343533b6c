import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from judging.management.study_commands import study_named
from judging.results.replication.report import Panel, ReplicationError, json_of, report
from judging.stats import Cell, Estimate


class Command(BaseCommand):
    help = (
        "The subset correlations of the Artificial Hivemind paper on this study, each beside what selecting the subset "
        "alone would give."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--scorer", help="only this one")
        parser.add_argument("--json", action="store_true", help="one JSON object, numbers at full precision")

    def handle(self, *args: Any, slug: str, scorer: str | None, **options: Any) -> None:
        study = study_named(slug)
        if options["json"]:
            self.stdout.write(json.dumps(json_of(study, scorer), indent=2))
            return
        try:
            found = report(study, scorer)
        except ReplicationError as error:
            raise CommandError(str(error)) from error
        if study.simulated:
            self.stdout.write("The stored annotators and scorers of this study are simulated.")
        for panel in found:
            self.stdout.write(_text(panel))


def _text(panel: Panel) -> str:
    out = f", {panel.n_left_out:,} judged without a number" if panel.n_left_out else ""
    head = f"{panel.scorer} on {panel.criterion.key} ({panel.n_judged:,} judged{out})"
    if panel.reason:
        return f"{head}: undefined. {panel.reason}"
    read = ", ".join(f"{n} {reading}" for reading, n in panel.read)
    lines = [_line(*row) for row in panel.rows]
    return "\n".join([f"{head}. Of the subsets' cells {read}.", _line(*panel.rows[0], names=True), *lines])


def _line(*row: Cell, names: bool = False) -> str:
    """A subset's correlations, each with its n, and after the bar what selection alone gives."""
    if names:
        head = [f"{c.method.capitalize()} {c.scope}: found | selection alone" for c in row]
    else:
        head = [f"{_shown(c.found)} n={c.found.n:,} | {_shown(c.null)}" for c in row]
    label = "subset" if names else f"{row[0].family.value} {row[0].label if row[0].setting else ''}"
    return "  ".join([f"  {label:20}", *[f"{h:53}" for h in head]]).rstrip()


def _shown(e: Estimate) -> str:
    if e.estimate is None:
        return "undefined"
    return f"{e.estimate:+.2f}" + ("" if e.low is None else f" [{e.low:+.2f}, {e.high:+.2f}]")
