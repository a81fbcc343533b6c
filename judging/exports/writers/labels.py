"""Who said what: for R and SPSS (long and wide), for crowd-kit, and pairs in STS format."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import F

from annotate.folder.export import CHUNK, shortest
from annotate.folder.rows import iso
from annotate.kinds import kind_of
from annotate.models import Answer, Criterion, Judgment, Study
from judging.exports.writers.sheet import Output, Row
from judging.exports.writers.training import criteria
from judging.exports.writers.units import Unit, counted_answers, counted_items, units

LONG = (
    "item_id", "kind", "role", "withheld", "prompt_id", "response_id", "other_id", "source", "criterion",
    "annotator_id", "value", "label", "text", "shown_first", "revision", "current", "excluded", "submitted_at",
    "active_ms",
)  # fmt: skip
READ_R = r"""# Reads what `manage.py export_study SLUG OUT --as r` wrote. Base R, no packages.
unescape <- function(x) if (is.character(x)) sub("^'([=+@\t\r\n\uff1d\uff0b\uff0d\uff20-])", "\\1", x) else x
read_export <- function(file) {
  table <- read.csv(file, fileEncoding = "UTF-8-BOM", stringsAsFactors = FALSE, na.strings = "")
  table[] <- lapply(table, unescape)
  table
}
long <- read_export("long.csv")
responses <- read_export("responses.csv")
# What statistics use: last revisions of main items that nobody excluded or withheld.
counted <- subset(long, current == 1 & is.na(excluded) & role == "main" & withheld == 0)
means <- aggregate(value ~ criterion + response_id, data = counted, FUN = mean)
print(head(means))
"""
READ_SPSS = r"""* Reads what `manage.py export_study SLUG OUT --as r` wrote.
GET DATA /TYPE=TXT /FILE='long.csv' /ENCODING='UTF8' /ARRANGEMENT=DELIMITED /DELIMITERS=','
  /QUALIFIER='"' /FIRSTCASE=2 /VARIABLES=
  {variables}.
EXECUTE.
"""


def for_r(study: Study, output: Output) -> None:
    """long.csv, responses.csv, and wide.CRITERION.csv with a column for each annotator."""
    answers = Answer.objects.filter(criterion__study=study)
    output.expected["answers"] += answers.count()
    output.csv("long.csv", "long", LONG, _long(study, output))
    output.expected["responses"] += study.responses.count()
    columns = ("response_id", "prompt_id", "source", "sample", "held_back", "prompt", "response")
    output.csv("responses.csv", "responses", columns, _responses(study, output))
    for criterion in criteria(study, "rates", "compares", "prefers", "ranks"):
        _wide(criterion, output)
    output.text("read.R", READ_R)
    numbers = {
        "value": "F8.2",
        "withheld": "F1.0",
        "revision": "F5.0",
        "current": "F1.0",
        "active_ms": "F12.0",
    }
    variables = "\n  ".join(f"{name} {numbers.get(name, 'A255')}" for name in LONG)
    output.text("read.sps", READ_SPSS.replace("{variables}", variables))


def _long(study: Study, output: Output) -> Iterator[Sequence[Any]]:
    """Every stored answer, with the columns that decide whether it counts."""
    seat = "judgment__assignment__"
    fields = (
        f"{seat}item__key", f"{seat}item__kind", f"{seat}item__role", f"{seat}item__withheld",
        f"{seat}item__prompt__key", "response__key", "other__key", "response__source", "criterion__key",
        f"{seat}annotator__key", "value", "label", "text",
    )  # fmt: skip
    judgment = ("revision", "excluded", "submitted_at", "active_ms")
    current = set(
        Judgment.objects.in_study(study).filter(revision__gt=1).current().values_list("pk", flat=True)
    )
    several = set(
        Judgment.objects.in_study(study).filter(revision__gt=1).values_list("assignment", flat=True)
    )
    rows = Answer.objects.filter(criterion__study=study).order_by("pk")
    query = rows.annotate(seat=F("judgment__assignment_id")).values_list(
        *fields,
        *(f"judgment__{name}" for name in judgment),
        f"{seat}shown",
        "response_id",
        "seat",
        "judgment_id",
    )
    for *row, revision, excluded, submitted, active, order, response, seat_id, pk in query.iterator(CHUNK):
        output.wrote("answers")
        row[3], row[10] = int(row[3]), shortest(row[10])
        first = int(order[0] == response) if order and response else None
        last = int(seat_id not in several or pk in current)
        yield [*row, first, revision, last, excluded, iso(submitted), active]


def _responses(study: Study, output: Output) -> Iterator[Sequence[Any]]:
    fields = ("key", "prompt__key", "source", "sample", "held_back", "prompt__text", "text")
    for row in study.responses.order_by("pk").values_list(*fields).iterator(CHUNK):
        output.wrote("responses")
        yield row


def _wide(criterion: Criterion, output: Output) -> None:
    """One row a response (or a pair), one column an annotator; an empty cell is no answer."""
    seat = "judgment__assignment__annotator__"
    names = counted_answers(criterion).order_by(f"{seat}key").values_list(f"{seat}key", f"{seat}details")
    column = {key: _column(key, details) for key, details in names.distinct()}
    pair = not kind_of(criterion).per_response
    sides = ("_a", "_b") if pair else ("",)
    begin = ["item_id", "prompt_id", "prompt"]
    begin += [f"{name}{side}" for side in sides for name in ("response_id", "source", "response")]
    output.expected[f"wide.{criterion.key}"] += counted_items(criterion).count()
    columns = sorted(set(column.values()))
    rows = _wide_rows(criterion, output, columns, column, pair=pair)
    output.csv(f"wide.{criterion.key}.csv", "wide", [*begin, *columns], rows)


def _column(annotator: str, details: Row) -> str:
    """An annotator's own, but slots of labels that name nobody share one for the first, the second …"""
    return f"by_{annotator.rpartition('-')[2]}" if details.get("label_slot") else f"by_{annotator}"


