"""The second pass, second half: answers become seats, judgments and answers, a batch at a time."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max

from annotate import design
from annotate.kinds import kind_of
from annotate.models import Annotator, Answer, Assignment, Criterion, Item, ItemResponse, Judgment

from .merge import PARAMETERS, Merge, by_key, keys_of
from .progress import Progress
from .rows import AnswerRow, read
from .tables import Table, batches

ROWS = 5_000

Lines = Sequence[tuple[int, AnswerRow]]


@dataclass
class Batch:
    """Rows of answers, with the stored objects that they name."""

    lines: Lines
    items: dict[str, Item] = field(default_factory=dict)
    annotators: dict[str, int] = field(default_factory=dict)
    responses: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    seats: dict[tuple[str, str], Assignment] = field(default_factory=dict)
    new_seats: set[int] = field(default_factory=set)
    judgments: dict[tuple[int, int], Judgment] = field(default_factory=dict)
    old_judgments: list[int] = field(default_factory=list)

    @property
    def first_rows(self) -> Collection[tuple[int, AnswerRow]]:
        """The first row of each judgment."""
        rows: dict[tuple[str, str, int], tuple[int, AnswerRow]] = {}
        for line, row in self.lines:
            rows.setdefault((row.item_id, row.annotator_id, row.revision), (line, row))
        return rows.values()

    @property
    def last_rows(self) -> dict[tuple[str, str], AnswerRow]:
        """A row of the latest revision for each item and annotator, in the order of the file."""
        rows: dict[tuple[str, str], AnswerRow] = {}
        for _, row in self.lines:
            pair = row.item_id, row.annotator_id
            if pair not in rows or row.revision > rows[pair].revision:
                rows[pair] = row
        return rows

    def seat_of(self, row: AnswerRow) -> Assignment:
        return self.seats[row.item_id, row.annotator_id]

    def judgment_of(self, row: AnswerRow) -> Judgment:
        return self.judgments[self.seat_of(row).pk, row.revision]

    def shown(self, row: AnswerRow) -> list[int] | None:
        responses = self.responses[self.items[row.item_id].pk]
        return [responses[key] for key in row.shown] if row.shown else None


def merge_answers(merge: Merge, table: Table, progress: Progress) -> None:
    criteria = {c.key: c for c in merge.study.criteria.all()}
    rows = progress(read(table, AnswerRow, merge.problems), "storing answers")
    for lines in batches(rows, ROWS):
        batch = Batch(lines)
        _find_named(merge, batch)
        _take_seats(merge, batch)
        _merge_judgments(merge, batch, table.file)
        _merge_answers(merge, batch, table.file, criteria)


def _find_named(merge: Merge, batch: Batch) -> None:
    query = Item.objects.filter(study=merge.study).only("key", "prompt_place")
    batch.items = {i.key: i for i in by_key(query, "key", (row.item_id for _, row in batch.lines))}
    for part in batches([item.pk for item in batch.items.values()], PARAMETERS):
        links = ItemResponse.objects.filter(item__in=part).order_by()
        for item, key, response in links.values_list("item_id", "response__key", "response_id"):
            batch.responses[item][key] = response
    _find_annotators(merge, batch)


def _find_annotators(merge: Merge, batch: Batch) -> None:
    keys = dict.fromkeys(row.annotator_id for _, row in batch.lines)
    batch.annotators = keys_of(merge.study.annotators.all(), keys)
    new = [Annotator(study=merge.study, key=key) for key in keys if key not in batch.annotators]
    for annotator in Annotator.objects.bulk_create(new):
        batch.annotators[annotator.key] = annotator.pk
    merge.added("annotators", len(new))


def _take_seats(merge: Merge, batch: Batch) -> None:
    """Each (item, annotator) keeps its seat, else takes the item's first free one, else gets an extra one."""
    _find_seats(batch)
    missing = {pair: row for pair, row in batch.last_rows.items() if pair not in batch.seats}
    items = sorted({batch.items[key].pk for key, _ in missing})
    free, last = _free_seats(items), _last_numbers(items)
    changed, added = [], []
    for (key, name), row in missing.items():
        item = batch.items[key]
        if free[item.pk]:
            changed.append(seat := free[item.pk].pop(0))
        else:
            last[item.pk] += 1
            added.append(seat := _seat(merge, item, last[item.pk]))
        seat.status, seat.annotator_id = Assignment.Status.SUBMITTED, batch.annotators[name]
        seat.shown, seat.opened_at = batch.shown(row), row.opened_at
        batch.seats[key, name] = seat
    Assignment.objects.bulk_create(added)
    Assignment.objects.bulk_update(changed, ["status", "annotator", "shown", "opened_at"], batch_size=200)
    batch.new_seats = {seat.pk for seat in added + changed}


