"""What the person who imports may say, and what is known of a study that takes up more."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from annotate.folder.progress import Progress, quiet
from annotate.folder.study_toml import StudySpec


@dataclass
class Existing:
    """A stored study as far as new rows may refer to it. Texts are known by hash only, so that many fit."""

    spec: StudySpec
    prompts: dict[str, int] = field(default_factory=dict)
    # Prompt and text of each response.
    responses: dict[str, tuple[str, int]] = field(default_factory=dict)
    items: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    annotators: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Options:
    slug: str = "imported"
    title: str = ""
    seats: int | None = None
    language: str = ""
    # What a column of a plain table means: role to column.
    mapping: Mapping[str, str] = field(default_factory=dict)
    # Who is behind votes whose format doesn't say: "people", "machines", or "auto" by what their name looks like.
    voters: str = "auto"
    # What coded votes mean: value to `first`, `second`, `tie` …
    values: Mapping[str, str] = field(default_factory=dict)
    # Values of votes and words where numbers belong, counted as they are met: for whoever is to say what they mean.
    codes: Counter[str] = field(default_factory=Counter)
    # The decimal mark of numbers in texts; empty: as each column shows it.
    decimal: str = ""
    # What is said of the files: their encoding, whether quotes are letters or enclose cells, columns without a header.
    encoding: str = ""
    quotes: str = ""
    header: tuple[str, ...] = ()
    # Rows that are wrong are left out, those that are known to be so from the start.
    skip_bad_rows: bool = False
    skipped: frozenset[tuple[str, int]] = frozenset()
    # What a machine is called whose scores the file holds; empty: as the file says.
    scorer: str = ""
    into: Existing | None = None
    # Ids of the texts that are there, by digest: given, new ones are made of words and numbers that people can read.
    ids: Mapping[str, str] | None = None
    progress: Progress = quiet


def header_of(names: str) -> tuple[str, ...]:
    """Names of columns as whoever imports types them: NAME,NAME."""
    return tuple(filter(None, (name.strip() for name in names.split(","))))
