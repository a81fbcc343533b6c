"""The pool of a study: prompts and responses, how they come in, and which give away who wrote them."""

from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate import pending_uploads, planting, pool_files
from annotate.counting import counted
from annotate.folder import FolderError
from annotate.forms import PoolForm
from annotate.models import Response, Role, Study
from annotate.readiness import leaking
from annotate.setup_steps import next_step
from annotate.views.access import for_members
from annotate.views.desk import posted
from annotate.whole_numbers import whole

PER_PAGE = 50
# Kinds of hits that a page shows; the count says how many there are in all.
LISTED = 300
REASON = "names its model or maker"


# Of whoever sends files: which wait, for which study, and what their columns mean.
SESSION = "pool"


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def pool(request: HttpRequest, study: Study) -> HttpResponse:
    """What there is, and where more comes in; files wait until their preview was seen."""
    form = PoolForm(posted(request), request.FILES or None)
    error: FolderError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            token = pending_uploads.keep(form.uploads)
        except FolderError as refused:
            error = refused
        else:
            request.session[SESSION] = {"study": study.slug, "token": token, "map": None}
            return redirect("pool-preview", study.slug)
    prompts = study.prompts.in_pool().order_by("pk").annotate(n=counted(Response.objects.in_pool(), "prompt"))
    page = Paginator(prompts, PER_PAGE).get_page(request.GET.get("page"))
    context = {"study": study, "form": form, "error": error, "page": page}
    return render(request, "annotate/desk_pool.html", context, status=422 if error or form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def preview(request: HttpRequest, study: Study) -> HttpResponse:
    """What the files were read as and what would come in; then all of it, or nothing."""
    kept = request.session.get(SESSION, {})
    folder = pending_uploads.find(kept.get("token", "")) if kept.get("study") == study.slug else None
    if folder is None:
        messages.warning(request, "There are no files waiting. Send them again.")
        return redirect("pool", study.slug)
    sent = posted(request) or QueryDict()
    if "role" in sent:
        kept["map"] = _changed_mapping(folder, kept["map"], sent)
        request.session[SESSION] = kept
    paths, error, reading = pending_uploads.paths(folder), None, None
    try:
        reading = pool_files.read_pool(study, paths, kept["map"], dry_run="store" not in sent)
    except FolderError as refused:
        error = refused
    else:
        if "store" in sent:
            return _stored(request, study, reading)
    context = {
        "study": study,
        "reading": reading,
        "error": error,
        "columns": pool_files.columns(paths, kept["map"]),
        "roles": [("", "left out"), *pool_files.POOL_ROLES.items()],
        "mapping": kept["map"],
    }
    return render(request, "annotate/desk_pool_preview.html", context)


def _changed_mapping(folder: Path, mapping: dict[str, str] | None, sent: QueryDict) -> dict[str, str] | None:
    """Role to column as chosen; None as long as nothing was chosen otherwise than it was taken for."""
    chosen: dict[str, str] = {}
    pairs = list(zip(sent.getlist("column"), sent.getlist("role"), strict=False))
    for column, role in pairs:
        if role in pool_files.POOL_ROLES:
            chosen[role] = f"{chosen[role]},{column}" if role in chosen else column
    taken = [(c.name, c.role) for c in pool_files.columns(pending_uploads.paths(folder), mapping)]
    return mapping if pairs == taken else chosen


def _stored(request: HttpRequest, study: Study, reading: pool_files.PoolReading) -> HttpResponse:
    pending_uploads.forget(request.session.pop(SESSION)["token"])
    new = ", ".join(f"{n:,} {table}" for table, n in reading.new.items() if n) or "nothing new"
    messages.success(request, f"Added: {new}.")
    _warn(request, study)
    return redirect(
        next_step(study) if study.status == Study.Status.DRAFT else reverse("pool", args=[study.slug])
    )


def _warn(request: HttpRequest, study: Study) -> None:
    if n := sum(1 for _ in leaking(study)):
        texts = "response names" if n == 1 else "responses name"
        messages.warning(request, f"{n:,} {texts} a model or a maker: see “Leaks”.")


@require_safe
@for_members(Role.RESEARCHER)
def leak_page(request: HttpRequest, study: Study) -> HttpResponse:
    leaks = list(leaking(study))
    withheld = study.responses.exclude(held_back="").order_by("pk")
    context = {
        "study": study,
        "leaks": leaks[:LISTED],
        "n_leaks": len(leaks),
        "held": withheld[:LISTED],
        "n_held": withheld.count(),
        "words": settings.LEAK_WORDS,
        "reason": REASON,
    }
    return render(request, "annotate/desk_leaks.html", context)


@require_POST
@for_members(Role.RESEARCHER)
def hold_back(request: HttpRequest, study: Study) -> HttpResponse:
    """Hold the chosen responses back (all that were found, for `all`), or release them."""
    release = request.POST.get("do") == "release"
    chosen = [pk for text in request.POST.getlist("response") if (pk := whole(text)) is not None]
    if request.POST.get("do") == "all":
        chosen = [one.response.pk for one in leaking(study)]
    reason = "" if release else request.POST.get("reason", "").strip() or REASON
    n = planting.hold_back(study, chosen, reason)
    done = "Released" if release else "Held back"
    withheld = study.items.filter(withheld=True).count()
    messages.success(request, f"{done}: {n:,}. Items shown to nobody now: {withheld:,}.")
    return redirect("leaks", study.slug)
