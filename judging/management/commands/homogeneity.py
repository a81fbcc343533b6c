import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from judging.management.study_commands import study_named
from judging.results.homogeneity import external_pool as on_disk
from judging.results.homogeneity.json import as_json
from judging.results.homogeneity.report import Homogeneity, HomogeneityError, homogeneity
from judging.stats import Estimate


class Command(BaseCommand):
    help = "How similar the responses of a study's whole pool are, within and between sources."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "--json", action="store_true", help="one JSON object, with numbers at full precision"
        )
        parser.add_argument("--words", action="store_true", help="compare words in a large pool too")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        study = study_named(slug)
        pools = on_disk.on_disk(study)
        try:
            found = homogeneity(study, words=options["words"] or None, progress=self._progress)
        except HomogeneityError as error:
            if not pools:
                raise CommandError(str(error)) from error
            if options["json"]:
                self.stdout.write(json.dumps(on_disk.without(study, str(error)), indent=2))
            else:
                self.stdout.write("\n".join([str(error), *(line for p in pools for line in _pool(p))]))
            return
        if options["json"]:
            self.stdout.write(json.dumps(as_json(study, found), indent=2))
            return
        if study.simulated:
            self.stdout.write("The stored annotators and scorers of this study are simulated.")
        self.stdout.write("\n".join([*_lines(found), *(line for p in pools for line in _pool(p))]))

    def _progress(self, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            self.stderr.write(f"{done:,} of {total:,} prompts", ending="\r" if done < total else "\n")


def _lines(found: Homogeneity) -> list[str]:
    shares = ", ".join(
        f"above {t:g}: {_text(e, 2)}" for t, e in zip((0.7, 0.8, 0.9), found.all.cells, strict=True)
    )
    lines = [
        f"{found.n_responses:,} responses to {found.n_prompts:,} prompts by {len(found.sources)} sources; "
        f"cosines of {found.embedder}, which mean nothing beside another embedder's.",
        f"Same source:       {_text(found.all.within)}",
        f"Different sources: {_text(found.all.between)}",
        f"Different prompts: {_text(found.random.mean)}",
        f"Share of (source, prompt) cells {shares}",
    ]
    if found.machines is not None:
        lines += [
            f"Two machines:      {_text(found.machines.between)}",
            f"Two people:        {_text(found.people)}",
        ]
    lines += [f"{s.name}: {_text(s.within)} ({s.n_responses:,} responses)" for s in found.sources]
    if found.unknown_languages:
        lines.append(
            f"The embedder does not know languages of prompts: {', '.join(found.unknown_languages)}."
        )
    if found.n_blank:
        lines.append(
            f"Without a text, and alike to the embedder whoever wrote them: {found.n_blank:,} responses; they count."
        )
    if found.n_missing:
        lines.append(f"Not embedded, and left out: {found.n_missing:,} responses.")
    return [*lines, found.words_left_out] if found.words_left_out else lines


def _pool(told: on_disk.OnDisk) -> list[str]:
    return [
        f"Whole pool on disk, computed {told.computed_at:%Y-%m-%d} by corpus: {told.n_responses:,} responses to "
        f"{told.n_prompts:,} prompts by {len(told.names)} sources; cosines of {told.name}.",
        f"Same source:       {_text(told.within)}",
        f"Different sources: {_text(told.between)}",
        f"Different prompts: {_text(told.random)}",
    ]


def _text(e: Estimate, digits: int = 3) -> str:
    if e.estimate is None:
        return f"undefined: {e.reason}"
    interval = f" [{e.low:.{digits}f}, {e.high:.{digits}f}]" if e.low is not None else f" ({e.reason})"
    return f"{e.estimate:.{digits}f}{interval}, n = {e.n:,} prompt{'s' if e.n != 1 else ''}"
