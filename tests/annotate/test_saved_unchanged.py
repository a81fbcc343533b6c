"""A form that is opened and saved as it stands changes nothing, with texts as a study folder may bring them."""

from typing import Any
from urllib.parse import urljoin

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotate.folder.study_toml import render, spec_of
from annotate.models import Criterion, Judgment, Study, TrailEntry
from tests.addresses import ROUTES
from tests.annotate.test_desk import judge
from tests.browser_forms import forms_of
from tests.factories import make_study

pytestmark = pytest.mark.django_db

SECTIONS = ("texts", "journey", "page", "panel")


@pytest.fixture
def study() -> Study:
    """One with everything that a form may lose: lines, white space, a language and an address of its own."""
    study = make_study(seats=2)
    Study.objects.update(
        title="Lines  about time",
        instructions="  Read *all*.\n\n- slowly\n- twice\n",
        consent="I agree.\n\nReally.\n",
        language="eo",
        checks=[{"text": "What now?", "options": ["a", "b"], "right": 1}],
        panel_names={"participant": "P" * 150, "study": "S", "session": "V"},
        completion_codes={"finished": "C1", "left": "C2"},
        return_url="https://intranet/back?code=CODE",
        break_after=10,
    )
    Criterion.objects.filter(kind="rating").update(
        text="How good\nis it?\n", labels={"1": "very\n poor", "3": "a = b", "5": "excellent"}
    )
    study.refresh_from_db()
    judge(study)
    return study


def snapshot() -> Any:
    return render(spec_of(Study.objects.get())), TrailEntry.objects.count(), Judgment.objects.count()


def pages(study: Study) -> list[str]:
    """Every page of the study that takes no further argument, its settings, and each criterion."""
    there = [
        reverse(name, args=[study.slug])
        for name, route in ROUTES.items()
        if route.startswith("studies/<slug:slug>/") and route.count("<") == 1
    ]
    there += [reverse("settings", args=[study.slug, section]) for section in SECTIONS]
    return there + [reverse("criterion", args=[study.slug, c.pk]) for c in study.criteria.all()]


def test_every_prefilled_form_can_be_saved_as_it_stands(client: Client, study: Study) -> None:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    filled = []
    for path in pages(study):
        page = client.get(path)
        if page.status_code != 200 or not page["Content-Type"].startswith("text/html"):
            continue
        for form in forms_of(page.content.decode()):
            # What stands in lines is what CRLF changes; other forms are for adding.
            if not any(form.textareas.values()):
                continue
            before = snapshot()
            sent = client.post(urljoin(path, form.action), form.sent())
            why = sent.context["form"].errors if sent.status_code == 422 else ""
            assert sent.status_code == 302, (path, why)
            assert snapshot() == before, path
            filled.append(path)
    assert len(filled) >= 2 + study.criteria.count()


@pytest.mark.parametrize("section", SECTIONS)
def test_settings_are_saved_as_they_stand(client: Client, study: Study, section: str) -> None:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    path = reverse("settings", args=[study.slug, section])
    form = max(forms_of(client.get(path).content.decode()), key=lambda form: len(form.fields))
    before = snapshot()
    sent = client.post(path, form.sent())
    assert sent.status_code == 302, sent.context["form"].errors
    assert snapshot() == before
