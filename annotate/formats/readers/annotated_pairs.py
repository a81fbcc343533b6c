"""AnnotatedPairs (Inverse Constitutional AI, Feedback Forensics), versions 1 and 2: one JSON object of comparisons."""

from collections.abc import Mapping, Sequence

from .. import votes
from ..conversations import Turn, written
from ..line import Line
from ..pairs import ask_preference
from ..records import Choice, Records
from ..registry import Format, marks
from ..source import Source
from ..votes import Vote

PREFERRED = votes.TIES | {"a": votes.FIRST, "texta": votes.FIRST, "b": votes.SECOND, "textb": votes.SECOND}
EXPECTED = "a, b, text_a, text_b or tie"
NONE_APPLIES = ("Not applicable", "not_applicable", "Invalid", "invalid")


def read(records: Records, files: Sequence[Source]) -> None:
    def document(line: Line) -> None:
        annotators = line.inner("annotators", line.object("annotators"))
        for comparison in line.lines("comparisons"):
            with records.without_same_texts():
                _comparison(records, comparison, annotators)

    records.each(files, document)


def _comparison(records: Records, line: Line, annotators: Line) -> None:
    turns = line.turns("prompt") if line.has("prompt") else []
    text = written(turns) if turns else records.placeholder("no prompt")
    prompt = records.prompt(text, of="" if turns else line.key("id"))
    pair = [_response(records, line, prompt, side, turns) for side in "ab"]
    item = records.item("pair", pair)
    given = line.inner("annotations", line.object("annotations")) if line.has("annotations") else None
    for key in given.row if given else ():
        vote = _vote(records, given, key) if given else None
        if vote is not None:
            _cast(records, key, _about(annotators, key), vote, item, pair)


def _response(records: Records, line: Line, prompt: str, side: str, turns: Sequence[Turn]) -> str:
    """Version 2 has an object a side, version 1 a text, with the model in the metadata."""
    text = line.get(f"response_{side}")
    if isinstance(text, Mapping):
        inner = line.inner(f"response_{side}", text)
        return records.response(prompt, inner.answer("text", turns), inner.text_or("model", ""))
    model = line.text_or(f"metadata.model_{side}", "")
    return records.response(prompt, line.answer(f"text_{side}", turns), model)


def _vote(records: Records, given: Line, key: str) -> Vote | None:
    """Version 2 has an object with `pref`, version 1 the preference alone."""
    value = given.get(key)
    one = given.inner(key, value if isinstance(value, Mapping) else {"pref": value})
    applies = one.means("pref") or one.get("pref") not in NONE_APPLIES
    vote = one.vote("pref", PREFERRED, EXPECTED) if applies else None
    if vote is None:
        records.remark("An annotator had no preference that applies: no vote was made of it.")
    return vote


def _about(annotators: Line, key: str) -> Line:
    about = annotators.get(key)
    return annotators.inner(key, about if isinstance(about, Mapping) else {})


def _cast(records: Records, key: str, about: Line, vote: Vote, item: str, pair: Sequence[str]) -> None:
    """People and columns of unknown origin vote; a principle, followed by a machine, gives a verdict."""
    kind = about.text_or("type", "unknown")
    name = about.text_or("name", "") or about.text_or("description", key)
    if kind in ("human", "unknown"):
        if kind == "unknown":
            records.remark(f"Annotator {name!r} is of unknown type: it was taken for people.", placed=False)
        records.prefer(item, records.annotator(key, called=name), ask_preference(records), vote, pair)
    else:
        records.verdict(f"{kind}: {name}", pair, Choice(vote.preference))


FORMATS = [
    Format(
        "annotated-pairs", "AnnotatedPairs (Feedback Forensics)", read, marks("annotators comparisons"),
        "rdnfn/icai, data/annotated_pairs_format.py (1.0); rdnfn/feedback-forensics, data/loader.py (2.0)",
        scores=True,
    ),
]  # fmt: skip
