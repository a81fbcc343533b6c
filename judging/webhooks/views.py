"""A study's webhooks, and their deliveries."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotate import trail
from annotate.models import Action, Role, Study
from annotate.views.access import for_members
from annotate.views.desk import posted
from judging.models.webhooks import Delivery, Webhook
from judging.scorers.endpoints.guard import RefusedError, check_url
from judging.webhooks import outbox as webhooks

Event = Webhook.Event
MOST, LATEST = 10, 50


class WebhookForm(forms.Form):
    url = forms.CharField(max_length=500, label="Address", help_text="https://… that accepts JSON by POST.")
    events = forms.MultipleChoiceField(
        choices=[(e.value, e.label) for e in Event if e != Event.TEST],
        widget=forms.CheckboxSelectMultiple,
        label="Notify when",
    )
    threshold = forms.FloatField(
        required=False,
        min_value=-1,
        max_value=1,
        label="Agreement threshold",
        help_text="Krippendorff’s alpha. Reached when the whole 95 % interval of a criterion lies above it.",
    )

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except RefusedError as error:
            raise forms.ValidationError(f"{error}.") from error
        return url

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if Event.AGREEMENT in cleaned.get("events", []) and cleaned.get("threshold") is None:
            self.add_error("threshold", "Give a threshold, for example 0.667.")
        return cleaned


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def webhooks_page(request: HttpRequest, study: Study) -> HttpResponse:
    form, added = WebhookForm(posted(request)), None
    if request.method == "POST" and form.is_valid():
        if study.webhooks.count() < MOST:
            added, form = _add(study, form.cleaned_data), WebhookForm()
        else:
            form.add_error(None, f"A study can have {MOST} addresses: remove one first.")
    context = {
        "study": study,
        "form": form,
        "made": added,
        "hooks": study.webhooks.order_by("pk"),
        "deliveries": Delivery.objects.filter(webhook__study=study)
        .select_related("webhook")
        .order_by("-pk")[:LATEST],
    }
    wrong = form.is_bound and added is None
    return render(request, "judging/webhooks.html", context, status=422 if wrong else 200)


def _add(study: Study, settings: dict[str, Any]) -> Webhook:
    with transaction.atomic():
        hook: Webhook = study.webhooks.create(**settings)
        trail.record(study, Action.CHANGED, "webhook", url=hook.url, events=hook.events)
        webhooks.begin(study)
    return hook


@require_POST
@for_members(Role.RESEARCHER)
def webhook(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Send a test message, or remove the webhook and its deliveries."""
    hook = get_object_or_404(Webhook, pk=pk, study=study)
    if request.POST.get("do") == "remove":
        with transaction.atomic():
            trail.record(study, Action.CHANGED, "webhook", url=hook.url, removed=True)
            hook.delete()
        messages.success(request, f"{hook.url} was removed.")
    else:
        with transaction.atomic():
            trail.record(study, Action.CHANGED, "webhook", url=hook.url, tested=True)
            webhooks.notify(study, Event.TEST, f"test:{uuid.uuid4()}", {}, hook)
        messages.success(request, "A test message is queued: see Deliveries.")
    return redirect("webhooks", study.slug)