def _wide_rows(
    criterion: Criterion, output: Output, columns: list[str], column: dict[str, str], *, pair: bool
) -> Iterator[Sequence[Any]]:
    for unit in units(criterion):
        output.wrote(f"wide.{criterion.key}")
        begin = [unit.key, unit.item.prompt.key, unit.prompt]
        for responses in [unit.responses] if pair else [[r] for r in unit.responses]:
            cells = [cell for r in responses for cell in (r.key, r.source, r.text)]
            values = {column[a]: v for a, v in _said(criterion, unit, responses[0].key, pair=pair).items()}
            yield [*begin, *cells, *(values.get(name) for name in columns)]


def _said(criterion: Criterion, unit: Unit, response: str, *, pair: bool) -> dict[str, Any]:
    """By annotator; a preference is from 2 (the first much better) to -2, or says why it is none."""
    if not kind_of(criterion).prefers:
        return {g.annotator: g.value for g in unit.answers if pair or g.response == response}
    return {
        g.annotator: g.label or (g.value if g.response == response or g.value is None else -g.value)
        for g in unit.answers
    }


def crowd_kit(study: Study, output: Output) -> None:
    """task, worker, label of each rating, and worker, left, right, label of each preference."""
    for criterion in criteria(study, "rates"):
        if criterion.on == "single":
            output.expected[criterion.key] += counted_answers(criterion).count()
            output.csv(
                f"crowdkit.{criterion.key}.csv",
                "labels",
                ("task", "worker", "label"),
                _labels(criterion, output),
            )
    for criterion in criteria(study, "prefers"):
        output.expected[criterion.key] += counted_answers(criterion).count()
        columns = ("worker", "left", "right", "label")
        output.csv(f"crowdkit.{criterion.key}.csv", "pairs", columns, _choices(criterion, output))


def _labels(criterion: Criterion, output: Output) -> Iterator[Sequence[Any]]:
    for unit in units(criterion):
        for answer in unit.answers:
            if answer.value is None:
                output.leave_out(criterion.key, "ratings left open")
            else:
                output.wrote(criterion.key)
                yield answer.response, answer.annotator, answer.value


def _choices(criterion: Criterion, output: Output) -> Iterator[Sequence[Any]]:
    """Left and right as shown, else in the item's own order."""
    for unit in units(criterion):
        for answer in unit.answers:
            if answer.response is None:
                output.leave_out(criterion.key, "ties, which crowd-kit has no word for")
            else:
                output.wrote(criterion.key)
                left, right = answer.shown or [r.key for r in unit.responses]
                yield answer.annotator, left, right, answer.response


def sts(study: Study, output: Output) -> None:
    """sentence1, sentence2, the mean, and all answers."""
    for criterion in criteria(study, "compares"):
        output.expected[criterion.key] += counted_items(criterion).count()
        output.jsonl(f"sts.{criterion.key}.jsonl", "sts", _sts(criterion, output))


def _sts(criterion: Criterion, output: Output) -> Iterator[Row]:
    for unit in units(criterion):
        values = [g.value for g in unit.answers if g.value is not None]
        if not values:
            output.leave_out(criterion.key, "pairs without an answer")
            continue
        output.wrote(criterion.key)
        first, second = unit.responses
        yield {
            "sentence1": first.text,
            "sentence2": second.text,
            "score": sum(values) / len(values),
            "scores": values,
            "item_id": unit.key,
            "prompt": unit.prompt,
        }
