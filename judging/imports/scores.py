"""What machines said in other tools' files, joined to a study that is there: looked at first, then stored."""

from collections.abc import Sequence
from pathlib import Path

from annotate.formats import FORMATS, Options, read_scores
from annotate.models import Study
from judging.imports.bad_rows import LeftOut, without_bad_rows
from judging.imports.matching import Joined, Joiner

# The formats whose files may hold what machines said.
SCORES = {f.name: f for f in FORMATS.values() if f.scores}


def join(study: Study, paths: Sequence[Path], format: str, options: Options) -> Joined:
    """What the files say of the study's responses and pairs; FolderError names all that is wrong with them."""
    joiner = Joiner(study)

    def attempt(chosen: Options, left_out: LeftOut) -> Joined:
        joiner.joined = Joined(left_out=left_out)
        joiner.joined.remarks = read_scores(paths, format, chosen, joiner.join)
        return joiner.joined

    return without_bad_rows(options, attempt)
