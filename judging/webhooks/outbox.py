"""Webhook messages: signed, retried, and never sent to addresses that only this machine can reach.

Signatures follow the Standard Webhooks specification (webhook-id, webhook-timestamp, webhook-signature).
"""

import datetime as dt
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import standardwebhooks
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_tasks import task

from annotate.models import Assignment, Item, Study
from judging.models import ScoringTask
from judging.models.webhooks import Delivery, Webhook
from judging.results.cache import cached
from judging.results.json import EstimateRecord
from judging.scorers.endpoints.guard import GuardedTransport, RefusedError

if TYPE_CHECKING:
    from judging.results.agreement import SoFar

Event = Webhook.Event
# Seconds from one try to the next: about nine hours in all.
PAUSES = (10, 60, 300, 1_800, 7_200, 21_600)
SECONDS = 10.0


def notify(study: Study, event: Event, key: str, data: dict[str, Any], to: Webhook | None = None) -> int:
    """Queue a message for every webhook that wants it and has not had it; returns how many."""
    hooks = [to] if to else [h for h in study.webhooks.all() if h.wants(event)]
    head = {"event": event.value, "study": study.slug, "simulated": study.simulated}
    body = json.dumps(head | {"at": timezone.now().isoformat()} | data)
    queued = 0
    for hook in hooks:
        with transaction.atomic():
            delivery, new = Delivery.objects.get_or_create(
                webhook=hook, key=key, defaults={"event": event, "body": body, "next_at": timezone.now()}
            )
            if new:
                deliver.enqueue(delivery.pk, 0)
        queued += new
    return queued


@task()
def deliver(pk: int, attempt: int) -> str:
    """Make one attempt. The next one is queued before this one begins: a worker that dies loses nothing."""
    with transaction.atomic():
        due = Delivery.objects.filter(pk=pk, attempts=attempt, delivered_at=None)
        if not due.update(attempts=attempt + 1, tried_at=timezone.now(), next_at=_later(attempt)):
            return "over"
        if attempt < len(PAUSES):
            again = deliver.using(run_after=_later(attempt))
            again.enqueue(pk, attempt + 1)
    delivery = Delivery.objects.select_related("webhook").get(pk=pk)
    code, error = _post(delivery)
    result: dict[str, Any] = {"status_code": code, "error": error[:300]}
    if not error:
        result |= {"delivered_at": timezone.now(), "next_at": None}
    # Where it went meanwhile, by hand or by another worker, stays as it is.
    Delivery.objects.filter(pk=pk, delivered_at=None).update(**result)
    return error or "delivered"


def _later(attempt: int) -> dt.datetime | None:
    return timezone.now() + dt.timedelta(seconds=PAUSES[attempt]) if attempt < len(PAUSES) else None


def _post(delivery: Delivery) -> tuple[int | None, str]:
    hook, now = delivery.webhook, timezone.now()
    signature = standardwebhooks.Webhook(hook.secret).sign(str(delivery.uuid), now, delivery.body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Offbeat",
        "webhook-id": str(delivery.uuid),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    transport = GuardedTransport(settings.ENDPOINTS_ALLOWED, connections=1)
    try:
        # Redirects are not followed, and what is answered is not read: only whether it was taken.
        with (
            httpx.Client(transport=transport, timeout=SECONDS, trust_env=False) as client,
            client.stream("POST", hook.url, content=delivery.body.encode(), headers=headers) as answer,
        ):
            error = "" if answer.is_success else f"answered with {answer.status_code}"
            return answer.status_code, error
    except RefusedError as error:
        return None, str(error)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return None, f"{type(error).__name__}: {error}"


def run_finished(done: ScoringTask) -> None:
    data = {
        "run": done.pk,
        "scorer": done.scorer,
        "status": done.status,
        "stored": done.stored,
        "wanted": done.wanted,
        "failed": done.failed,
    }
    notify(done.study, Event.RUN, f"run:{done.pk}", data)


def begin(study: Study) -> None:
    """Start checking the study from time to time."""
    look.enqueue(study.pk)


@task()
def look(pk: int) -> str:
    """Check whether a study is full or its annotators agree, as long as it has webhooks."""
    study = Study.objects.filter(pk=pk).first()
    if study is None or not study.webhooks.exists():
        return "nobody asks"
    later = timezone.now() + dt.timedelta(seconds=settings.WEBHOOK_LOOK)
    look.using(run_after=later).enqueue(pk)
    queued = _notify_full(study) + _notify_agreement(study)
    return f"queued {queued}"


def _notify_full(study: Study) -> int:
    if not any(hook.wants(Event.FULL) for hook in study.webhooks.all()):
        return 0
    seats = Assignment.objects.filter(study=study, item__role=Item.Role.MAIN, item__withheld=False)
    n = seats.count()
    if not n or seats.filter(~Q(status=Assignment.Status.SUBMITTED)).exists():
        return 0
    # An excluded judgment opens another seat: when that is filled the study is full once more.
    return notify(study, Event.FULL, f"full:{n}", {"judgments": n})


def _notify_agreement(study: Study) -> int:
    hooks = [h for h in study.webhooks.all() if h.wants(Event.AGREEMENT) and h.threshold is not None]
    reached = list(_reached(study)) if hooks else []
    queued = 0
    for hook in hooks:
        for entry in reached:
            if entry.alpha.low is not None and entry.alpha.low >= (hook.threshold or 0.0):
                key = f"agreement:{entry.criterion.key}:{hook.threshold}"
                queued += notify(study, Event.AGREEMENT, key, _agreed(entry, hook), hook)
    return queued


def _reached(study: Study) -> "Iterator[SoFar]":
    from judging.results.agreement import so_far

    yield from cached(study, "so-far", lambda: so_far(study))


def _agreed(entry: "SoFar", hook: Webhook) -> dict[str, Any]:
    return {
        "criterion": entry.criterion.key,
        "level": entry.level,
        "threshold": hook.threshold,
        "alpha": EstimateRecord.model_validate(entry.alpha).model_dump(),
        "n_items": entry.n_items,
        "n_answers": entry.n_answers,
    }
