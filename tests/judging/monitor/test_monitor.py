"""The live monitor: what it counts, what it costs, and who or what it excludes."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotate import exclusions, seats
from annotate.models import Annotator, Answer, Assignment, Criterion, Item, Judgment, Response, Study
from judging.monitor import live as monitor
from judging.monitor import views as views_monitor
from judging.results import agreement
from judging.results.cache import cached, cached_a_minute, fingerprint
from tests.factories import make_annotator, make_study
from tests.judging.monitor.rows import work, worked

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> None:
    caches["results"].clear()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("staff", is_staff=True, is_superuser=True))
    return client


# The cache


def test_results_change_with_whatever_they_rest_on() -> None:
    study = worked()
    first, second, third, fourth = Judgment.objects.in_study(study).order_by("pk")[:4]
    seen = [fingerprint(study)]

    def changed() -> bool:
        seen.append(fingerprint(study))
        return seen[-1] not in seen[:-1]

    exclusions.exclude(first, "a test")
    assert changed()
    exclusions.exclude(fourth, "a test")
    assert changed()
    both = seen[-1]
    # The exchange that sums and counts would miss: 1 and 4 for 2 and 3.
    Judgment.objects.filter(pk__in=[first.pk, fourth.pk]).update(excluded="")
    Judgment.objects.filter(pk__in=[second.pk, third.pk]).update(excluded="a test")
    assert changed()
    assert seen[-1] != both
    Criterion.objects.filter(study=study, key="quality").update(measures="originality")
    assert changed()
    Judgment.objects.create(assignment=first.assignment, revision=2)
    assert changed()
    Response.objects.filter(pk=Response.objects.filter(study=study).first().pk).update(held_back="leaks")  # type: ignore[union-attr]
    assert changed()
    Item.objects.filter(pk=first.assignment.item_id).update(withheld=True)
    assert changed()
    Annotator.objects.filter(study=study, key="ann0").update(excluded="a test")
    assert changed()
    Study.objects.filter(pk=study.pk).update(simulated=True)
    study.refresh_from_db()
    assert changed()
    assert fingerprint(study) == seen[-1]


def test_a_readmitted_judgment_brings_the_results_back() -> None:
    study = worked()
    judgment = Judgment.objects.in_study(study).earliest("pk")
    before = fingerprint(study), agreement.agreement(study)[0].n_answers
    exclusions.exclude(judgment, "a test")
    assert agreement.agreement(study)[0].n_answers == before[1] - 1
    exclusions.readmit(judgment)
    assert (fingerprint(study), agreement.agreement(study)[0].n_answers) == before


def test_items_held_back_do_not_count() -> None:
    study = worked()
    before = agreement.agreement(study)[0]
    Item.objects.filter(pk=Item.objects.filter(study=study, kind="single").first().pk).update(withheld=True)  # type: ignore[union-attr]
    after = agreement.agreement(study)[0]
    assert (after.n_items, after.n_answers) == (before.n_items - 1, before.n_answers - 3)


def test_a_poll_computes_at_most_once_a_minute_and_an_exclusion_shows_at_once() -> None:
    study, calls = make_study(), []

    def compute() -> int:
        calls.append(1)
        return len(calls)

    first = cached_a_minute(study, "n", compute, "nobody")
    Judgment.objects.create(assignment=study.assignments.earliest("pk"))
    assert cached_a_minute(study, "n", compute, "nobody") == first
    later = cached_a_minute(study, "n", compute, "somebody")
    assert (first.value, later.value) == (1, 2)
    assert cached(study, "n", compute) == 2


# What is counted


def test_seats_pace_and_people() -> None:
    study = make_study(prompts=1, kinds=("single",), responses=6, seats=2)
    assert monitor.live(study).pace.words == "not known yet: fewer than 5 judgments so far"
    work(make_annotator(study, "one"))
    seat = seats.next_assignment(make_annotator(study, "two"))
    assert seat is not None
    Annotator.objects.create(study=study, key="gone", stage="ended", outcome="screened_out")
    now = timezone.now()
    Judgment.objects.in_study(study).update(submitted_at=now - dt.timedelta(minutes=30))
    live = monitor.live(study)
    assert (live.main.filled, live.main.held, live.main.free) == (6, 6, 0)
    assert live.pace.last_hour == pytest.approx(12, rel=0.01)
    assert live.pace.words == "about 30 minutes more at the last hour’s pace"
    assert live.people == [("imported with their answers", 1), ("at consent", 1), ("screened out", 1)]
    Judgment.objects.in_study(study).update(submitted_at=now - dt.timedelta(hours=12))
    Assignment.objects.held().filter(study=study).update(expires_at=now - dt.timedelta(minutes=1))
    live = monitor.live(study)
    assert (live.pace.last_hour, live.pace.n_last_hour) == (None, 0)
    assert live.pace.overall == pytest.approx(0.5, rel=0.01)
    assert live.pace.words == "about 12 hours more at the overall pace"
    assert live.main.ran_out == 6


def test_a_judgment_that_does_not_count_is_no_seat_filled() -> None:
    study = worked(2)
    full = monitor.live(study)
    assert full.pace.words == "every seat is filled"
    exclusions.exclude(Judgment.objects.in_study(study).earliest("pk"), "a test")
    live = monitor.live(study)
    assert live.main.filled == full.main.filled - 1
    assert (live.main.set_aside, live.main.free) == (1, 1)


def test_gold_and_repeats_are_counted_apart_and_items_held_back_are_no_free_seats() -> None:
    study = make_study(prompts=1, kinds=("single",), responses=3, seats=2)
    gold = study.items.order_by("pk")[0]
    Item.objects.filter(pk=gold.pk).update(role="gold")
    Item.objects.filter(pk=study.items.order_by("pk")[1].pk).update(withheld=True)
    live = monitor.live(study)
    assert (live.main.free, live.main.withheld) == (2, 2)
    assert [(s.role, s.free) for s in live.others] == [("gold", 2)]


def test_flags_comments_and_items_passed_over(staff: Client) -> None:
    study = make_study(prompts=1, kinds=("single",), responses=2, seats=2)
    work(make_annotator(study, "one"), flag="names a model", comment="<b>hm</b>")
    work(make_annotator(study, "two"), skipped=True)
    live = monitor.live(study)
    assert {j.flag for j in live.remarks.rows} == {"names a model"}
    assert (live.remarks.n, live.skipped.n) == (2, 2)
    html = staff.get("/studies/tiny/monitor/").content.decode()
    assert "names a model" in html
    assert "&lt;b&gt;hm&lt;/b&gt;" in html
    assert "2 times: p0-single-0, p0-single-1." in " ".join(html.split())
    skipped = Judgment.objects.get(excluded="skipped", assignment__item__key="p0-single-0")
    staff.post(f"/studies/tiny/monitor/judgments/{skipped.pk}/readmit/")
    skipped.refresh_from_db()
    assert skipped.excluded == "skipped", "nothing was answered, so there is nothing to count"
    assert monitor.excluded(study).judgments.n == 0


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0.001, "1 minute"), (0.5, "30 minutes"), (1.9, "114 minutes"),
     (5.4, "5 hours"), (60, "2 days"), (1e4, "60 weeks")],
)  # fmt: skip
def test_lengths_of_time_in_words(hours: float, words: str) -> None:
    assert monitor.duration(hours) == words


def _queries(client: Client, path: str) -> int:
    caches["results"].clear()
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(path).status_code == 200
    return len(found)


def test_the_number_of_queries_does_not_grow(staff: Client) -> None:
    small, large = worked(2), make_study("large", prompts=6, responses=6, seats=5)
    for n in range(5):
        work(make_annotator(large, f"ann{n}"), flag="odd", comment="hm")
    assert small.criteria.count() == large.criteria.count()
    for part in ("?part=live", ""):
        counts = [_queries(staff, f"/studies/{slug}/monitor/{part}") for slug in ("tiny", "large")]
        # One more where a list is longer than what is shown of it.
        assert counts[1] - counts[0] in (0, 1), part
        assert counts[1] <= 62
    # Within the minute a poll asks for rows that are counted by the database, and computes nothing.
    with CaptureQueriesContext(connection) as found:
        staff.get("/studies/large/monitor/?part=live")
    assert len(found) <= 18


# Exclusion


def test_an_annotator_is_excluded_with_a_reason_and_readmitted(staff: Client) -> None:
    study = worked(3)
    person = Annotator.objects.get(study=study, key="ann1")
    page = f"/studies/tiny/monitor/annotators/{person.pk}/"
    before = agreement.agreement(study)[0].n_answers
    refused = staff.post(f"{page}exclude/", {"reason": "  "})
    assert refused.status_code == 422
    assert "Please give a reason" in refused.content.decode()
    person.refresh_from_db()
    assert person.excluded == ""
    assert staff.post(f"{page}exclude/", {"reason": "two people shared it"}).status_code == 302
    assert agreement.agreement(study)[0].n_answers == before * 2 // 3
    assert Assignment.objects.filter(study=study).free().count() == study.items.count()
    assert Answer.objects.filter(judgment__assignment__annotator=person).exists(), "the data stays"
    html = staff.get("/studies/tiny/monitor/").content.decode()
    assert "two people shared it" in html
    # A second exclusion would overwrite the reason that undoing looks for.
    staff.post(f"{page}exclude/", {"reason": "another"})
    assert staff.post(f"{page}readmit/").status_code == 302
    assert agreement.agreement(study)[0].n_answers == before
    assert Assignment.objects.filter(study=study).free().count() == 0


def test_a_judgment_is_excluded_with_a_reason_and_readmitted(staff: Client) -> None:
    study = worked(2)
    judgment = Judgment.objects.in_study(study).earliest("pk")
    page = f"/studies/tiny/monitor/judgments/{judgment.pk}/"
    for reason in ("", "skipped", "annotator: x", "x" * 501):
        assert staff.post(f"{page}exclude/", {"reason": reason}).status_code == 422
    staff.post(f"{page}exclude/", {"reason": "fell  asleep"})
    judgment.refresh_from_db()
    assert judgment.excluded == "fell asleep"
    assert [j.pk for j in monitor.excluded(study).judgments.rows] == [judgment.pk]
    assert "fell asleep" in staff.get(page).content.decode()
    staff.post(f"{page}readmit/")
    judgment.refresh_from_db()
    assert judgment.excluded == ""
    assert monitor.excluded(study).judgments.n == 0


def test_a_judgment_of_an_excluded_annotator_is_readmitted_with_the_annotator_only(staff: Client) -> None:
    study = worked(2)
    person = Annotator.objects.get(study=study, key="ann0")
    exclusions.exclude_annotator(person, "a test")
    judgment = Judgment.objects.filter(assignment__annotator=person).earliest("pk")
    page = f"/studies/tiny/monitor/judgments/{judgment.pk}/"
    assert "Include them again there" in staff.get(page).content.decode()
    staff.post(f"{page}readmit/")
    judgment.refresh_from_db()
    assert judgment.excluded == "annotator: a test"


def test_changes_are_posted(staff: Client) -> None:
    study = worked(2)
    person, judgment = Annotator.objects.filter(study=study)[0], Judgment.objects.in_study(study)[0]
    for path in (f"annotators/{person.pk}/", f"judgments/{judgment.pk}/"):
        assert staff.get(f"/studies/tiny/monitor/{path}").status_code == 200
        for verb in ("exclude", "readmit"):
            assert staff.get(f"/studies/tiny/monitor/{path}{verb}/").status_code == 405


def test_an_empty_study_has_a_monitor(staff: Client) -> None:
    make_study()
    html = staff.get("/studies/tiny/monitor/").content.decode()
    assert "Nobody has judged anything yet." in html
    assert "undefined:" in html


def test_the_fragment_is_a_part_of_the_page_and_no_more(staff: Client) -> None:
    worked(2)
    fragment = staff.get("/studies/tiny/monitor/?part=live").content.decode()
    assert fragment.strip().startswith('<div id="live"')
    assert "<html" not in fragment
    assert "Exclude" not in fragment, "a poll must not take away what somebody is typing"


def test_many_annotators_have_pages(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    worked(3)
    monkeypatch.setattr(views_monitor, "A_PAGE", 2)
    first = staff.get("/studies/tiny/monitor/?sort=-items").content.decode()
    second = staff.get("/studies/tiny/monitor/?sort=-items&page=2").content.decode()
    listed = [re.findall(r'<tr><th scope="row"><a href="[^"]*annotators/(\d+)/"', p) for p in (first, second)]
    assert [len(page) for page in listed] == [2, 1]
    assert len(set(listed[0]) | set(listed[1])) == 3
    assert 'rel="next" href="?sort=-items&amp;page=2#people"' in first
    assert "3 to 3 of 3" in second
