"""The annotator's journey around the task pages: invite → … → thanks."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotate import seats
from annotate.views import access


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    study = access.invited_study(token)
    annotator = access.known_annotator(request, study.slug)
    if request.method == "POST":
        annotator = annotator or access.new_annotator(study)
        return access.remember(redirect("task", study.slug), annotator, secure=settings.SECURE)
    context = {"study": study, "annotator": annotator, "free": seats.free_seats(study)}
    return render(request, "annotate/join.html", context)


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    annotator = access.known_annotator(request, slug)
    if annotator is None:
        return access.not_invited(request, slug)
    seats.release(annotator)
    done = seats.own_counts(annotator)["submitted"]
    return render(request, "annotate/left.html", {"study": annotator.study, "done": done})
