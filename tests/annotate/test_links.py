"""Invite links that end: by a date, by a number of people, or because somebody revoked them."""

import datetime as dt
import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from annotate import invites, members
from annotate.models import Annotator, Assignment, InviteLink, Role, Study
from annotate.views.access import invite_path
from judging.folder.scores import export_folder, load_folder
from judging.monitor.live import live
from tests.annotate.stages import see, step
from tests.annotate.test_journey import fill, get, join, url
from tests.factories import make_study

pytestmark = pytest.mark.django_db

GONE = "This link has ended"


@pytest.fixture
def study() -> Study:
    return make_study(kinds=["single"])


@pytest.fixture
def desk(study: Study) -> Client:
    user = User.objects.create_user("rosa")
    members.add(study, user, Role.RESEARCHER)
    client = Client()
    client.force_login(user)
    return client


def link_of(study: Study, **given: object) -> InviteLink:
    return invites.make(study, InviteLink(label="Class A", **given))


def ago(hours: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(hours=hours)


def test_whoever_comes_by_a_link_is_told_to_it(study: Study) -> None:
    link = link_of(study)
    Client().post(invites.path(link))
    Client().post(invite_path(study))
    assert link.came == 1
    assert [(shown.label, shown.came) for shown in invites.of_study(study)] == [
        ("first link", 1),
        ("Class A", 1),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"expires_at": dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)}, "worked until 2026-01-02 03:04 UTC"),
        ({"revoked_at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC)}, "has withdrawn this link"),
    ],
)
def test_an_ended_link_says_so_and_lets_nobody_new_in(
    study: Study, given: dict[str, object], words: str
) -> None:
    path = invites.path(link_of(study, **given))
    for response in (Client().get(path), Client().post(path)):
        page = response.content.decode()
        assert response.status_code == 410
        assert GONE in page
        assert words in page
        assert "is full" not in page
        assert "paused" not in page
    assert not Annotator.objects.exists()


def test_a_link_for_some_people_is_used_up(study: Study) -> None:
    path = invites.path(link_of(study, most=2))
    first = Client()
    assert first.post(path).status_code == Client().post(path).status_code == 302
    late = Client().post(path)
    assert late.status_code == 410
    assert "as many people as it was made for" in late.content.decode()
    assert "Welcome back" in first.get(path).content.decode(), "those who joined can continue"
    assert Annotator.objects.count() == 2


def test_the_first_link_works_until_it_is_revoked(study: Study) -> None:
    path = invite_path(study)
    known = Client()
    where, _ = see(known, path, go="1")
    invites.revoke(invites.first(study))
    assert Client().get(path).status_code == 410
    assert "Welcome back" in known.get(path).content.decode()
    assert known.get(where).status_code == 200
    assert not invites.revoke(invites.first(study)), "once"


def test_another_browser_goes_on_by_the_personal_link_though_the_link_is_revoked(study: Study) -> None:
    Study.objects.update(break_after=1)
    link = link_of(study)
    client = Client()
    client.post(invites.path(link))
    personal = client.get(step(study, "break")).context["personal"]
    invites.revoke(link)
    other = Client()
    assert "Welcome back" in other.get(personal).content.decode()
    assert other.post(personal).status_code == 302
    assert Annotator.objects.count() == 1


