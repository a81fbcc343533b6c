"""Numbers from files: other tools' outputs, and batch files that are answered where this application can't reach."""

import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate import pending_uploads as waiting
from annotate.folder import FolderError
from annotate.models import Role, Study
from annotate.views.access import for_members
from annotate.views.desk import posted
from judging import tasks
from judging.folder.scores import import_scores
from judging.imports import bad_rows
from judging.imports.forms import ReadingForm, context_of, left_out_context, options_of, update
from judging.imports.matching import Joined
from judging.imports.scores import SCORES, join
from judging.imports.storing import ConflictError, store
from judging.imports.views_left_out import list_of
from judging.runs import batch_files
from judging.runs import work as scoring

SESSION = "scores"
NAMED = 20


class ScoresForm(forms.Form):
    sent = forms.FileField(label="File", help_text="JSON, JSON Lines, CSV, Excel or Parquet, plain or .gz.")
    format = forms.ChoiceField(
        required=False,
        label="Written by",
        choices=[
            ("", "Offbeat: the scores of a study folder"),
            *((name, f.title) for name, f in SCORES.items()),
        ],
    )
    scorer = forms.CharField(
        required=False, max_length=200, label="Scorer", help_text="Its name, where the file does not say it."
    )
    version = forms.CharField(required=False, max_length=200, label="Version")


class LookForm(ReadingForm):
    format = forms.ChoiceField(label="Written by", choices=[(name, f.title) for name, f in SCORES.items()])
    version = forms.CharField(required=False, max_length=200, label="Version")


class BatchForm(forms.Form):
    scorer = forms.ChoiceField(choices=lambda: [(name, name) for name in batch_files.names()])


class ResultsForm(BatchForm):
    sent = forms.FileField(
        label="Results", help_text="JSON Lines, in any order; in pieces one after the other."
    )


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def files(request: HttpRequest, study: Study) -> HttpResponse:
    """A study folder's scores are stored at once; what another tool wrote is shown first."""
    form = ScoresForm(posted(request), request.FILES or None)
    if not form.is_bound or not form.is_valid():
        return _page(request, study, scores=form)
    choices = form.cleaned_data
    try:
        token = waiting.keep([choices.pop("sent")])
        kept = {"study": study.slug, "token": token, "choices": choices}
        if choices["format"]:
            request.session[SESSION] = kept
            return redirect("scores-look", study.slug)
        counts = import_scores(study, _files(kept)[0])
        waiting.forget(token)
    except FolderError as error:
        return _page(request, study, scores=form, error=error)
    messages.success(request, f"{counts['scores']:,} scores read, {counts['new']:,} of them new.")
    return redirect("runs", study.slug)


def _page(request: HttpRequest, study: Study, **context: Any) -> HttpResponse:
    shown = {"study": study, "scores": ScoresForm(), "names": batch_files.names()}
    shown |= {"lists": bad_rows.kept(study)}
    shown |= {"write": BatchForm(), "read": ResultsForm()} | context
    wrong = "error" in context or any(getattr(form, "errors", None) for form in context.values())
    return render(request, "judging/files.html", shown, status=422 if wrong else 200)


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def look(request: HttpRequest, study: Study) -> HttpResponse:
    """What matched and what did not, and how the file was read; then what matches is stored, or nothing."""
    kept = _kept_file(request, study)
    if kept is None:
        return redirect("scores-files", study.slug)
    form = LookForm(posted(request), initial=kept["choices"])
    if form.is_bound and form.is_valid():
        update(kept, request, form)
        request.session[SESSION] = kept
    options = options_of(kept)
    context: dict[str, Any] = {"study": study, "form": form, "error": None}
    if not form.errors:
        try:
            joined = join(study, _files(kept), kept["choices"]["format"], options)
            if "load" in request.POST and joined.matched:
                return _store(request, study, joined, kept)
            context |= {"joined": joined, "how": joined.how.most_common()}
            context |= left_out_context(joined.left_out, reverse("scores-left-out", args=[study.slug]))
        except FolderError as error:
            context["error"] = error
        except ConflictError as error:
            messages.error(request, f"Nothing was stored: {error}")
    context |= context_of(_folder(kept), kept, options)
    wrong = context["error"] or form.errors
    return render(request, "judging/files_look.html", context, status=422 if wrong else 200)


