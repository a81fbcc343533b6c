"""The page of a study's trail, its download, and what outlives a study."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotate import members, trail
from annotate.models import Action, Item, Role, Study, TrailEntry
from judging.exports import export_jobs
from judging.folder.scores import export_folder, load_folder
from tests.factories import make_study
from tests.test_access import filled
from tests.test_trail import draft, excluded

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> tuple[Client, Study]:
    study = filled("tiny")
    filled("other")
    User.objects.filter(username="owner-tiny").update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(username="owner-tiny"))
    return client, study


def test_the_trail_outlives_a_study_that_is_replaced_or_deleted(tmp_path: Path) -> None:
    study = make_study("tiny")
    members.add(study, User.objects.create_user("ann"), Role.OWNER)
    export_folder(study, tmp_path / "out")
    again = load_folder(tmp_path / "out", replace=True).study
    assert [e.action for e in again.trail.order_by("pk")] == ["member added", "loaded"]
    other = make_study("elsewhere")
    assert not other.trail.exists()
    client = Client()
    client.force_login(User.objects.get(username="ann"))
    draft(again)
    client.post("/studies/tiny/delete/")
    assert not Study.objects.filter(slug="tiny").exists()
    left = TrailEntry.objects.of_study("tiny").latest("pk")
    assert (left.action, left.study, left.by_name) == ("deleted", None, "ann")
    User.objects.all().delete()
    left.refresh_from_db()
    assert (left.by, left.by_name) == (None, "ann")
    out = io.StringIO()
    call_command("trail", "tiny", stdout=out)
    assert out.getvalue().splitlines()[-1].split("\t")[1:4] == ["ann", "page", "deleted"]


def test_a_new_study_of_an_old_name_starts_with_an_empty_page(tmp_path: Path) -> None:
    trail_of = make_study("tiny")
    trail.note(trail_of, Action.CHANGED, "secret of those before")
    draft(trail_of)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    client.post("/studies/tiny/delete/")
    make_study("tiny")
    assert "secret of those before" not in client.get("/studies/tiny/trail/").content.decode()


def test_the_page_shows_chooses_and_hands_out(owner: tuple[Client, Study]) -> None:
    client, study = owner
    client.post("/studies/tiny/move/", {"to": "paused"})
    excluded(study)
    trail.note(study, Action.EXPORTED, "=HYPERLINK(1)", text="<script>alert(1)</script>")
    page = client.get("/studies/tiny/trail/").content.decode()
    assert "paused" in page
    assert "<script>alert" not in page
    only = client.get("/studies/tiny/trail/", {"action": "paused", "by": "OWNER"}).content.decode()
    assert "1 entry" in only
    assert "judgment of" not in only
    today = TrailEntry.objects.latest("pk").at.date().isoformat()
    found = client.get("/studies/tiny/trail/", {"since": today, "until": today}).content.decode()
    assert f"{study.trail.count()} entries" in found
    assert client.get("/studies/tiny/trail/", {"since": "soon"}).status_code == 422
    sheet = client.get("/studies/tiny/trail/", {"format": "csv", "action": "exported"})
    text = b"".join(sheet).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["about"] == "'=HYPERLINK(1)"
    assert row["action"] == "exported"


def test_the_calendars_ends_are_days_too(owner: tuple[Client, Study]) -> None:
    client, _ = owner
    page = client.get("/studies/tiny/trail/", {"since": "0001-01-01", "until": "9999-12-31"})
    assert page.status_code == 200
    assert "owner-tiny" in page.content.decode()


def test_the_page_asks_for_few_rows(owner: tuple[Client, Study], django_assert_max_num_queries: Any) -> None:
    client, study = owner
    for n in range(150):
        trail.note(study, Action.CHANGED, f"item {n}")
    with django_assert_max_num_queries(8):
        page = client.get("/studies/tiny/trail/").content.decode()
    assert page.count("<time") == 100
    assert "earlier →" in page


def test_a_download_in_parts_is_told_every_time(owner: tuple[Client, Study]) -> None:
    client, study = owner
    name = export_jobs.order(study, "folder", escape=True)
    export_jobs.make(study, name)
    client.get(f"/studies/tiny/exports/{name}/", headers={"Range": "bytes=0-"})
    assert TrailEntry.objects.latest("pk").action == "downloaded"
    assert Item.objects.filter(study=study).exists()
