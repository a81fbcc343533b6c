"""Desk pages that need scores too: folders with scores, pairs by embedding distance, deleting a study."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from annotate import design, members, trail
from annotate.folder import FolderError, unpack
from annotate.folder.replace import remove_study
from annotate.forms import FilesField
from annotate.models import Action, Role, Study
from annotate.planting import Pool, make_pairs
from annotate.readiness import leaking
from annotate.views.access import check_role, for_members, staff_only
from annotate.views.desk import judged, posted
from judging.exports import export_jobs
from judging.folder.scores import load_folder, remove_judged
from judging.frames.tables import embedding_run
from judging.models import ScoreRun


class UploadForm(forms.Form):
    folder = FilesField(
        label="A .zip or .tar.gz of the folder, or its files",
        help_text="study.toml, prompts, responses, items and, where there are any, answers, annotators, scores.",
    )
    slug = forms.SlugField(
        required=False,
        max_length=100,
        label="Another short name",
        help_text="Leave empty to use the one in study.toml. If a study has this name, new rows are added to it.",
    )


class StrataForm(forms.Form):
    each = forms.IntegerField(min_value=1, max_value=100_000, initial=3, label="Pairs per prompt")


@require_http_methods(["GET", "POST"])
@staff_only
def upload(request: HttpRequest) -> HttpResponse:
    """Load a study folder: everything, or nothing and a table of the problems."""
    form = UploadForm(posted(request), request.FILES or None)
    error: FolderError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return _loaded(request, form)
        except FolderError as refused:
            error = refused
    wrong = error or form.errors
    return render(
        request, "annotate/desk_upload.html", {"form": form, "error": error}, status=422 if wrong else 200
    )


def _loaded(request: HttpRequest, form: UploadForm) -> HttpResponse:
    before = set(Study.objects.values_list("pk", flat=True))
    with tempfile.TemporaryDirectory(prefix="offbeat-") as folder, transaction.atomic():
        unpack(form.cleaned_data["folder"], Path(folder))
        loaded = load_folder(
            folder,
            form.cleaned_data["slug"] or None,
            takes_up=lambda s: check_role(request, s, Role.RESEARCHER),
        )
        if loaded.study.pk not in before:
            members.add(loaded.study, request.user, Role.OWNER)
            # Nobody sees it before somebody has looked at it.
            Study.objects.filter(pk=loaded.study.pk).update(status=Study.Status.DRAFT)
    new = ", ".join(f"{n:,} {table}" for table, n in loaded.new.items() if n)
    messages.success(request, f"Loaded: {new or 'nothing new'}.")
    for remark in loaded.remarks:
        messages.warning(request, remark)
    if n := sum(1 for _ in leaking(loaded.study)):
        texts = "response names" if n == 1 else "responses name"
        messages.warning(
            request, f"{n:,} {texts} a model or its maker. Hold them back before you open the study."
        )
        return redirect("leaks", loaded.study.slug)
    return redirect(loaded.study)


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def strata(request: HttpRequest, study: Study) -> HttpResponse:
    """Pairs by embedding distance: near, middle and far equally."""
    run = embedding_run(study)
    form = StrataForm(posted(request))
    if request.method == "POST" and run is not None and form.is_valid():
        n = make_strata(study, run, form.cleaned_data["each"])
        level = messages.success if n else messages.warning
        level(request, f"Made: {n:,} pairs." if n else "Nothing new: the embedded pool has no more pairs.")
        return redirect("items", study.slug)
    context = {"study": study, "form": form, "run": run, "runs": reverse("runs", args=[study.slug])}
    return render(request, "annotate/desk_strata.html", context, status=422 if form.errors else 200)


def make_strata(study: Study, run: ScoreRun, each: int) -> int:
    def chosen(pool: Pool, known: set[frozenset[int]]) -> list[tuple[int, int]]:
        pks, vectors = _vectors(run, pool.responses)
        far = distances(vectors).tolist()
        pairs = design.strata_pairs(far, each, study.seed, pool.key, taken=_places(pks, known))
        return [(pks[a], pks[b]) for stratum in pairs.values() for a, b in stratum]

    return make_pairs(study, chosen)


def _places(pks: Sequence[int], known: set[frozenset[int]]) -> set[frozenset[int]]:
    places = {pk: place for place, pk in enumerate(pks)}
    return {frozenset(places[pk] for pk in pair) for pair in known if pair <= places.keys()}


def _vectors(run: ScoreRun, responses: Sequence[int]) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Embedded responses of a pool, in its order, and their vectors."""
    pks, vectors = run.embeddings.filter(response__in=responses).array(run.dtype)
    places = {pk: place for place, pk in enumerate(pks)}
    known = [pk for pk in responses if pk in places]
    return known, vectors[[places[pk] for pk in known]].astype(np.float64)


def distances(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 − cosine between rows of unit length: (n, d) to (n, n)."""
    result: npt.NDArray[np.float64] = 1.0 - vectors @ vectors.T
    return result


@require_http_methods(["GET", "POST"])
@for_members(Role.OWNER)
def delete(request: HttpRequest, study: Study) -> HttpResponse:
    """Delete a draft without judgments, and everything in it, after confirmation."""
    deletable = study.status == Study.Status.DRAFT and not judged(study)
    if request.method == "POST" and deletable:
        with transaction.atomic():
            study = Study.objects.select_for_update().get(pk=study.pk)
            if not judged(study):
                transaction.on_commit(partial(export_jobs.forget, study.pk))
                trail.record(study, Action.DELETED, title=study.title)
                remove_judged(study)
                remove_study(study)
                messages.success(request, f"Deleted: {study.title}.")
                return redirect("studies")
    refused = request.method == "POST" or not deletable
    context = {"study": study, "deletable": deletable}
    return render(request, "annotate/desk_delete.html", context, status=409 if refused else 200)
