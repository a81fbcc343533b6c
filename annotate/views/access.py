"""Who is asking: annotators by invite link and a signed cookie per study, members of a study by log-in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache

from annotate import invites, languages, pseudonyms
from annotate.models import Annotator, InviteLink, Role, Study
from annotate.texts import trimmed

P = ParamSpec("P")

_COOKIE_SALT = "offbeat.annotator"
_COOKIE_AGE = 60 * 60 * 24 * 90
_PERSONAL_SALT = "offbeat.personal"
# Parameter of a personal link: who comes, by pseudonym, signed.
_PERSONAL = "as"


def invite_path(study: Study) -> str:
    """Of the link that every study has from its beginning."""
    return invites.path(invites.first(study))


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who opens an invite link: known already, or named by a panel or a personal link, or nobody yet."""

    annotator: Annotator | None = None
    key: str = ""
    session: str = ""


def visitor(request: HttpRequest, study: Study) -> Visitor:
    """Whom the link names; without a name, whoever this browser is."""
    named = request.GET.get(_PERSONAL, "")
    try:
        key, session = signing.loads(named, salt=_PERSONAL_SALT + study.slug, max_age=_COOKIE_AGE)
    except signing.BadSignature:
        return Visitor(known_annotator(request, study.slug))
    return Visitor(_annotators().filter(study=study, key=key).first(), key, session)


class UnnamedError(Exception):
    """A panel's link that does not say who comes: its parameter, and what stood there."""

    def __init__(self, parameter: str, given: str = "") -> None:
        super().__init__(parameter, given)
        self.parameter, self.given = parameter, given


def panel_link(request: HttpRequest, link: InviteLink) -> str:
    """For a visitor with a panel's parameters: the same link with a signed pseudonym in their place."""
    study = link.study
    names = {role: name for role, name in study.panel_names.items() if name in request.GET}
    if not names or not (parameter := study.panel_names.get("participant")):
        return ""
    given = [trimmed(value) for value in request.GET.getlist(parameter)]
    people = {value for value in given if not _names_nobody(value, study)}
    if len(people) != 1:
        raise UnnamedError(parameter, " and ".join(given))
    session = request.GET.get(names.get("session", ""), "")
    key = pseudonyms.participant(study.slug, people.pop())
    return _named_path(study, link, key, pseudonyms.visit(study.slug, session))


def _names_nobody(value: str, study: Study) -> bool:
    return pseudonyms.names_nobody(value) or value in study.panel_names.values()


def personal_link(request: HttpRequest, annotator: Annotator) -> str:
    """A link with which its annotator goes on in another browser, whatever becomes of the one they came by."""
    return request.build_absolute_uri(personal_path(annotator))


def personal_path(annotator: Annotator) -> str:
    link = annotator.came_by or invites.first(annotator.study)
    return _named_path(annotator.study, link, annotator.key)


def _named_path(study: Study, link: InviteLink, key: str, session: str = "") -> str:
    named = signing.dumps([key, session], salt=_PERSONAL_SALT + study.slug)
    return f"{invites.path(link)}?{urlencode({_PERSONAL: named})}"


def remember(response: HttpResponse, annotator: Annotator, *, secure: bool) -> HttpResponse:
    response.set_cookie(
        _cookie_name(annotator.study.slug),
        # By name, not by number: a study that is exported and loaded again knows its annotators still.
        signing.dumps([annotator.study.slug, annotator.key], salt=_COOKIE_SALT),
        max_age=_COOKIE_AGE,
        httponly=True,
        path=settings.COOKIE_PATH,
        samesite="None" if settings.FRAME_ANCESTORS else "Lax",
        secure=secure,
    )
    return response


def known_annotator(request: HttpRequest, slug: str) -> Annotator | None:
    """The annotator this browser is in the study, with the study and its criteria at hand.

    What follows of the request is in the language of the study's pages.
    """
    cookie = request.COOKIES.get(_cookie_name(slug), "")
    try:
        named, key = signing.loads(cookie, salt=_COOKIE_SALT, max_age=_COOKIE_AGE)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    if named != slug:
        return None
    try:
        annotator = _annotators().get(key=key, study__slug=slug)
    except Annotator.DoesNotExist:
        return None
    languages.speak(request, annotator.study)
    return annotator


def _annotators() -> QuerySet[Annotator]:
    return Annotator.objects.select_related("study", "came_by").prefetch_related("study__criteria")


def for_annotators(
    view: Callable[Concatenate[HttpRequest, Annotator, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Give the view the annotator that this browser is; others are asked for their invite link."""

    @never_cache
    @wraps(view)
    def known(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        annotator = known_annotator(request, slug)
        if annotator is None:
            return not_invited(request, slug)
        return view(request, annotator, *args, **kwargs)

    return known


def not_invited(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    languages.speak(request, study)
    page = render(request, "annotate/no_invite.html", {"study": study}, status=403)
    return without_invite(page)


def without_invite(response: HttpResponse) -> HttpResponse:
    """Tell the script of the task page why nothing is taken from this browser."""
    response.headers["X-Invite"] = "needed"
    return response


def _cookie_name(slug: str) -> str:
    return f"annotator-{slug}"


def for_members(
    least: Role,
) -> Callable[
    [Callable[Concatenate[HttpRequest, Study, P], HttpResponseBase]], Callable[..., HttpResponseBase]
]:
    """Give the view the study, to members of this role or more.

    The unknown are sent to the log-in page; for an account that is no member there is no such study (404), so that
    nobody learns its name; a member of a lesser role is told that this page is not for them (403).
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, Study, P], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @never_cache
        @login_required
        @wraps(view)
        def checked(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            return view(request, study_for(request, slug, least), *args, **kwargs)

        return checked

    return decorate


def study_for(request: HttpRequest, slug: str, least: Role) -> Study:
    study = get_object_or_404(Study.objects.visible_to(request.user), slug=slug)
    if not Role(study.your_role).includes(least):
        raise PermissionDenied
    return study


def check_role(request: HttpRequest, study: Study, least: Role) -> None:
    """For a study that the request names otherwise than in its address."""
    role = study.role_of(request.user)
    if role is None or not role.includes(least):
        raise PermissionDenied


def staff_only(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """What makes a new study. Log-in page for the unknown, 403 for an account that may not."""

    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return never_cache(login_required(checked))
