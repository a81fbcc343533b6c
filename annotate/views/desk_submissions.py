"""The panel's own list of submissions: looked at, and those excluded whom it rejected."""

import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotate import submissions
from annotate.folder import FolderError
from annotate.models import Role, Study
from annotate.views.access import for_members
from annotate.views.desk import posted

_SALT = "offbeat.submissions"


class SubmissionsForm(forms.Form):
    file = forms.FileField(
        label="The panel’s export",
        help_text="Prolific: Submissions › More › Download. Mechanical Turk: the results of a batch.",
    )


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def submissions_page(request: HttpRequest, study: Study) -> HttpResponse:
    if request.method == "POST" and "read" in request.POST:
        return _exclude(request, study)
    form, error = SubmissionsForm(posted(request), request.FILES or None), None
    if request.method == "POST" and form.is_valid():
        try:
            return render(
                request, "annotate/desk_submissions.html", _preview(study, form.cleaned_data["file"])
            )
        except FolderError as refused:
            error = refused
    context = {"study": study, "form": form, "error": error}
    wrong = bool(error or form.errors)
    return render(request, "annotate/desk_submissions.html", context, status=422 if wrong else 200)


def _preview(study: Study, file: UploadedFile) -> dict[str, Any]:
    name = Path(file.name or "").name
    with tempfile.TemporaryDirectory(prefix="offbeat-") as folder:
        path = Path(folder) / f"submissions{''.join(Path(name).suffixes[-2:])}"
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        export = submissions.read(study, path, name)
    known = set(study.annotators.filter(key__in=export.people).values_list("key", flat=True))
    here = {key: statuses for key, statuses in export.people.items() if key in known}
    rows = [
        (status, n, len(submissions.affected(study, export.people, {status}).now))
        for status, n in export.statuses.most_common()
    ]
    # People by pseudonym alone go to the browser and come back; the file with their ids is gone already.
    read = signing.dumps([study.slug, here], salt=_SALT, compress=True)
    return {"study": study, "name": name, "rows": rows, "export": export, "read": read, "n_known": len(known)}


def _exclude(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        slug, people = signing.loads(request.POST["read"], salt=_SALT, max_age=24 * 60 * 60)
    except signing.BadSignature:
        slug, people = "", {}
    if slug != study.slug:
        messages.error(request, "That list is too old, or another study’s. Please choose the file again.")
        return redirect("submissions", study.slug)
    with transaction.atomic():
        affected = submissions.affected(study, people, set(request.POST.getlist("status")))
        submissions.exclude(affected)
    unclear = ", ".join(a.key for a in affected.unclear)
    messages.success(
        request,
        f"Excluded: {len(affected.now)}. Excluded before: {len(affected.before)}."
        + (f" Left as they are, since the panel says several things of them: {unclear}." if unclear else ""),
    )
    return redirect("submissions", study.slug)
