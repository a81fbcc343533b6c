from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from annotate.management.study_named import study_named
from judging.runs import work as scoring
from judging.runs.batches import Missing, Stored
from judging.scorers.endpoints import EndpointError


class Command(BaseCommand):
    help = "Score a study's responses that a scorer has not scored yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--scorer", required=True, help="a name from the setting SCORERS, such as minilm")
        parser.add_argument("--calls", type=int, help="stop after this many calls to an endpoint")
        parser.add_argument("--tokens", type=int, help="stop after this many tokens")

    def handle(
        self, *args: Any, slug: str, scorer: str, calls: int | None, tokens: int | None, **options: Any
    ) -> None:
        study = study_named(slug)
        bar = tqdm(desc=scorer, unit=" responses", disable=None, file=self.stderr)

        def progress(lacking: Missing, stored: Stored) -> None:
            bar.total = len(lacking.pks)
            bar.update(stored.done - bar.n)

        try:
            report = scoring.score(study, scorer, progress, call_budget=calls, token_budget=tokens)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except (scoring.CancelledError, scoring.LostError, scoring.SpentError, EndpointError) as error:
            raise CommandError(f"{error}; scores so far are stored") from error
        except KeyboardInterrupt:
            raise CommandError("stopped; scores so far are stored, and the same command continues") from None
        finally:
            bar.close()
        self.stdout.write(
            f"{slug}: {scorer} {report.run.version} scored {report.computed:,} responses "
            f"({report.stored_before:,} were stored before); read only in part: {report.truncated:,}; "
            f"without a number: {report.failed:,}"
        )
        for note in report.notes:
            self.stderr.write(note)
