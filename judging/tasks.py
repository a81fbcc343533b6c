"""Background work, done by `manage.py db_worker` on this machine or on others with the same database."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_tasks import task

from annotate.models import Answer, Study
from judging.exports import export_jobs
from judging.models import ScoringTask
from judging.runs import work as scoring


@task()
def perform(pk: int) -> str:
    """Do an order, unless another worker does it or it has ended."""
    scoring_task = ScoringTask.objects.filter(pk=pk).first()
    if scoring_task is None or not scoring_task.claim():
        return "nothing to do"
    try:
        scoring.perform(scoring_task)
    except (scoring.CancelledError, scoring.LostError, scoring.SpentError) as ended:
        return str(ended)
    except (KeyboardInterrupt, SystemExit):
        # The worker is told to stop in the middle: another one goes on.
        scoring_task.save_progress(status=ScoringTask.Status.WAITING)
        perform.enqueue(pk)
        raise
    return "done"


@task()
def watch(pk: int) -> str:
    """Check that an order's worker is still alive; if not, queue the order again."""
    scoring_task = ScoringTask.objects.active().filter(pk=pk).first()
    if scoring_task is None:
        return "over"
    if ScoringTask.objects.free().filter(pk=pk, attempts__gt=0).exists():
        perform.enqueue(pk)
    _watch_later(pk)
    return "watched"


def _watch_later(pk: int) -> None:
    later = timezone.now() + dt.timedelta(seconds=settings.SCORING_SILENCE)
    watch.using(run_after=later).enqueue(pk)


def enqueue(order: ScoringTask) -> None:
    """Queue an order, and a task that watches it."""
    with transaction.atomic():
        perform.enqueue(order.pk)
        _watch_later(order.pk)


@task()
def make_export(study: int, name: str) -> str:
    """Write an export."""
    export_jobs.make(Study.objects.get(pk=study), name)
    return name


def start_export(study: Study, writer: str, escape: bool) -> export_jobs.ExportJob:
    """Made at once if it is quick, else in the background."""
    name = export_jobs.order(study, writer, escape=escape)
    if Answer.objects.filter(criterion__study=study).count() > settings.EXPORT_AT_ONCE:
        make_export.enqueue(study.pk, name)
    else:
        export_jobs.make(study, name)
    job = export_jobs.find(study, name)
    if job is None:
        raise RuntimeError(f"the export {name} no longer exists")
    return job