@require_safe
@for_members(Role.RESEARCHER)
def left_out(request: HttpRequest, study: Study) -> HttpResponse:
    """The rows that would be left out, with the reason of each, as a file."""
    kept = _kept_file(request, study)
    if kept is None:
        return redirect("scores-files", study.slug)
    try:
        joined = join(study, _files(kept), kept["choices"]["format"], options_of(kept))
    except FolderError:
        # The preview says what is wrong.
        return redirect("scores-look", study.slug)
    return list_of(joined.left_out)


def _kept_file(request: HttpRequest, study: Study) -> dict[str, Any] | None:
    kept: dict[str, Any] = request.session.get(SESSION, {})
    if kept.get("study") == study.slug and waiting.find(kept["token"]) is not None:
        return kept
    messages.warning(request, "The file is gone. Send it again.")
    return None


def _folder(kept: dict[str, Any]) -> Path:
    folder = waiting.find(kept["token"])
    if folder is None:
        raise FileNotFoundError(kept["token"])
    return folder


def _files(kept: dict[str, Any]) -> list[Path]:
    return waiting.paths(_folder(kept))


def _store(request: HttpRequest, study: Study, joined: Joined, kept: dict[str, Any]) -> HttpResponse:
    new = store(study, joined, kept["choices"]["version"])
    waiting.forget(kept["token"])
    del request.session[SESSION]
    if joined.left_out:
        n = len(joined.left_out)
        messages.warning(request, f"{n:,} bad rows were left out: the page of files has the list of them.")
    messages.success(request, f"{new:,} numbers are stored; the others were there before.")
    return redirect("runs", study.slug)


@require_POST
@for_members(Role.RESEARCHER)
def write_batch(request: HttpRequest, study: Study) -> HttpResponse | FileResponse:
    """The calls without an answer, to take along."""
    form = BatchForm(posted(request))
    if not form.is_valid():
        return _page(request, study, write=form)
    name = form.cleaned_data["scorer"]
    file = tempfile.NamedTemporaryFile(suffix=".jsonl")  # noqa: SIM115 - closed, and gone, when it has been sent
    written = batch_files.write(study, name, Path(file.name))
    if not written.lines:
        file.close()
        messages.info(request, f"{name} has an answer to every call already.")
        return redirect("scores-files", study.slug)
    return FileResponse(file, as_attachment=True, filename=f"{study.slug}-{name}-batch.jsonl")


@require_POST
@for_members(Role.RESEARCHER)
def read_batch(request: HttpRequest, study: Study) -> HttpResponse:
    """Keep the answers, and have a worker score what they allow; it calls nobody."""
    form = ResultsForm(posted(request), request.FILES)
    if not form.is_valid():
        return _page(request, study, read=form)
    name = form.cleaned_data["scorer"]
    try:
        upload = _kept(study, name, form.cleaned_data["sent"])
        tasks.enqueue(scoring.order(study, name, asked_by=request.user, call_budget=0))
    except (batch_files.BatchError, scoring.BusyError) as error:
        messages.error(request, f"{error}.")
        return redirect("scores-files", study.slug)
    messages.success(
        request, f"{upload.kept:,} answers kept; {upload.foreign:,} of other calls or known before."
    )
    for key, why in upload.failures[:NAMED]:
        messages.warning(request, f"{key} failed: {why}")
    if len(upload.failures) > NAMED:
        messages.warning(
            request, f"{len(upload.failures) - NAMED:,} more failed; the next batch file has them again."
        )
    return redirect("runs", study.slug)


def _kept(study: Study, name: str, sent: UploadedFile) -> batch_files.ReadBack:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(sent.name or "results.jsonl").name
        with path.open("wb") as file:
            for chunk in sent.chunks():
                file.write(chunk)
        return batch_files.keep(study, name, path)
