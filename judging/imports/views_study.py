"""Bring in a study from files of another tool: send them, see what would come in, say what columns mean, load."""

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from annotate import members
from annotate import pending_uploads as waiting
from annotate.folder import FolderError
from annotate.formats import FORMATS, Options, Reading
from annotate.forms import FilesField
from annotate.models import Role, Study
from annotate.readiness import leaking
from annotate.views.access import check_role, staff_only
from annotate.views.desk import posted
from judging.imports.forms import ReadingForm, context_of, left_out_context, options_of, update
from judging.imports.study import Imported, import_study
from judging.imports.views_left_out import list_of

SESSION = "import"


class FilesForm(forms.Form):
    sent = FilesField(
        label="Files, or a .zip or .tar.gz of them",
        help_text="JSON, JSON Lines, CSV, Parquet or Arrow, plain or .gz; a folder of Hugging Face datasets as a .zip.",
    )


class LookForm(ReadingForm):
    format = forms.ChoiceField(
        required=False,
        choices=[("", "Detect automatically"), *((f.name, f.title) for f in FORMATS.values())],
        label="Format",
    )
    slug = forms.SlugField(
        max_length=100, label="Short name", help_text="A study of this name takes up what is new."
    )
    title = forms.CharField(
        required=False, max_length=300, label="Title", help_text="Leave empty to use the short name."
    )
    split = forms.CharField(
        required=False, max_length=100, label="Split", help_text="Of a data set; empty: all."
    )
    seats = forms.IntegerField(
        required=False, min_value=1, max_value=32767, label="Annotators for each item",
        help_text="Leave empty for as many as each item has.",
    )  # fmt: skip
    voters = forms.ChoiceField(
        choices=[("auto", "by their names"), ("people", "all are people"), ("machines", "all are machines")],
        label="Who voted",
        initial="auto",
        help_text="People's votes are answers, machines' are scores.",
    )
    scale = forms.RegexField(
        r"^-?\d{1,6}, ?-?\d{1,6}$", required=False, label="Scale of ratings", help_text="Such as 1,5."
    )


@require_http_methods(["GET", "POST"])
@staff_only
def start(request: HttpRequest) -> HttpResponse:
    """Files are stored for a day, and nothing of them is in the database yet."""
    form = FilesForm(posted(request), request.FILES or None)
    error: FolderError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            token = waiting.keep(form.cleaned_data["sent"])
        except FolderError as refused:
            error = refused
        else:
            name = Path(form.cleaned_data["sent"][0].name).name.partition(".")[0]
            slug = slugify(name)[:100] or "imported"
            request.session[SESSION] = {
                "token": token,
                "choices": {"slug": slug, "voters": "auto"},
                "map": {},
            }
            return redirect("import-look")
    context = {"form": form, "error": error, "formats": FORMATS.values()}
    return render(request, "judging/import.html", context, status=422 if error or form.errors else 200)


@require_http_methods(["GET", "POST"])
@staff_only
def look(request: HttpRequest) -> HttpResponse:
    """What would come in, what is unknown, what does not match; then all of it, or nothing."""
    kept = request.session.get(SESSION, {})
    folder = waiting.find(kept.get("token", ""))
    if folder is None:
        messages.warning(request, "The files are gone. Send them again.")
        return redirect("import")
    if request.method == "POST":
        form = LookForm(posted(request))
        if form.is_valid():
            update(kept, request, form)
            request.session[SESSION] = kept
    else:
        form = LookForm(initial=kept["choices"])
    options = _options(kept)
    context: dict[str, Any] = {"form": form, "error": None}
    if not form.errors:
        try:
            done = _imported(request, folder, kept, options, dry_run="load" not in request.POST)
            if "load" in request.POST:
                return _loaded(request, done)
            context |= _preview(done)
        except FolderError as refused:
            context["error"] = refused
    context |= context_of(folder, kept, options)
    return render(request, "judging/import_look.html", context, status=422 if form.errors else 200)


@require_safe
@staff_only
def left_out(request: HttpRequest) -> HttpResponse:
    """The rows that would be left out, with the reason of each, as a file."""
    kept = request.session.get(SESSION, {})
    folder = waiting.find(kept.get("token", ""))
    if folder is None:
        messages.warning(request, "The files are gone. Send them again.")
        return redirect("import")
    try:
        done = _imported(request, folder, kept, _options(kept), dry_run=True)
    except FolderError:
        # The preview says what is wrong.
        return redirect("import-look")
    return list_of(done.left_out)


def _options(kept: dict[str, Any]) -> Options:
    choices = kept["choices"]
    return options_of(
        kept,
        slug=choices["slug"],
        title=choices.get("title") or "",
        seats=choices.get("seats"),
        voters=choices["voters"],
    )


def _imported(
    request: HttpRequest, folder: Path, kept: dict[str, Any], options: Options, *, dry_run: bool
) -> Imported:
    choices = kept["choices"]
    return import_study(
        waiting.paths(folder),
        choices.get("format") or "",
        options,
        split=choices.get("split") or "",
        dry_run=dry_run,
        takes_up=lambda study: check_role(request, study, Role.RESEARCHER),
    )


def _preview(done: Imported) -> dict[str, Any]:
    reading: Reading = done.reading
    samples = [(table, _sample(rows)) for table, rows in reading.samples.items() if rows]
    return {
        "reading": reading,
        "new": [(table, n) for table, n in done.new.items() if n],
        "there": done.loaded is not None,
        "remarks": reading.remarks,
        "criteria": reading.spec.criterion,
        "samples": samples,
        **left_out_context(done.left_out, reverse("import-left-out")),
    }


def _sample(rows: list[dict[str, Any]]) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return {"columns": columns, "cells": [[row.get(name, "") for name in columns] for row in rows]}


def _loaded(request: HttpRequest, done: Imported) -> HttpResponse:
    assert done.loaded is not None  # noqa: S101
    study: Study = done.loaded.study
    if not study.memberships.exists():
        members.add(study, request.user, Role.OWNER)
    waiting.forget(request.session.pop(SESSION)["token"])
    new = ", ".join(f"{n:,} {table}" for table, n in done.new.items() if n)
    if done.left_out:
        messages.warning(
            request, f"{len(done.left_out):,} bad rows were left out: Export has the list of them."
        )
    messages.success(request, f"Imported: {new or 'nothing new'}.")
    if n := sum(1 for _ in leaking(study)):
        verb = "response names" if n == 1 else "responses name"
        messages.warning(
            request, f"{n:,} {verb} a model or a maker. Hold them back before you open the study."
        )
        return redirect("leaks", study.slug)
    return redirect(study)
