"""Invite links: made, looked up by what an address says, revoked, and used as often as they may be."""

import secrets

from django.core import signing
from django.db import transaction
from django.db.models import Count, F, Sum
from django.urls import reverse
from django.utils import timezone

from annotate import trail
from annotate.models import Action, Annotator, InviteLink, Study

FIRST = "first link"

_SIGNER = signing.Signer(salt="offbeat.invite")


class LinkEndedError(Exception):
    """The link has ended: nobody new can join by it."""


def path(link: InviteLink) -> str:
    return reverse("join", args=[link.token])


def first(study: Study) -> InviteLink:
    """The signed link that every study has. It is a row once somebody came by it, or it was revoked."""
    token = _SIGNER.sign(study.slug)
    stored = InviteLink.objects.filter(token=token).select_related("study").first()
    return stored or InviteLink(study=study, token=token, label=FIRST)


def named(token: str) -> InviteLink | None:
    """The link of an address, ended or not; None if there never was one."""
    stored = InviteLink.objects.filter(token=token).select_related("study")
    if (link := stored.prefetch_related("study__criteria").first()) is not None:
        return link
    try:
        slug = _SIGNER.unsign(token)
    except signing.BadSignature:
        return None
    study = Study.objects.prefetch_related("criteria").filter(slug=slug).first()
    return None if study is None else InviteLink(study=study, token=token, label=FIRST)


def of_study(study: Study) -> list[InviteLink]:
    """The first link and the others, with how many people joined by each."""
    there = list(study.invite_links.annotate(n_came=Count("annotators")).select_related("created_by"))
    start = first(study)
    return [start, *[link for link in there if link.token != start.token]]


def usable(study: Study) -> InviteLink | None:
    """The link to hand out: the first, or the latest made that still lets people in."""
    start = first(study)
    if start.ended is None:
        return start
    return next((link for link in study.invite_links.order_by("-pk") if link.ended is None), None)


def make(study: Study, link: InviteLink) -> InviteLink:
    with transaction.atomic():
        link.study = study
        link.save()
        details = {"expires": link.expires_at, "at_most": link.most}
        trail.record(study, Action.LINK_MADE, link.label, **{k: v for k, v in details.items() if v})
    return link


def revoke(link: InviteLink) -> bool:
    """End the link: nobody new can join by it. False if it was revoked before."""
    with transaction.atomic():
        link = _stored(link)
        rows = InviteLink.objects.filter(pk=link.pk, revoked_at=None)
        done = bool(rows.update(revoked_at=timezone.now()))
        if done:
            trail.record(link.study, Action.LINK_REVOKED, link.label)
    return done


def let_in(link: InviteLink, key: str = "") -> Annotator:
    """The annotator joining by the link; LinkEndedError for a new one if it has ended."""
    study = link.study
    with transaction.atomic():
        link = _stored(link)
        if link.most:
            # Two who come at once wait for each other, so that no more come than may.
            link = InviteLink.objects.select_for_update().get(pk=link.pk)
        known = Annotator.objects.filter(study=study, key=key).first() if key else None
        if known is not None:
            return known
        if link.ended is not None:
            raise LinkEndedError
        # Random, so that a pseudonym says nothing about who joined when.
        name = key or f"a-{secrets.token_hex(5)}"
        return Annotator.objects.get_or_create(study=study, key=name, defaults={"came_by": link})[0]


def turn_away(link: InviteLink) -> None:
    """Count a visitor whom the link should have named and did not."""
    InviteLink.objects.filter(pk=_stored(link).pk).update(turned_away=F("turned_away") + 1)


def turned_away(study: Study) -> int:
    """How often a link of the study was opened by somebody whom it did not name."""
    return int(study.invite_links.aggregate(n=Sum("turned_away"))["n"] or 0)


def _stored(link: InviteLink) -> InviteLink:
    if link.pk is not None:
        return link
    match = {"study": link.study, "label": link.label}
    return InviteLink.objects.get_or_create(token=link.token, defaults=match)[0]