def test_a_personal_link_ends_too(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    Study.objects.update(break_after=1)
    client = Client()
    client.post(invite_path(study))
    personal = client.get(step(study, "break")).context["personal"]
    monkeypatch.setattr("annotate.views.access._COOKIE_AGE", -1)
    assert "Welcome back" not in Client().get(personal).content.decode()


def test_panel_participants_stay_with_the_link_they_came_by(study: Study) -> None:
    link = link_of(study, most=1)
    panel = f"{invites.path(link)}?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=v1"
    client = Client()
    see(client, panel)
    see(client, client.get(panel)["Location"], go="1")
    assert link.came == 1
    assert Client().get(panel, follow=True).status_code == 200, "the same person, elsewhere"
    other = Client().get(panel.replace("=p1", "=p2"), follow=True)
    assert other.status_code == 410


def test_a_link_that_never_was_is_something_else(study: Study) -> None:
    response = Client().get("/join/tiny:never/")
    assert response.status_code == 404
    assert "not valid" in response.content.decode()


def test_the_page_is_in_the_studys_language(study: Study) -> None:
    Study.objects.update(language="ru")
    path = invites.path(link_of(study, expires_at=ago(1)))
    page = Client().get(path).content.decode()
    assert "Эта ссылка больше не действует" in page
    assert "Эта ссылка действовала до" in page


def test_links_are_made_and_revoked_at_the_desk(desk: Client, study: Study) -> None:
    page = "/studies/tiny/links/"
    assert desk.post(page, {"label": "Class A", "most": "20", "until": "2999-12-31"}).status_code == 302
    link = InviteLink.objects.get()
    assert (link.label, link.most, link.created_by) == ("Class A", 20, User.objects.get())
    assert link.expires_at == dt.datetime.combine(dt.date(2999, 12, 31), dt.time.max, dt.UTC)
    shown = desk.get(page).content.decode()
    assert f"http://testserver{invites.path(link)}" in shown
    assert "0 of 20" in shown
    desk.post(f"{page}revoke/", {"token": link.token})
    assert InviteLink.objects.get().ended == InviteLink.Ended.REVOKED
    desk.post(f"{page}revoke/", {"token": invites.first(study).token})
    assert "All links have ended" in desk.get("/studies/tiny/").content.decode()
    desk.post(page, {"label": "Again"})
    again = InviteLink.objects.latest("pk")
    assert invites.path(again) in desk.get("/studies/tiny/").content.decode()


def test_what_makes_no_sense_is_refused(desk: Client) -> None:
    for wrong in ({"label": ""}, {"label": "A", "until": "2020-01-01"}, {"label": "A", "most": "0"}):
        assert desk.post("/studies/tiny/links/", wrong).status_code == 422
    assert desk.post("/studies/tiny/links/", {"label": "A", "until": "9999-12-31"}).status_code == 302


def test_nobody_revokes_the_link_of_another_study(desk: Client) -> None:
    theirs = link_of(make_study("theirs"))
    page = desk.post("/studies/tiny/links/revoke/", {"token": theirs.token}, follow=True).content.decode()
    assert "no such link" in page
    assert InviteLink.objects.get().ended is None


def test_many_links_cost_no_more_queries(
    desk: Client, study: Study, django_assert_max_num_queries: object
) -> None:
    for _ in range(30):
        link_of(study, most=5)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert desk.get("/studies/tiny/links/").status_code == 200


def test_links_outlive_a_study_that_is_replaced(study: Study, tmp_path: Path) -> None:
    link = link_of(study, most=1)
    invites.revoke(invites.first(study))
    who = invites.let_in(link)
    export_folder(study, tmp_path / "out")
    again = load_folder(tmp_path / "out", replace=True).study
    assert invites.first(again).ended == InviteLink.Ended.REVOKED
    kept = again.invite_links.get(token=link.token)
    assert (kept.created_at, kept.ended) == (link.created_at, InviteLink.Ended.USED_UP)
    assert again.annotators.get().key == who.key


@pytest.mark.django_db(transaction=True)
def test_no_more_come_than_may() -> None:
    """Eight come at once by a link for three."""
    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time, by construction")
    link = link_of(make_study(), most=3)
    start = threading.Barrier(8)

    def come() -> None:
        start.wait()
        try:
            invites.let_in(InviteLink.objects.select_related("study").get(pk=link.pk))
        except invites.LinkEndedError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=come, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert link.came == 3


def test_one_address_does_not_join_without_end(study: Study, settings: Settings) -> None:
    settings.JOIN_RATE = "3/m/ip"
    for _ in range(3):
        assert Client().post(invite_path(study)).status_code == 302
    refused = Client().post(invite_path(study))
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert "joined from your network" in refused.content.decode()
    assert Annotator.objects.count() == 3
    assert Client(REMOTE_ADDR="10.0.0.1").post(invite_path(study)).status_code == 302


def minutes_left(study: Study) -> set[int]:
    ends = Assignment.objects.held().filter(study=study).values_list("expires_at", flat=True)
    return {round((end - timezone.now()).total_seconds() / 60) for end in ends if end}


def test_whoever_only_joins_keeps_no_seat_for_long(study: Study) -> None:
    client = join(study)
    html = get(client, study)
    assert minutes_left(study) == {10}
    assert live(study).idle_seats == Assignment.objects.held().count() > 0
    client.post(url(study), fill(html))
    assert minutes_left(study) == {30}
    assert live(study).idle_seats == 0
