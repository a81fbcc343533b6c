import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from judging.management.study_commands import study_named
from judging.results.audit import (
    COSINE,
    NAMES,
    Asked,
    AuditError,
    ContrastRow,
    ControlRow,
    Row,
    as_json,
    report,
)
from judging.stats import Estimate


class Command(BaseCommand):
    help = "Whether the scorers of a study underrate unusual answers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--scorer", help="only this one")
        parser.add_argument(
            "--unusualness",
            default=COSINE,
            metavar="MEASURE",
            help=f"{', '.join(NAMES)}, or two that correct each other: {COSINE}+similarity, {COSINE}+originality",
        )
        parser.add_argument(
            "--embedder", default="", help="by its name and version; by default the one run last"
        )
        parser.add_argument(
            "--groups",
            default="",
            help="kinds of source: written, source, or a name in the responses’ params",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object, numbers at full precision")

    def handle(self, *args: Any, slug: str, scorer: str | None, **options: Any) -> None:
        study = study_named(slug)
        asked = Asked(options["unusualness"], options["embedder"], options["groups"])
        if options["json"]:
            self.stdout.write(json.dumps(as_json(study, scorer, asked), indent=2))
            return
        try:
            found = report(study, asked, scorer)
        except AuditError as error:
            raise CommandError(str(error)) from error
        if study.simulated:
            self.stdout.write("The stored annotators and scorers of this study are simulated.")
        self.stdout.write(f"Unusualness: {found.unusual.words} ({found.unusual.by}).")
        for row in found.rows:
            self.stdout.write(_text(row))
        for control in found.controls:
            self.stdout.write(_control(control))
        for contrast in found.contrasts.rows:
            self.stdout.write(_contrast(contrast))
        if found.unknown_languages:
            self.stdout.write(
                f"{found.named} does not know these languages: {', '.join(found.unknown_languages)}."
            )
        if found.truncated:
            self.stdout.write(f"Read only in part by {found.named}: {found.truncated:,} responses.")


def _text(row: Row) -> str:
    r = row.result
    rests = f"{r.n_prompts:,} prompts, {r.n_responses:,} responses, {r.n_annotators:,} annotators"
    strength = "undefined" if r.strength is None else f"{r.strength:.1f}"
    adjusted = "" if row.p_adjusted is None else f"; p {row.p_adjusted:.3g} among all scorers, one-sided"
    checks = f"split annotators {_shown(row.split_instruments)}; bootstrap {_shown(row.pigeonhole)}"
    return "\n    ".join(
        [
            f"{row.scorer} on {row.criterion.key}: {r.verdict_text}. Underrating {_shown(r.underrating)} "
            f"({rests}); naive {_shown(r.naive)}",
            r.reason,
            f"Strength {strength}; people’s own fall {_shown(r.human)}; checks: {checks}{adjusted}",
            f"Slope on quality where people disagree less where they agree: {_shown(row.divisive.difference)}. "
            f"{row.divisive.reason}",
            *r.notes,
        ]
    )


def _control(row: ControlRow) -> str:
    said = {True: "as it should be", False: "NOT as it should be", None: "can't tell"}[row.control.passed]
    return (
        f"Control, {row.name} on {row.criterion.key}: {said}. {_shown(row.control.underrating)}; "
        f"naive {_shown(row.control.result.naive)}\n    {row.control.reason}"
    )


def _contrast(row: ContrastRow) -> str:
    c = row.found
    rests = f"{c.n_prompts:,} prompts, {c.n_group:,} and {c.n_others:,} responses"
    return (
        f"{c.group} against the others, {row.scorer} on {row.criterion}: scorer’s gap {_shown(c.scorer_gap)} SD, "
        f"people’s {_shown(c.human_gap)} SD, contrast {_shown(c.contrast)} ({rests})\n    {c.reason}"
    )


def _shown(e: Estimate) -> str:
    if e.estimate is None:
        return "undefined"
    return f"{e.estimate:+.3f}" + ("" if e.low is None else f" [{e.low:+.3f}, {e.high:+.3f}]")
