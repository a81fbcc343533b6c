"""Lists of the rows that an import left out, to download."""

from collections.abc import Iterable

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotate import trail
from annotate.folder.problems import Problem
from annotate.models import Action, Role, Study
from annotate.views.access import for_members
from judging.imports import bad_rows


@require_safe
@for_members(Role.RESEARCHER)
def left_out(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """A list of an import that is done."""
    path = bad_rows.find(study, name)
    if path is None:
        raise Http404("no such list")
    trail.note(study, Action.DOWNLOADED, "rows that were left out", name=name)
    return _csv(path.read_text(encoding="utf-8"), f"{name}.csv")


def list_of(rows: Iterable[Problem]) -> HttpResponse:
    """The list of an import that is only looked at."""
    return _csv(bad_rows.table(rows), "left-out.csv")


def _csv(content: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
