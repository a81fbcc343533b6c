"""Where an annotator stands between invite and thanks, and what comes next.

consent → instructions → questions on them → practice → work → an end with an outcome. A step that the study has no
content for is skipped. What a step needs to know is in the database, so any browser with the link goes on from there.
"""

import datetime as dt

from django.db.models import F, Min, QuerySet
from django.utils import timezone

from annotate import offer, seats, visits
from annotate.models import Annotator, Assignment, Item, Study
from annotate.models.assignment import held_too_long

Stage = Annotator.Stage
Outcome = Annotator.Outcome

_ORDER = [Stage.CONSENT, Stage.INSTRUCTIONS, Stage.CHECK, Stage.PRACTICE, Stage.WORK]


def steps(study: Study) -> list[Stage]:
    """What the study has content for, in order."""
    practice = study.items.filter(role=Item.Role.PRACTICE, withheld=False)
    there = [study.consent.strip(), study.instructions.strip(), study.checks]
    return [stage for stage, content in zip(_ORDER, there, strict=False) if content] + (
        [Stage.PRACTICE, Stage.WORK] if practice.exists() else [Stage.WORK]
    )


def settle(annotator: Annotator) -> Annotator:
    """Skip the steps that have no content, or none any more."""
    stage = Stage(annotator.stage)
    while stage in _ORDER and not _has_content(annotator, stage):
        stage = _ORDER[_ORDER.index(stage) + 1]
    return _move(annotator, stage)


def _has_content(annotator: Annotator, stage: Stage) -> bool:
    study = annotator.study
    match stage:
        case Stage.CONSENT:
            return bool(study.consent.strip())
        case Stage.INSTRUCTIONS:
            return bool(study.instructions.strip())
        case Stage.CHECK:
            return bool(study.checks)
        case Stage.PRACTICE:
            return seats.next_practice(annotator) is not None
        case _:
            return True


def advance(annotator: Annotator) -> Annotator:
    """Move on from the current step."""
    if annotator.stage == Stage.CONSENT:
        annotator.consented_at = timezone.now()
        annotator.save(update_fields=["consented_at"])
    _move(annotator, _ORDER[_ORDER.index(Stage(annotator.stage)) + 1])
    return settle(annotator)


def end(annotator: Annotator, outcome: Outcome) -> Annotator:
    seats.release(annotator)
    return _move(annotator, Stage.ENDED, outcome)


def _move(annotator: Annotator, stage: Stage, outcome: str = "") -> Annotator:
    outcome = outcome or (annotator.outcome if stage == Stage.ENDED else "")
    if (annotator.stage, annotator.outcome) != (stage, outcome):
        annotator.stage, annotator.outcome = stage, outcome
        annotator.save(update_fields=["stage", "outcome"])
    return annotator


def arrive(annotator: Annotator, session: str = "") -> Annotator:
    """Someone opens the link: a visit that the panel names anew begins, an interrupted one continues."""
    new = bool(session) and session != annotator.session
    if new:
        _begin_visit(annotator, session)
    if new or annotator.outcome in (Outcome.LEFT, Outcome.FULL):
        return resume(annotator)
    return settle(annotator)


def _begin_visit(annotator: Annotator, session: str) -> None:
    annotator.session, annotator.session_start = session, visits.done(annotator)
    annotator.save(update_fields=["session", "session_start"])
    visits.count_items(annotator)


def resume(annotator: Annotator) -> Annotator:
    """Reopen an ended visit, except for annotators who were screened out."""
    if annotator.stage == Stage.ENDED and annotator.outcome != Outcome.SCREENED_OUT:
        _move(annotator, _resumed_stage(annotator))
    return settle(annotator)


def _resumed_stage(annotator: Annotator) -> Stage:
    # What was done shows how far somebody got; reading the instructions again does no harm.
    if visits.done(annotator):
        return Stage.WORK
    if Assignment.objects.for_annotator(annotator).submitted().exists():
        return Stage.PRACTICE
    return Stage.INSTRUCTIONS if annotator.consented_at else Stage.CONSENT


def another_round(annotator: Annotator) -> Annotator:
    """Another visit by someone who comes from no panel."""
    if annotator.outcome == Outcome.FINISHED and not from_panel(annotator):
        _begin_visit(annotator, annotator.session)
    return resume(annotator)


def from_panel(annotator: Annotator) -> bool:
    return annotator.key.startswith("p-")


def nothing_left(annotator: Annotator) -> Annotator:
    """No seat for the annotator now: the end, or a wait for those who have done nothing yet."""
    outlook = seats.outlook(annotator)
    if not is_open(annotator.study):
        return annotator
    if visits.done(annotator):
        return end(annotator, Outcome.FINISHED)
    wait = visits.room(annotator) and (outlook.free or outlook.held_by_others)
    return annotator if wait else end(annotator, Outcome.FULL)


def is_open(study: Study) -> bool:
    return study.status == Study.Status.OPEN


def break_due(annotator: Annotator) -> bool:
    """Whether the item just submitted was the last before a break."""
    every = annotator.study.break_after
    if not every:
        return False
    in_visit = visits.done_in_visit(annotator)
    return in_visit > 0 and in_visit % every == 0


def open_items(study: Study) -> int:
    """Items open to a newcomer."""
    return _open_items(study).count()


def takes(study: Study) -> bool:
    return is_open(study) and _open_items(study).exists()


def _open_items(study: Study) -> QuerySet[Item]:
    return offer.open_items(study, offer.FREE | held_too_long(timezone.now()))


def next_release(study: Study) -> dt.datetime | None:
    """When a place comes free at the latest that somebody holds now."""
    seats = Assignment.objects.held().filter(study=study, item__role=Item.Role.MAIN, item__withheld=False)
    soonest: dt.datetime | None = seats.aggregate(soonest=Min("expires_at"))["soonest"]
    return soonest


def wrong_answers(study: Study, chosen: list[str]) -> list[int]:
    """Which questions on the instructions were answered wrongly, by their place."""
    return [n for n, check in enumerate(study.checks) if chosen[n] != str(check["right"])]


def check_failed(annotator: Annotator, tries_known: int) -> bool:
    """Count a wrong attempt, once however often it is sent; after the last one the annotator is screened out."""
    counted = Annotator.objects.filter(pk=annotator.pk, stage=Stage.CHECK, tries=tries_known)
    if not counted.update(tries=F("tries") + 1):
        return False
    annotator.tries = tries_known + 1
    if annotator.tries >= annotator.study.check_tries:
        end(annotator, Outcome.SCREENED_OUT)
    return True
