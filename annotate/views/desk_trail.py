"""The trail of a study, for its owners: to read and to download."""

import csv
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.cells import harmless
from annotate.models import Action, Role, Study, TrailEntry
from annotate.models.trail import TrailQuerySet
from annotate.views.access import for_members

PER_PAGE = 100
COLUMNS = ("at", "by", "via", "action", "about", "details")


class DateField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"})


class TrailForm(forms.Form):
    action = forms.ChoiceField(
        required=False, label="What", choices=[("", "everything"), *((a.value, a.value) for a in Action)]
    )
    by = forms.CharField(required=False, label="By", max_length=200)
    about = forms.CharField(required=False, label="About", max_length=200)
    since = DateField(required=False, label="From")
    until = DateField(required=False, label="To", help_text="UTC, this day included.")

    def chosen(self, entries: TrailQuerySet) -> TrailQuerySet:
        if not self.is_valid():
            return entries.none()
        data = self.cleaned_data
        filters = {
            "action": data["action"],
            "by_name__icontains": data["by"],
            "about__icontains": data["about"],
            "at__gte": data["since"] and _midnight(data["since"]),
            # Its last moment: there is no day after the last that a calendar knows.
            "at__lte": data["until"] and dt.datetime.combine(data["until"], dt.time.max, dt.UTC),
        }
        return entries.filter(Q(**{name: value for name, value in filters.items() if value}))


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


@require_safe
@for_members(Role.OWNER)
def trail_page(request: HttpRequest, study: Study) -> HttpResponseBase:
    form = TrailForm(request.GET)
    entries = form.chosen(TrailEntry.objects.filter(study=study))
    if request.GET.get("format") == "csv" and not form.errors:
        return _csv(study, entries)
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "study": study,
        "form": form,
        "page": page,
        "rows": [(entry, described(entry.details)) for entry in page],
        "query": query.urlencode(),
    }
    return render(request, "annotate/desk_trail.html", context, status=422 if form.errors else 200)


def described(details: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and what to say of each: a change as before and after."""
    return [(name.replace("_", " "), _words(value)) for name, value in details.items()]


def _words(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2:
        return f"{_words(value[0])} → {_words(value[1])}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items()) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "nothing" if value in ("", None) else str(value)


class _Echo:
    """What `csv.writer` writes into, to get each line back."""

    def write(self, line: str) -> str:
        return line


def _csv(study: Study, entries: TrailQuerySet) -> StreamingHttpResponse:
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(COLUMNS)
        for entry in entries.order_by("pk").iterator(1_000):
            details = json.dumps(entry.details, ensure_ascii=False)
            row = (entry.at.isoformat(), entry.by_name, entry.via, entry.action, entry.about, details)
            yield writer.writerow([harmless(cell) for cell in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{study.slug}-trail.csv"'
    return response
