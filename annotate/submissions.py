"""What a panel says of its participants' submissions, read from the panel's own export, and what follows of it.

Prolific: `Participant id` and `Status`; Mechanical Turk: `WorkerId` and `AssignmentStatus`. The ids go no further than
this: what comes out is known by pseudonym.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotate import exclusions, pseudonyms
from annotate.folder.problems import FolderError, Problem
from annotate.formats.source import Source
from annotate.models import Annotator, Study
from annotate.texts import trimmed

REJECTED = "rejected"
PERSON = {"participantid", "prolificpid", "prolificid", "workerid"}
STATUS = {"status", "submissionstatus", "assignmentstatus", "approvalstatus"}


@dataclass
class Submissions:
    """Of people by pseudonym: the statuses of all their submissions."""

    people: dict[str, list[str]] = field(default_factory=dict)
    unnamed: int = 0

    @property
    def statuses(self) -> Counter[str]:
        return Counter(status for statuses in self.people.values() for status in statuses)

    @property
    def n(self) -> int:
        return self.statuses.total()


@dataclass(frozen=True)
class Affected:
    """The people some of whose submissions have one of the statuses, by what is to be done about them."""

    now: list[tuple[Annotator, str]]
    before: list[Annotator]  # excluded already
    unclear: list[Annotator]  # other submissions of theirs have another status
    never_came: int


def read(study: Study, path: Path, name: str = "") -> Submissions:
    """FolderError, and nothing read, where a line doesn't say who and what."""
    submissions, source = Submissions(), Source(path, name)
    columns: tuple[str, str] | None = None
    problems: list[Problem] = []
    for line, row in source.rows():
        if isinstance(row, Problem):
            problems.append(row)
            continue
        columns = columns or (
            _column(source, row, PERSON, "Participant id"),
            _column(source, row, STATUS, "Status"),
        )
        person, status = (trimmed(str(row.get(column) or "")) for column in columns)
        if not status:
            problems.append(Problem(source.name, line, columns[1], "a status, such as REJECTED", "nothing"))
        elif pseudonyms.names_nobody(person):
            submissions.unnamed += 1
        else:
            key = pseudonyms.participant(study.slug, person)
            submissions.people.setdefault(key, []).append(" ".join(re.split(r"[\s_-]+", status.lower())))
    if problems:
        raise FolderError(problems)
    return submissions


def _column(source: Source, row: dict[str, Any], known: set[str], example: str) -> str:
    fitting = [name for name in row if re.sub(r"[\W_]", "", name).casefold() in known]
    if len(fitting) != 1:
        columns = " and ".join(fitting) or f"the columns {', '.join(row)}"
        raise FolderError([Problem(source.name, 1, "", f"one column such as “{example}”", columns)])
    return fitting[0]


def affected(study: Study, people: dict[str, list[str]], statuses: set[str]) -> Affected:
    concerned = {key: own for key, own in people.items() if statuses & set(own)}
    known = {a.key: a for a in study.annotators.filter(key__in=concerned)}
    now, before, unclear = [], [], []
    for key in sorted(known):
        if known[key].excluded:
            before.append(known[key])
        elif set(concerned[key]) <= statuses:
            now.append((known[key], " and ".join(sorted(set(concerned[key])))))
        else:
            unclear.append(known[key])
    return Affected(now, before, unclear, len(concerned) - len(known))


def exclude(people: Affected) -> None:
    """Each with an entry of its own in the trail, and each to be undone by itself."""
    for annotator, status in people.now:
        exclusions.exclude_annotator(annotator, f"the panel says: {status}")
