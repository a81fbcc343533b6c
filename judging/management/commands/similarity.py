import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from judging.management.study_commands import shown, study_named
from judging.results.similarity import report as similarities
from judging.results.similarity.report import Comparison, Row


class Command(BaseCommand):
    help = "How alike people find two responses against how alike embeddings make them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--json", action="store_true", help="one JSON object, numbers at full precision")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        study = study_named(slug)
        if options["json"]:
            self.stdout.write(json.dumps(similarities.as_json(study), indent=2))
            return
        try:
            found = similarities.similarity(study)
        except similarities.SimilarityError as error:
            raise CommandError(str(error)) from error
        if study.simulated:
            self.stdout.write("The stored annotators of this study are simulated.")
        for line in [*map(_line, found.rows), *map(_compared, found.comparisons)]:
            self.stdout.write(line)


def _line(row: Row) -> str:
    r, c = row.result, row.calibration
    return (
        f"{row.measure} against {row.criterion.key}: Spearman {shown(r.spearman)}, within prompts "
        f"{shown(r.within_spearman)}; ceiling {shown(r.ceiling)}, corrected {shown(r.corrected)}; given words "
        f"{shown(r.given_lexical)}; overstatement of unusual pairs {shown(c.overstatement)}; "
        f"{r.n_pairs:,} pairs, {r.n_prompts:,} prompts, {r.n_annotators:,} annotators"
    )


def _compared(c: Comparison) -> str:
    p = "" if c.p_adjusted is None else f", p adjusted {c.p_adjusted:.3f}"
    return f"{c.first} less {c.second} on {c.criterion.key}: {shown(c.result.difference)}{p}"
