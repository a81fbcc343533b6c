"""For whatever watches the servers: load balancers, systemd, compose, Prometheus."""

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from annotate.config.metrics import exposition
from annotate.locks import held_by_another, soon_or_never

PATIENCE = 100  # milliseconds: whoever watches has a limit of its own


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. It asks nothing of anybody else: a restart would not mend the database."""
    return JsonResponse({"process": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Annotators can be sent here: the database answers, takes writes, and has the tables of this version."""
    try:
        migrated = _migrated()
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    if not _takes_writes():
        return JsonResponse({"database": "takes no writes"}, status=503)
    migrations = "ok" if migrated else "missing: run manage.py migrate"
    return JsonResponse({"database": "ok", "migrations": migrations}, status=200 if migrated else 503)


def _takes_writes() -> bool:
    """Tried, with nothing that stays: a disk that is full, or mounted for reading only, answers questions too."""
    try:
        with soon_or_never(PATIENCE):
            ContentType.objects.create(app_label="readyz", model="readyz")
            transaction.set_rollback(True)
    except OperationalError as error:
        # Whoever holds the lock is writing.
        return held_by_another(error)
    except DatabaseError:
        return False
    return True


class _Seen:
    """Tables that were there once are there still, so that one look at all migrations is enough."""

    migrated = False


def _migrated() -> bool:
    if _Seen.migrated:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    else:
        executor = MigrationExecutor(connection)
        _Seen.migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _Seen.migrated


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For staff who are logged in, and for whoever has METRICS_TOKEN."""
    if not (_has_token(request) or request.user.is_staff):
        if request.user.is_authenticated:
            raise PermissionDenied
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    sent = request.headers.get("Authorization", "")
    return bool(settings.METRICS_TOKEN) and constant_time_compare(sent, f"Bearer {settings.METRICS_TOKEN}")
