"""Bring in a study from files of another tool: send them, see what would come in, say what columns mean, load."""

from collections import Counter
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from annotate import members
from annotate.folder import FolderError
from annotate.folder.problems import quoted
from annotate.formats import FORMATS, Options, Reading
from annotate.formats.numbers import is_missing
from annotate.formats.readers.mapped import ROLES
from annotate.formats.source import Source, sources
from annotate.formats.votes import MEANINGS, WORDS, code
from annotate.models import Role, Study
from annotate.readiness import leaking
from annotate.views.access import check_role, staff_only
from annotate.views.desk import posted
from judging.folder.views import FilesField
from judging.imports import pending_uploads as waiting
from judging.imports.study import Imported, import_study, left_out_table

SESSION = "import"
SHOWN = 3
NAMED = 20
MOST_VALUES = 40
# A form may have a thousand fields, and nobody maps so many columns by hand: `--map` does.
MOST_COLUMNS = 300
# What a column may mean, beside the roles that every table knows.
FURTHER = {"rating.quality": "a rating of quality", "rating.originality": "a rating of originality"}
CHOICES = [
    ("", "–"),
    *((role, f"{role}: {said}") for role, said in (ROLES | FURTHER).items() if role != "scale"),
]


class FilesForm(forms.Form):
    sent = FilesField(
        label="Files, or a .zip or .tar.gz of them",
        help_text="JSON, JSON Lines, CSV, Parquet or Arrow, plain or .gz; a folder of Hugging Face datasets as a .zip.",
    )


