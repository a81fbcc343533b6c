import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.models import Study
from judging.audit import AuditError, Row, as_json, audit, sources


class Command(BaseCommand):
    help = "Whether the scorers of a study underrate unusual answers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--scorer", help="only this one")
        parser.add_argument("--json", action="store_true", help="one JSON object, numbers at full precision")

    def handle(self, *args: Any, slug: str, scorer: str | None, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"no study with slug {slug!r}")
        if options["json"]:
            self.stdout.write(json.dumps(as_json(study, scorer), indent=2))
            return
        try:
            found, rows = sources(study), audit(study, scorer)
        except AuditError as error:
            raise CommandError(str(error)) from error
        if study.simulated:
            self.stdout.write("The stored annotators and scorers of this study are simulated.")
        for row in rows:
            self.stdout.write(_text(row))
        if found.truncated:
            self.stdout.write(f"Read only in part by {found.embedder.scorer}: {found.truncated:,} responses.")


def _text(row: Row) -> str:
    r, e = row.result, row.result.underrating
    estimate = "undefined" if e.estimate is None else f"{e.estimate:+.3f}"
    interval = "" if e.low is None else f" [{e.low:+.3f}, {e.high:+.3f}]"
    naive = "undefined" if r.naive.estimate is None else f"{r.naive.estimate:+.3f}"
    return (
        f"{row.scorer} on {row.criterion.key}: {r.verdict_text}. Underrating {estimate}{interval} "
        f"({r.n_prompts:,} prompts, {r.n_responses:,} responses, {r.n_annotators:,} annotators); naive {naive}\n"
        + "\n".join(f"    {line}" for line in [r.reason, *r.notes])
    )
