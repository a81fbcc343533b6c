"""Results of large studies: a worker makes them, and pages show the latest, with the time it was made at.

What takes a minute to compute can't be waited for in a request; and while people annotate it would never be ready,
were only what rests on the very last answer shown.
"""

import datetime as dt
import hashlib
import os
import pickle
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django_tasks import task

from annotate.api.problems import PREFIX, problem_response
from annotate.models import Answer, Study
from judging.release import CODE

# Seconds: a result is made anew at most once in so long, and a worker spends at most a tenth of its time on one.
REST, SHARE = 60, 10
# A worker that died has left nobody at work: after so long another one is asked.
GIVEN_UP = 900
HOUR = 3600
WEEK = 7 * 24 * HOUR
# Results that a process keeps in memory.
HELD = 8
# Bytes.
SEAL_LENGTH = 32


class NotReadyError(Exception):
    """Nobody has made the result yet; a worker has been asked."""

    def __init__(self, study: Study) -> None:
        super().__init__(f"{study.slug}: the result is being made")
        self.study = study


@dataclass(frozen=True, slots=True)
class Prepared:
    """A result, the time at which it was right, and the mark of the rows it rests on."""

    at: dt.datetime
    mark: str
    value: Any


@dataclass(slots=True)
class _Visit:
    """A request in a web process, and the times of what it was shown."""

    request: HttpRequest
    times: list[dt.datetime] = field(default_factory=list)
    queued: bool = False
    large: dict[int, bool] = field(default_factory=dict)


_held: dict[Path, tuple[int, Any]] = {}
_visit: ContextVar[_Visit | None] = ContextVar("visit", default=None)
_making: ContextVar[bool] = ContextVar("making", default=False)


class PendingResultMiddleware:
    """Middleware: a page whose result is still being made says so, and asks again by itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _visit.set(_Visit(request))
        try:
            return self.get_response(request)
        finally:
            _visit.reset(token)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, NotReadyError):
            return None
        detail = "The study is large: a worker is making this result. Ask again later."
        if request.path.startswith(PREFIX) or request.GET.get("format") == "json":
            response: HttpResponse = problem_response(503, detail)
        elif request.headers.get("HX-Request"):
            # What is shown stays, and asks again in its own time.
            response = HttpResponse(status=204)
        else:
            response = render(request, "judging/results/pending.html", {"study": error.study}, status=202)
        response["Retry-After"] = "10"
        return response


def shown_from(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shown_from`, the time of the oldest prepared result on the page; none on most pages."""
    visit = _visit.get()
    return {"shown_from": min(visit.times)} if visit and visit.times else {}


def waits(study: Study) -> bool:
    """Whether this is a request, and for results that no request waits for."""
    return _is_request() and bool(caches["results"].get(f"large:{study.pk}"))


def notice(study: Study) -> bool:
    """As `waits`, for a request that is about to compute something: the study's rows are counted, once a request."""
    visit = _visit.get()
    if visit is None or not _is_request():
        return False
    if study.pk not in visit.large:
        visit.large[study.pk] = _is_large(study)
    if visit.large[study.pk]:
        caches["results"].set(f"large:{study.pk}", value=True, timeout=HOUR)
    return visit.large[study.pk]


def _is_request() -> bool:
    return _visit.get() is not None and not _making.get()


def is_made_now() -> bool:
    """Whether a worker looks at a page, and nobody sees it."""
    return _making.get()


def _is_large(study: Study) -> bool:
    """Whether the study has more answers or responses than are computed while somebody waits."""
    rows = (Answer.objects.filter(criterion__study=study), study.responses.in_pool())
    return any(r.order_by()[settings.RESULTS_AT_ONCE :].exists() for r in rows)


def latest(study: Study, name: str) -> Prepared:
    """The result as it was made last; a worker is asked to look at the page anew when it's time."""
    visit = _visit.get()
    if visit is None:
        raise RuntimeError("nobody asks")
    stored = _find(study, name)
    _ask(study, name, visit, missing=stored is None)
    if stored is None:
        raise NotReadyError(study)
    visit.times.append(stored.at)
    if isinstance(stored.value, Exception):
        raise stored.value
    return stored


