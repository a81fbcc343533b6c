from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate import trail
from annotate.management.study_named import study_named
from annotate.models import Action
from judging.results.summary.files import files, html
from judging.results.summary.report import Report, report


def _lines(report: Report) -> Iterator[str]:
    """What the report says in sentences."""
    yield report.headline
    yield from filter(None, (report.lede, report.why_none))
    for says in report.says:
        baseline, colon = " (baseline)" if says.baseline else "", ":" if says.look == "cant_tell" else ""
        yield f"{says.scorer}{baseline}{colon} {says.text}"
    for part in report.parts:
        yield f"{part.title}:"
        yield from (f"    {line.name} {line.text}" for line in part.lines)


class Command(BaseCommand):
    help = "Write a study's report: one HTML file that needs no network, or a folder of tables and charts beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--out", type=Path, help="write the HTML file here")
        parser.add_argument("--folder", type=Path, help="write CSV, SVG, PNG, Vega-Lite and a manifest here")

    def handle(self, *args: Any, slug: str, out: Path | None, folder: Path | None, **options: Any) -> None:
        study = study_named(slug)
        if out is None and folder is None:
            raise CommandError("say where to: --out report.html, or --folder DIR, or both")
        if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CommandError(f"{folder} is there already and not an empty folder: name another one")
        found = report(study)
        try:
            if out is not None:
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(html(found), encoding="utf-8")
                self.stdout.write(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
            if folder is not None:
                self._write(folder, list(files(found)))
        except OSError as error:
            raise CommandError(f"could not write: {error}") from error
        trail.note(study, Action.EXPORTED, "report", to=[str(path) for path in (out, folder) if path])
        for line in _lines(found):
            self.stdout.write(line)

    def _write(self, folder: Path, contents: list[tuple[str, bytes]]) -> None:
        for path, content in contents:
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        self.stdout.write(f"{folder}: {len(contents)} files")
