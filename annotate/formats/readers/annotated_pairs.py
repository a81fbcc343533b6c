"""AnnotatedPairs (Inverse Constitutional AI, Feedback Forensics), versions 1 and 2: one JSON object of comparisons."""

from collections.abc import Mapping, Sequence

from ..line import Line
from ..pairs import ask_preference, same_texts
from ..records import Choice, Records
from ..registry import Format, marks
from ..source import Source
from ..votes import TIE, WORDS, Vote

USES = ("metadata", "annotators", "comparisons")
PREFERRED = {"a": Vote(0), "text_a": Vote(0), "b": Vote(1), "text_b": Vote(1)}


def read(records: Records, files: Sequence[Source]) -> None:
    def document(line: Line) -> None:
        annotators = line.object("annotators")
        for comparison in line.lines("comparisons"):
            _comparison(records, comparison, annotators)

    records.each(files, document, USES)


def _comparison(records: Records, line: Line, annotators: Mapping[str, object]) -> None:
    if not line.has("prompt"):
        records.remark("A comparison has no prompt: one without words was made for it.")
    prompt = records.prompt(
        line.text_or("prompt", "(no prompt)"), of="" if line.has("prompt") else line.key("id")
    )
    pair = [_response(records, line, prompt, side) for side in "ab"]
    if same_texts(records, pair):
        return
    item = records.item("pair", pair)
    votes = line.get("annotations") or {}
    if not isinstance(votes, Mapping):
        raise line.wrong("annotations", "an object by annotator", votes)
    for key, preference in votes.items():
        vote = _vote(records, line, key, preference)
        about = annotators.get(key)
        if vote is not None:
            _cast(records, key, about if isinstance(about, Mapping) else {}, vote, item, pair)


def _response(records: Records, line: Line, prompt: str, side: str) -> str:
    """Version 2 has an object a side, version 1 a text, with the model in the metadata."""
    text = line.get(f"response_{side}")
    if isinstance(text, Mapping):
        inner = line.inner(f"response_{side}", text)
        return records.response(prompt, inner.text("text"), inner.text_or("model", ""))
    return records.response(prompt, line.text(f"text_{side}"), line.text_or(f"metadata.model_{side}", ""))


def _vote(records: Records, line: Line, key: str, value: object) -> Vote | None:
    preferred = value.get("pref") if isinstance(value, Mapping) else value
    if preferred is None or preferred in ("Not applicable", "not_applicable", "Invalid", "invalid"):
        records.remark("An annotator had no preference that applies: no vote was made of it.")
        return None
    if preferred == "tie":
        return TIE
    if not isinstance(preferred, str) or preferred not in PREFERRED:
        raise line.wrong(f"annotations.{key}.pref", "a, b, text_a or text_b", preferred)
    vote = PREFERRED[preferred]
    line.columns.read_as("pref", preferred, WORDS[vote])
    return vote


def _cast(
    records: Records, key: str, about: Mapping[str, object], vote: Vote, item: str, pair: Sequence[str]
) -> None:
    """People and columns of unknown origin vote; a principle, followed by a machine, gives a verdict."""
    kind, name = about.get("type", "unknown"), str(about.get("name") or about.get("description") or key)
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
