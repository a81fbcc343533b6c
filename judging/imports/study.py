"""Bring in a study from somebody else's files: all of it, or nothing; or only look at what would come in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import transaction

from annotate import trail
from annotate.folder import FolderError, Loaded
from annotate.folder.check import Known, Shows
from annotate.folder.load import TakesUp, anyone, check_folder
from annotate.folder.load import load_folder as load
from annotate.formats import Existing, Options, Reading, read
from annotate.formats.existing import existing
from annotate.models import Action, Study
from judging.folder.scores import Scores
from judging.imports import bad_rows
from judging.imports.bad_rows import LeftOut, without_bad_rows


@dataclass(frozen=True)
class Imported:
    reading: Reading
    # None where a new study was only looked at.
    loaded: Loaded | None
    # Rows that were left out, each by its first problem.
    left_out: LeftOut = ()

    @property
    def new(self) -> dict[str, int]:
        """Rows that come in by table; all there are, as long as the study is not there."""
        return self.reading.counts if self.loaded is None else self.loaded.new


def import_study(
    paths: Sequence[Path],
    format: str,
    options: Options,
    *,
    split: str = "",
    dry_run: bool = False,
    takes_up: TakesUp = anyone,
) -> Imported:
    """Read the files and load what they say under `options.slug`; FolderError and nothing changed if any is wrong.

    A study of that name takes up what is new. A new one is a draft: nobody sees it before somebody looked at it.
    """
    study = Study.objects.filter(slug=options.slug).first()
    if study is not None:
        takes_up(study)
        options = replace(options, into=existing(study))
    return without_bad_rows(
        options,
        lambda chosen, left_out: _read(paths, format, chosen, split, study, left_out, dry_run=dry_run),
    )


def _read(
    paths: Sequence[Path],
    format: str,
    options: Options,
    split: str,
    study: Study | None,
    left_out: LeftOut,
    *,
    dry_run: bool,
) -> Imported:
    with read(paths, format, options, split) as reading:
        if left_out and not reading.rows_read:
            raise FolderError(left_out)
        try:
            loaded = _load(reading, options, study, left_out, dry_run=dry_run)
        except FolderError as error:
            raise reading.origin(error) from error
        return Imported(reading, loaded, left_out)


def _load(
    reading: Reading, options: Options, study: Study | None, left_out: LeftOut, *, dry_run: bool
) -> Loaded | None:
    parts, stored = [Scores()], _known(options.into)
    if dry_run and study is None:
        check_folder(reading.folder, None, options.progress, parts, stored)
        return None
    with transaction.atomic():
        loaded = load(reading.folder, progress=options.progress, parts=parts, stored=stored)
        if study is None:
            Study.objects.filter(pk=loaded.study.pk).update(status=Study.Status.DRAFT)
        if left_out and not dry_run:
            what = {"left_out": len(left_out)}
            trail.record(loaded.study, Action.LOADED, "rows that were left out", new=what)
            bad_rows.keep(loaded.study, left_out)
        transaction.set_rollback(dry_run)
    return loaded


def _known(into: Existing | None) -> Known | None:
    if into is None:
        return None
    return Known(
        prompts=set(into.prompts),
        responses={key: prompt for key, (prompt, _) in into.responses.items()},
        items={key: Shows(kind, shown) for key, (kind, shown) in into.items.items()},
        annotators=set(into.annotators),
    )