def _ask(study: Study, name: str, visit: _Visit, *, missing: bool) -> None:
    """Have a worker look at the page, unless one was asked for this result already, or has just made it."""
    new = caches["default"].add(_asked(study, name, missing=missing), 1, GIVEN_UP)
    if new and not visit.queued:
        visit.queued = True
        request = visit.request
        look_at.enqueue(study.pk, request.get_full_path(), request.get_host(), int(str(request.user.pk)))


def _asked(study: Study, name: str, *, missing: bool) -> str:
    return f"prepared:{study.pk}:{_hashed(name)}:{'missing' if missing else 'old'}"


def _hashed(name: str) -> str:
    return hashlib.sha256(f"{CODE}:{name}".encode()).hexdigest()[:32]


@task()
def look_at(study: int, path: str, host: str, user: int) -> str:
    """Make what a page needs, by looking at it as the one who asked."""
    begun = time.perf_counter()
    _forget_old()
    request = RequestFactory().get(path, headers={"host": host})
    request.user = get_user_model().objects.get(pk=user)
    request.resolver_match = resolve(request.path)
    view, args, kwargs = request.resolver_match
    with _at_work():
        status = view(request, *args, **kwargs).status_code
    return f"{status} after {time.perf_counter() - begun:.0f} s"


@contextmanager
def _at_work() -> Iterator[None]:
    token = _making.set(True)
    try:
        yield
    finally:
        _making.reset(token)


def made(study: Study, name: str, mark: str, compute: Callable[[], Any]) -> Any:
    """In a worker: the result, computed unless the one that lies there has the same mark; right as of now."""
    now, begun, stored = timezone.now(), time.perf_counter(), _find(study, name)
    if stored is None or stored.mark != mark:
        _write(_path(study, name, "value"), _outcome(compute))
    _write(_path(study, name, "made"), (now, mark))
    rest = max(REST, SHARE * (time.perf_counter() - begun))
    caches["default"].set(_asked(study, name, missing=False), 1, rest)
    caches["default"].delete(_asked(study, name, missing=True))
    value = _read_value(study, name)
    if isinstance(value, Exception):
        raise value
    return value


def _outcome(compute: Callable[[], Any]) -> Any:
    """What it computes, or why the data can't give it: the page says the same as if it had computed it itself."""
    try:
        return compute()
    except ValueError as error:
        return error


def _find(study: Study, name: str) -> Prepared | None:
    try:
        at, mark = _load(_path(study, name, "made"))
        return Prepared(at, mark, _read_value(study, name))
    except FileNotFoundError:
        return None


def _read_value(study: Study, name: str) -> Any:
    path = _path(study, name, "value")
    return _read(path, path.stat().st_mtime_ns)


def _read(path: Path, written: int) -> Any:
    """The value, kept in memory: shared by requests, which don't change it."""
    held = _held.get(path)
    if held is None or held[0] != written:
        # Of one result the latest alone: some are as large as the study.
        _held.pop(path, None)
        while len(_held) >= HELD:
            _held.pop(next(iter(_held)), None)
        held = _held[path] = (written, _load(path))
    return held[1]


def _path(study: Study, name: str, what: str) -> Path:
    return _room() / str(study.pk) / f"{_hashed(name)}.{what}"


def _room() -> Path:
    return Path(settings.WORK_DIR) / settings.PREPARED


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    part.write_bytes(_seal(pickled) + pickled)
    part.replace(path)


def _load(path: Path) -> Any:
    """What `_write` wrote. A file that somebody else put there is none: unpickled, it could run anything."""
    sealed = path.read_bytes()
    seal, pickled = sealed[:SEAL_LENGTH], sealed[SEAL_LENGTH:]
    if not constant_time_compare(seal, _seal(pickled)):
        raise FileNotFoundError(path)
    return pickle.loads(pickled)  # noqa: S301


def _seal(pickled: bytes) -> bytes:
    return salted_hmac("judging.prepared", pickled, algorithm="sha256").digest()


def _forget_old() -> None:
    """Results of studies that are no more, and what nobody has made anew for a week."""
    there = set(Study.objects.values_list("pk", flat=True))
    for folder in _room().glob("*"):
        if not folder.name.isdecimal() or int(folder.name) not in there:
            shutil.rmtree(folder, ignore_errors=True)
    for path in _room().glob("*/*"):
        if path.stat().st_mtime < time.time() - WEEK:
            path.unlink(missing_ok=True)
