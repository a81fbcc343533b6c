"""Invite links of a study: handed out, counted, revoked."""

import datetime as dt
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotate import invites
from annotate.models import InviteLink, Role, Study
from annotate.views.access import for_members
from annotate.views.desk import posted

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class LinkForm(forms.Form):
    label = forms.CharField(
        max_length=100,
        label="For whom",
        help_text="For example a class, a panel or a mailing list. Annotators never see it.",
    )
    most = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1_000_000,
        label="Maximum number of people",
        help_text="Leave empty for no limit.",
    )
    until = forms.DateField(
        required=False,
        label="Works until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Up to and including this day, UTC. Leave empty for no end date.",
    )

    def clean_until(self) -> dt.date | None:
        until: dt.date | None = self.cleaned_data["until"]
        if until is not None and until < dt.datetime.now(dt.UTC).date():
            raise forms.ValidationError("This day is in the past.")
        return until

    def link(self, by: "User | AnonymousUser") -> InviteLink:
        data, until = self.cleaned_data, self.cleaned_data["until"]
        # The last moment of the day: there is no day after the last that a calendar knows.
        end = until and dt.datetime.combine(until, dt.time.max, dt.UTC)
        return InviteLink(label=data["label"], most=data["most"], expires_at=end, created_by_id=by.pk)


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def links(request: HttpRequest, study: Study) -> HttpResponse:
    form = LinkForm(posted(request))
    if request.method == "POST" and form.is_valid():
        link = invites.make(study, form.link(request.user))
        messages.success(request, f"Created the link for {link.label}.")
        return redirect("links", study.slug)
    rows = [(link, request.build_absolute_uri(invites.path(link))) for link in invites.of_study(study)]
    context = {"study": study, "form": form, "links": rows, "turned_away": invites.turned_away(study)}
    return render(request, "annotate/desk_links.html", context, status=422 if form.errors else 200)


@require_POST
@for_members(Role.RESEARCHER)
def revoke(request: HttpRequest, study: Study) -> HttpResponse:
    link = invites.named(request.POST.get("token", ""))
    if link is None or link.study != study:
        messages.error(request, "This study has no such link.")
    elif invites.revoke(link):
        messages.success(
            request, f"Revoked: {link.label}. Nobody new can join by it; those who joined can continue."
        )
    return redirect("links", study.slug)