class LookForm(forms.Form):
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
    scorer = forms.CharField(
        required=False,
        max_length=200,
        label="Scorer",
        help_text="The machine whose scores the files hold, if they don't say.",
    )
    encoding = forms.CharField(
        required=False,
        max_length=40,
        label="Encoding",
        help_text="Of text. Empty: UTF-8, or as it can be told.",
    )
    quotes = forms.ChoiceField(
        required=False,
        choices=[("", "as the file shows"), ("cells", "enclose cells"), ("letters", "are letters")],
        label="Quotes in CSV",
    )
    decimal = forms.ChoiceField(
        required=False,
        choices=[("", "as each column shows"), (".", "a point"), (",", "a comma")],
        label="Decimal mark",
    )
    skip_bad_rows = forms.BooleanField(
        required=False, label="Leave bad rows out", help_text="Each is listed with its reason."
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
        form = LookForm(request.POST)
        if form.is_valid():
            kept |= {
                "choices": form.cleaned_data,
                "map": _mapping(request.POST),
                "values": _meanings(request.POST),
            }
            request.session[SESSION] = kept
    else:
        form = LookForm(initial=kept["choices"])
    context: dict[str, Any] = {"form": form, "error": None}
    if not form.errors:
        try:
            done = _imported(request, folder, kept, dry_run="load" not in request.POST)
            if "load" in request.POST:
                return _loaded(request, done)
            context |= _said(done)
        except FolderError as refused:
            context["error"] = refused
    context |= {"columns": _columns(folder, kept), "mapping": kept["map"], "votes": _votes(folder, kept)}
    return render(request, "judging/import_look.html", context, status=422 if form.errors else 200)


def _mapping(sent: QueryDict) -> dict[str, str]:
    """Role to column; several columns of one role are one person each."""
    mapping: dict[str, str] = {}
    for column, role in zip(sent.getlist("column"), sent.getlist("role"), strict=False):
        if role in dict(CHOICES) and role:
            mapping[role] = f"{mapping[role]},{column}" if role in mapping else column
    return mapping


def _meanings(sent: QueryDict) -> dict[str, str]:
    """What each value of a vote means."""
    pairs = zip(sent.getlist("value"), sent.getlist("meaning"), strict=False)
    return {value: meaning for value, meaning in pairs if meaning in MEANINGS}


def _votes(folder: Path, kept: dict[str, Any]) -> list[dict[str, Any]]:
    """The values of the columns that are votes, how often each stands there, and what it is taken for."""
    named = {c for role, cs in kept["map"].items() if role.startswith("preference") for c in cs.split(",")}
    if not named:
        return []
    counts: Counter[str] = Counter()
    try:
        for _, row in sources(waiting.paths(folder)[0])[0].rows():
            if isinstance(row, dict):
                counts.update(code(row[c]) for c in named if not is_missing(row.get(c)))
    except FolderError:
        return []
    meanings = [("", "as the word says"), *((name, WORDS[vote]) for name, vote in MEANINGS.items())]
    given = kept.get("values") or {}
    return [
        {"value": value, "count": n, "meaning": given.get(value, ""), "choices": meanings}
        for value, n in counts.most_common(MOST_VALUES)
    ]


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
        done = _imported(request, folder, kept, dry_run=True)
    except FolderError:
        # The preview says what is wrong.
        return redirect("import-look")
    headers = {"Content-Disposition": 'attachment; filename="left-out.csv"'}
    return HttpResponse(
        left_out_table(done.left_out), content_type="text/csv; charset=utf-8", headers=headers
    )


def _imported(request: HttpRequest, folder: Path, kept: dict[str, Any], *, dry_run: bool) -> Imported:
    choices, mapping = kept["choices"], dict(kept["map"])
    if choices.get("scale"):
        mapping["scale"] = choices["scale"].replace(" ", "")
    options = Options(
        slug=choices["slug"],
        title=choices.get("title") or "",
        seats=choices.get("seats"),
        voters=choices["voters"],
        scorer=choices.get("scorer") or "",
        mapping=mapping,
        encoding=choices.get("encoding") or "",
        quotes=choices.get("quotes") or "",
        decimal=choices.get("decimal") or "",
        skip_bad_rows=bool(choices.get("skip_bad_rows")),
        values=kept.get("values") or {},
    )
    return import_study(
        waiting.paths(folder),
        choices.get("format") or "",
        options,
        split=choices.get("split") or "",
        dry_run=dry_run,
        takes_up=lambda study: check_role(request, study, Role.RESEARCHER),
    )


def _said(done: Imported) -> dict[str, Any]:
    reading: Reading = done.reading
    samples = [(table, _sample(rows)) for table, rows in reading.samples.items() if rows]
    return {
        "reading": reading,
        "new": [(table, n) for table, n in done.new.items() if n],
        "there": done.loaded is not None,
        "remarks": reading.remarks,
        "criteria": reading.spec.criterion,
        "samples": samples,
        "left_out": done.left_out[:NAMED],
        "n_left_out": len(done.left_out),
    }


def _sample(rows: list[dict[str, Any]]) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return {"columns": columns, "cells": [[row.get(name, "") for name in columns] for row in rows]}


def _columns(folder: Path, kept: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns of the first file with what stands in them, and what each is taken for."""
    roles = {column: role for role, named in kept["map"].items() for column in (named, *named.split(","))}
    try:
        files: list[Source] = sources(waiting.paths(folder)[0])
        rows = files[0].head(SHOWN)
    except FolderError:
        return []
    names = list(dict.fromkeys(name for row in rows for name in row))[:MOST_COLUMNS]
    return [
        {
            "name": name,
            "role": roles.get(name, ""),
            "cells": [quoted(row.get(name)) for row in rows],
            "choices": CHOICES,
        }
        for name in names
    ]


def _loaded(request: HttpRequest, done: Imported) -> HttpResponse:
    assert done.loaded is not None  # noqa: S101
    study: Study = done.loaded.study
    if not study.memberships.exists():
        members.add(study, request.user, Role.OWNER)
    waiting.forget(request.session.pop(SESSION)["token"])
    new = ", ".join(f"{n:,} {table}" for table, n in done.new.items() if n)
    if done.left_out:
        messages.warning(request, f"{len(done.left_out):,} bad rows were left out.")
    messages.success(request, f"Came in: {new or 'nothing that was not there'}.")
    if n := sum(1 for _ in leaking(study)):
        said = "response names" if n == 1 else "responses name"
        messages.warning(
            request, f"{n:,} {said} a model or a maker. Hold them back before you open the study."
        )
        return redirect("leaks", study.slug)
    return redirect(study)
