"""A researcher goes through a draft as an annotator; nothing of it stays."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotate import invites, rehearsal
from annotate.config.metrics import Stored
from annotate.models import (
    Annotator,
    Answer,
    Assignment,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    Response,
    Study,
)
from tests.annotate.stages import CHECKS
from tests.annotate.test_journey import fill
from tests.factories import make_study

pytestmark = pytest.mark.django_db

TABLES: tuple[type[Model], ...] = (
    Study, Prompt, Response, Item, ItemResponse, Assignment, Annotator, Judgment, Answer,
)  # fmt: skip


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def study() -> Study:
    study = make_study(prompts=3, seats=5)
    Study.objects.update(status="draft", consent="I agree.", instructions="Read.", checks=CHECKS)
    study.items.filter(key="p0-single-0").update(
        role="practice", expected={"quality": 5, "explain": "Because."}
    )
    study.refresh_from_db()
    return study


def rows() -> dict[str, int]:
    return {table.__name__: table._default_manager.count() for table in TABLES}


def listed(client: Client) -> list[str]:
    pages = [client.get(path).content.decode() for path in ("/studies/", "/api/v1/studies/")]
    return [re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page) for page in pages]


def walked(client: Client, page: Any) -> list[str]:
    """The pages from the invite link to thanks, each by its heading or kind."""
    seen = []
    for _ in range(60):
        path, html = page.request["PATH_INFO"], page.content.decode()
        seen.append(
            re.sub(r"/rate/[\w-]+/|/join/.*|\d+", "", path) or ("item" if "/rate/" in path else "join")
        )
        assert "Rehearsal: Study tiny" in html, path
        if path.endswith("/end/"):
            return seen
        sent: dict[str, str] = {}
        if path.endswith("/check/"):
            sent = {f"q{n}": str(check["right"]) for n, check in enumerate(CHECKS)}
            sent["tries"] = "0"
        elif seen[-1] == "item":
            sent = fill(html)
        if "practice" in path:
            page = client.get(path.split("practice")[0], follow=True)
        else:
            page = client.post(path, sent, follow=True)
    raise AssertionError(seen)


def test_the_whole_journey_of_a_draft_and_nothing_stays(staff: Client, study: Study) -> None:
    before = rows()
    lists = listed(staff)
    page = staff.post(reverse("rehearse", args=["tiny"]), follow=True)
    seen = walked(staff, page)
    steps = ["join", "consent/", "instructions/", "check/"]
    assert seen[:4] == steps
    assert {"practice//", "item", "end/"} <= set(seen)
    # Two of each kind, and the practice item.
    assert seen.count("item") == 7
    assert Judgment.objects.count() == 7
    assert not Judgment.objects.in_study(study).exists()
    copy = Study.objects.get(rehearsal_of=study)
    assert listed(staff) == lists
    for path in (f"/studies/{copy.slug}/", f"/api/v1/studies/{copy.slug}/"):
        assert staff.get(path).status_code == 404
    counted = {family.name: [sample.value for sample in family.samples] for family in Stored().collect()}
    assert (counted["offbeat_studies"], counted["offbeat_annotators_at_work"]) == ([1], [0])
    done = staff.post(reverse("end-rehearsal", args=["tiny"]), follow=True)
    assert "answers are thrown away" in done.content.decode()
    assert rows() == before
    study.refresh_from_db()
    assert (study.status, study.trail.count()) == ("draft", 0)


def test_what_cannot_open_cannot_be_tried(staff: Client, study: Study) -> None:
    study.items.update(withheld=True)
    assert "Try it as an annotator" not in staff.get("/studies/tiny/").content.decode()
    assert staff.post(reverse("rehearse", args=["tiny"])).status_code == 409
    assert not Study.objects.exclude(rehearsal_of=None).exists()


def test_a_rehearsal_that_nobody_ended_goes_by_itself(staff: Client, study: Study) -> None:
    forgotten = rehearsal.start(study)
    Study.objects.filter(pk=forgotten.pk).update(created_at=timezone.now() - dt.timedelta(days=2))
    latest = rehearsal.start(study)
    assert list(study.rehearsals.all()) == [latest]


def test_a_draft_is_deleted_with_its_rehearsals(staff: Client, study: Study) -> None:
    copy = rehearsal.start(study)
    Client().post(invites.path(invites.first(copy)))
    staff.post(reverse("delete", args=["tiny"]))
    assert set(rows().values()) == {0}