def _find_seats(batch: Batch) -> None:
    items = {item.pk: key for key, item in batch.items.items()}
    names = {pk: key for key, pk in batch.annotators.items()}
    for some in batches(names, PARAMETERS // 2):
        query = Assignment.objects.filter(annotator__in=some).select_for_update()
        for seat in by_key(query, "item_id", items, PARAMETERS // 2):
            if seat.annotator_id is not None:
                batch.seats[items[seat.item_id], names[seat.annotator_id]] = seat


def _free_seats(items: Sequence[int]) -> dict[int, list[Assignment]]:
    free: dict[int, list[Assignment]] = defaultdict(list)
    for seat in by_key(Assignment.objects.free().order_by("number").select_for_update(), "item_id", items):
        free[seat.item_id].append(seat)
    return free


def _last_numbers(items: Sequence[int]) -> dict[int, int]:
    last: dict[int, int] = defaultdict(int)
    for part in batches(items, PARAMETERS):
        seats = Assignment.objects.filter(item__in=part).order_by()
        last.update(seats.values_list("item_id").annotate(Max("number")))
    return last


def _seat(merge: Merge, item: Item, number: int) -> Assignment:
    rank = design.seat_rank(number, item.prompt_place)
    return Assignment(study=merge.study, item=item, number=number, rank=rank)


def _merge_judgments(merge: Merge, batch: Batch, file: str) -> None:
    stored = by_key(Judgment.objects.all(), "assignment_id", (seat.pk for seat in batch.seats.values()))
    batch.judgments = {(j.assignment_id, j.revision): j for j in stored}
    batch.old_judgments = [judgment.pk for judgment in batch.judgments.values()]
    latest: dict[int, int] = defaultdict(int)
    for seat_id, revision in batch.judgments:
        latest[seat_id] = max(latest[seat_id], revision)
    new, changed = [], dict[int, Assignment]()
    for line, row in batch.first_rows:
        seat = batch.seat_of(row)
        judgment = batch.judgments.get((seat.pk, row.revision))
        if seat.status == Assignment.Status.SUBMITTED and seat.pk not in batch.new_seats:
            _compare_judgment(merge, batch, judgment, row, line, file)
        if judgment is None:
            new.append(Judgment(assignment=seat, revision=row.revision, **_columns(batch, row)))
            if seat.pk not in batch.new_seats and _submit(seat, row, batch.shown(row), latest[seat.pk]):
                changed[seat.pk] = seat
            latest[seat.pk] = max(latest[seat.pk], row.revision)
    for judgment in Judgment.objects.bulk_create(new):
        batch.judgments[judgment.assignment_id, judgment.revision] = judgment
    merge.added("judgments", len(new))
    Assignment.objects.bulk_update(
        changed.values(), ["status", "shown", "opened_at", "expires_at"], batch_size=200
    )


JUDGMENT = {"opened_at", "submitted_at", "active_ms", "excluded", "first_ms", "changes", "flag", "comment"}


def _columns(batch: Batch, row: AnswerRow) -> dict[str, Any]:
    responses = batch.responses[batch.items[row.item_id].pk]
    looked = None if row.looked is None else {str(responses[key]): n for key, n in row.looked.items()}
    read = None if row.read_to_end is None else sorted(responses[key] for key in row.read_to_end)
    return row.model_dump(include=JUDGMENT) | {"looked": looked, "read_to_end": read}


def _compare_judgment(
    merge: Merge, batch: Batch, judgment: Judgment | None, row: AnswerRow, line: int, file: str
) -> None:
    if judgment is not None:
        merge.compare(file, line, vars(judgment), _columns(batch, row))
    seat = batch.seat_of(row)
    if seat.shown != batch.shown(row):
        keys = {pk: key for key, pk in batch.responses[seat.item_id].items()}
        merge.differs(file, line, "shown", [keys.get(pk, pk) for pk in seat.shown or ()] or None, row.shown)


def _submit(seat: Assignment, row: AnswerRow, order: list[int] | None, latest: int) -> bool:
    """Update an existing seat for a new judgment; returns whether that changed it."""
    before = (seat.status, seat.shown, seat.opened_at)
    if seat.status == Assignment.Status.HELD:
        # The annotator has it open, and the folder brings the judgment they made elsewhere.
        seat.status, seat.expires_at = Assignment.Status.SUBMITTED, None
        seat.shown = order or seat.shown
    if row.revision > latest:
        seat.opened_at = row.opened_at
    return before != (seat.status, seat.shown, seat.opened_at)


def _merge_answers(merge: Merge, batch: Batch, file: str, criteria: dict[str, Criterion]) -> None:
    stored = _stored_answers(batch, criteria)
    new = []
    for line, row in batch.lines:
        judgment, criterion = batch.judgment_of(row), criteria[row.criterion]
        answer = _answer(batch, judgment, criterion, row)
        before = stored.get(_key(judgment.pk, criterion, answer.response_id))
        if before is not None:
            _compare_answer(merge, batch, before, answer, row, line, file)
        elif judgment.client_token is not None:
            merge.differs(file, line, "criterion", None, row.criterion)
        else:
            new.append(answer)
    Answer.objects.bulk_create(new)
    merge.added("answers", len(new))


def _key(judgment: int, criterion: Criterion, response: int | None) -> tuple[int, int, int | None]:
    return judgment, criterion.pk, response if kind_of(criterion).per_response else None


def _stored_answers(
    batch: Batch, criteria: dict[str, Criterion]
) -> dict[tuple[int, int, int | None], Answer]:
    by_pk = {criterion.pk: criterion for criterion in criteria.values()}
    old = by_key(Answer.objects.all(), "judgment_id", batch.old_judgments)
    return {_key(a.judgment_id, by_pk[a.criterion_id], a.response_id): a for a in old}


def _answer(batch: Batch, judgment: Judgment, criterion: Criterion, row: AnswerRow) -> Answer:
    responses = batch.responses[batch.items[row.item_id].pk]
    return Answer(
        judgment=judgment,
        criterion=criterion,
        response_id=responses[row.response_id] if row.response_id is not None else None,
        other_id=responses[row.other_id] if row.other_id is not None else None,
        value=row.value,
        label=row.label,
        text=row.text,
    )


def _compare_answer(
    merge: Merge, batch: Batch, before: Answer, after: Answer, row: AnswerRow, line: int, file: str
) -> None:
    keys = {pk: key for key, pk in batch.responses[batch.items[row.item_id].pk].items()}
    for column in ("response_id", "other_id"):
        pk = getattr(before, column)
        if pk != getattr(after, column):
            merge.differs(file, line, column, keys.get(pk), getattr(row, column))
    merge.compare(file, line, vars(before), {"value": row.value, "label": row.label, "text": row.text})
