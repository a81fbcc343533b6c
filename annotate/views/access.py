"""Who is asking: annotators by invite link and a signed cookie per study, staff by log-in."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from annotate.models import Annotator, Study

P = ParamSpec("P")

_INVITE = signing.Signer(salt="offbeat.invite")
_COOKIE_SALT = "offbeat.annotator"
_COOKIE_AGE = 60 * 60 * 24 * 90


def invite_path(study: Study) -> str:
    return reverse("join", args=[_INVITE.sign(study.slug)])


def invited_study(token: str) -> Study:
    try:
        slug = _INVITE.unsign(token)
    except signing.BadSignature:
        raise Http404("This invite link is not valid. Was it copied whole?") from None
    return get_object_or_404(Study, slug=slug)


def new_annotator(study: Study) -> Annotator:
    # Random, so that a pseudonym says nothing about who joined when.
    return Annotator.objects.create(study=study, key=f"a-{secrets.token_hex(5)}")


def remember(response: HttpResponse, annotator: Annotator, *, secure: bool) -> HttpResponse:
    response.set_cookie(
        _cookie_name(annotator.study.slug),
        signing.dumps(annotator.pk, salt=_COOKIE_SALT),
        max_age=_COOKIE_AGE,
        httponly=True,
        samesite="Lax",
        secure=secure,
    )
    return response


def known_annotator(request: HttpRequest, slug: str) -> Annotator | None:
    """The annotator this browser is in the study, with the study and its criteria at hand."""
    cookie = request.COOKIES.get(_cookie_name(slug), "")
    try:
        pk = signing.loads(cookie, salt=_COOKIE_SALT, max_age=_COOKIE_AGE)
    except signing.BadSignature:
        return None
    rows = Annotator.objects.select_related("study").prefetch_related("study__criteria")
    return rows.filter(pk=pk, study__slug=slug).first()


def not_invited(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    return render(request, "annotate/no_invite.html", {"study": study}, status=403)


def _cookie_name(slug: str) -> str:
    return f"annotator-{slug}"


def staff_only(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Log-in page for the unknown, 403 for a known account that is no staff."""

    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(checked)
