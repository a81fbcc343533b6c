"""What --replace deletes, and what it must not lose: judgments made here."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model, Q, QuerySet

from annotate.models import (
    Annotator,
    Answer,
    Assignment,
    InviteLink,
    Item,
    ItemResponse,
    Judgment,
    Membership,
    Study,
    TrailEntry,
)

from .merge import by_key
from .problems import FolderError, Problem, Problems
from .rows import AnswerRow, read
from .tables import Table, batches

CHUNK = 2_000
NAMED = 3

JudgmentKey = tuple[str, str, int]


@dataclass
class Replaced:
    """What survives replacing a study: judgments made here that the folder holds too, members, links, and the trail."""

    tokens: dict[JudgmentKey, uuid.UUID]
    members: list[Membership]
    # With the names of those who came by each.
    links: list[tuple[InviteLink, list[str]]]
    first_entry: int | None

    @classmethod
    def of(cls, study: Study, answers: Table | None) -> "Replaced":
        judgments = Judgment.objects.in_study(study).made_here()
        names = judgments.order_by("pk").values_list(
            "assignment__item__key", "assignment__annotator__key", "revision", "client_token"
        )
        tokens = {
            (item, str(who), revision): token for item, who, revision, token in names.iterator() if token
        }
        if tokens:
            _refuse_loss(study, tokens, answers)
        first = study.trail.order_by("pk").values_list("pk", flat=True).first()
        links = [
            (link, list(link.annotators.values_list("key", flat=True)))
            for link in study.invite_links.order_by("pk")
        ]
        return cls(tokens, list(study.memberships.order_by("pk")), links, first)

    def give_back(self, study: Study) -> None:
        for member in self.members:
            Membership.objects.create(study=study, user_id=member.user_id, role=member.role)
        for link, names in self.links:
            self._give_back(link, names, study)
        if self.first_entry is not None:
            entries = TrailEntry.objects.of_study(study.slug).filter(study=None, pk__gte=self.first_entry)
            entries.goes_on_in(study)
        for part in batches(self.tokens, 200):
            seats = Assignment.objects.filter(study=study)
            query = Judgment.objects.filter(assignment__in=seats).select_related(
                "assignment__item", "assignment__annotator"
            )
            judgments = list(by_key(query, "assignment__item__key", (item for item, _, _ in part)))
            for judgment in judgments:
                judgment.client_token = self.tokens.get(_key(judgment), judgment.client_token)
            Judgment.objects.bulk_update(judgments, ["client_token"], batch_size=200)

    def _give_back(self, link: InviteLink, names: list[str], study: Study) -> None:
        """A revoked link stays revoked, and a link for ten people does not admit ten more."""
        created = link.created_at
        link.pk, link.study = None, study
        link.save(force_insert=True)
        InviteLink.objects.filter(pk=link.pk).update(created_at=created)
        for part in batches(names, 200):
            study.annotators.filter(key__in=part).update(came_by=link)


def _key(judgment: Judgment) -> JudgmentKey:
    seat = judgment.assignment
    return seat.item.key, seat.annotator.key if seat.annotator else "", judgment.revision


def _refuse_loss(study: Study, tokens: dict[JudgmentKey, uuid.UUID], answers: Table | None) -> None:
    there, rows = _in_folder(tokens, answers)
    lost = dict.fromkeys(key for key in tokens if key not in there)
    for key, row in _stored_rows(study):
        if row not in rows:
            lost[key] = None
    if lost:
        named = ", ".join(
            f"{item} by {who} (revision {revision})" for item, who, revision in list(lost)[:NAMED]
        )
        more = f" and {len(lost) - NAMED:,} more" if len(lost) > NAMED else ""
        file = answers.file if answers else "answers.jsonl"
        unit = "judgment" if len(lost) == 1 else "judgments"
        found = f"{len(lost):,} {unit} that --replace would lose: {named}{more}"
        raise FolderError([Problem(file, None, "", "every judgment made here", found)])


def _in_folder(
    tokens: dict[JudgmentKey, uuid.UUID], answers: Table | None
) -> tuple[set[JudgmentKey], set[int]]:
    """Which of these judgments the folder has, and hashes of their rows."""
    there, rows = set[JudgmentKey](), set[int]()
    for _, row in read(answers, AnswerRow, Problems()) if answers else ():
        key = row.item_id, row.annotator_id, row.revision
        if key in tokens:
            there.add(key)
            rows.add(
                hash((key, row.criterion, row.response_id, row.other_id, row.value, row.label, row.text))
            )
    return there, rows


def _stored_rows(study: Study) -> Iterator[tuple[JudgmentKey, int]]:
    seat = "judgment__assignment__"
    names = (f"{seat}item__key", f"{seat}annotator__key", "judgment__revision")
    columns = ("criterion__key", "response__key", "other__key", "value", "label", "text")
    answers = Answer.objects.filter(judgment__client_token__isnull=False, **{f"{seat}study": study})
    for row in answers.order_by("pk").values_list(*names, *columns).iterator():
        key: JudgmentKey = row[:3]
        yield key, hash((key, *row[3:]))


def remove_study(study: Study) -> None:
    """Delete a study and everything of annotate's in it, leaves first."""
    for rehearsal in study.rehearsals.all():
        remove_study(rehearsal)
    of_study = Q(study=study)
    _remove(Answer.objects.filter(judgment__assignment__study=study))
    _remove(Judgment.objects.filter(assignment__study=study))
    _remove(Assignment.objects.filter(of_study))
    _remove(ItemResponse.objects.filter(item__study=study))
    # A repeat goes before what it repeats.
    while _remove(Item.objects.filter(of_study, repeats=None)):
        pass
    _remove(Annotator.objects.filter(of_study))
    for query in (study.responses.all(), study.prompts.all(), study.criteria.all()):
        _remove(query)
    study.delete()


def _remove(query: QuerySet[Model]) -> int:
    removed = 0
    while keys := list(query.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        for part in batches(keys, 900):
            query.model._default_manager.filter(pk__in=part).delete()
        removed += len(keys)
    return removed
