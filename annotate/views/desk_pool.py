"""The pool of a study: prompts and responses, how they come in, and which give away who wrote them."""

import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate import planting
from annotate.counting import counted
from annotate.folder import FolderError, load_pool, take
from annotate.folder.tables import FORMS
from annotate.forms import PoolForm
from annotate.models import Response, Role, Study
from annotate.readiness import leaking
from annotate.views.access import for_members
from annotate.views.desk import posted
from annotate.whole_numbers import whole

PER_PAGE = 50
# Kinds of hits that a page shows; the count says how many there are in all.
LISTED = 300
REASON = "names its model or maker"


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def pool(request: HttpRequest, study: Study) -> HttpResponse:
    form = PoolForm(posted(request), request.FILES or None)
    error: FolderError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            new = _add(study, form)
        except FolderError as refused:
            error = refused
        else:
            summary = ", ".join(f"{n:,} {table}" for table, n in new.items() if n) or "nothing new"
            messages.success(request, f"Added: {summary}.")
            _warn(request, study)
            return redirect("pool", study.slug)
    prompts = study.prompts.order_by("pk").annotate(n=counted(Response.objects.all(), "prompt"))
    page = Paginator(prompts, PER_PAGE).get_page(request.GET.get("page"))
    context = {"study": study, "form": form, "error": error, "page": page}
    return render(request, "annotate/desk_pool.html", context, status=422 if error or form.errors else 200)


def _add(study: Study, form: PoolForm) -> dict[str, int]:
    with tempfile.TemporaryDirectory(prefix="offbeat-") as name:
        folder = Path(name)
        for table in ("prompts", "responses"):
            pasted, file = form.cleaned_data[table], form.cleaned_data[f"{table}_file"]
            if pasted.strip():
                form_ = "jsonl" if pasted.lstrip().startswith("{") else "csv"
                (folder / f"{table}.{form_}").write_text(pasted.strip() + "\n", encoding="utf-8", newline="")
            elif file:
                take({f"{table}.{_form_of(file.name)}": file.file}, folder)
        return load_pool(study, folder)


def _form_of(name: str) -> str:
    """`.csv`, `.jsonl.gz` …: what the name of an upload says it is. Without one it's taken for .jsonl."""
    gz = ".gz" if name.endswith(".gz") else ""
    form = name.removesuffix(".gz").rpartition(".")[2].lower()
    return f"{form if form in FORMS else 'jsonl'}{gz}"


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
