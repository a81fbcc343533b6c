"""crowd-kit: who labelled what, without any texts. So it is read into a study that has them, by its ids."""

from collections.abc import Sequence

from .. import votes
from ..line import Line
from ..records import Records
from ..registry import Format, marks
from ..source import Source
from ..votes import Vote


def read(records: Records, files: Sequence[Source]) -> None:
    def row(line: Line) -> None:
        if "left" in line.row:
            _pair(records, line)
        else:
            _label(records, line)

    records.each(files, row)


def _criterion(records: Records, line: Line, kind: str, on: str) -> str:
    """The one criterion that such labels can be about, or the one named by `--map criterion=KEY`."""
    into = records.options.into
    there = [c for c in into.spec.criterion if (c.kind, c.on) == (kind, on)] if into else []
    named = records.options.mapping.get("criterion")
    fitting = [c.key for c in there if named in (None, c.key)]
    if len(fitting) != 1:
        found = f"{len(fitting)} in the study" if into else "no such study"
        raise line.wrong("label", f"a study with one {kind} on a {on} (--slug, --map criterion=KEY)", found)
    return records.ask(fitting[0], on, kind, "")


def _response(records: Records, line: Line, name: str) -> str:
    key = line.key(name)
    if not records.knows(key):
        raise line.wrong(name, "a response_id of the study that it is read into", key)
    return key


def _label(records: Records, line: Line) -> None:
    criterion = _criterion(records, line, "rating", "single")
    value = line.number("label")
    item = records.item("single", [_response(records, line, "task")])
    records.rate(item, records.annotator(line.key("worker")), criterion, value)


def _pair(records: Records, line: Line) -> None:
    criterion = _criterion(records, line, "preference", "pair")
    pair = [_response(records, line, "left"), _response(records, line, "right")]
    label = line.key("label")
    expected = f"{pair[0]}, {pair[1]}, left or right"
    vote = Vote(pair.index(label)) if label in pair else line.needed_vote("label", votes.LEFT_RIGHT, expected)
    item = records.item("pair", pair)
    records.prefer(item, records.annotator(line.key("worker")), criterion, vote, pair, shown=pair)


FORMATS = [
    Format(
        "crowd-kit", "crowd-kit: labels or pairwise choices, read into a study that has the texts", read,
        marks("task worker label", "worker left right label"), "crowd-kit 1.4.1, docstrings of the aggregators",
    ),
]  # fmt: skip
