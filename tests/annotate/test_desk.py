"""The study desk over HTTP: a study from nothing to open, and what is refused on the way."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotate import seats
from annotate.kinds import Value
from annotate.models import Assignment, Criterion, Item, Judgment, Response, Study
from tests.browser_forms import main_form, submit
from tests.factories import make_annotator, make_study

pytestmark = pytest.mark.django_db

GET, POST = "get", "post"
PAGES = [
    (GET, "new-study", []),
    (POST, "markdown", []),
    (GET, "upload", []),
    (GET, "studies", []),
    (GET, "study", ["tiny"]),
    (POST, "move-study", ["tiny"]),
    (GET, "clone", ["tiny"]),
    (GET, "delete", ["tiny"]),
    *((GET, "settings", ["tiny", section]) for section in ("texts", "journey", "page", "panel")),
    (GET, "criteria", ["tiny"]),
    (GET, "new-criterion", ["tiny"]),
    (POST, "preview-criterion", ["tiny"]),
    (GET, "criterion", ["tiny", 0]),
    (POST, "move-criterion", ["tiny", 0]),
    (POST, "remove-criterion", ["tiny", 0]),
    (GET, "pool", ["tiny"]),
    (GET, "leaks", ["tiny"]),
    (POST, "hold-back", ["tiny"]),
    (GET, "items", ["tiny"]),
    (GET, "plant", ["tiny"]),
    (GET, "strata", ["tiny"]),
    (POST, "repeat-items", ["tiny"]),
    (POST, "remove-items", ["tiny"]),
]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


def address(name: str, args: list[Any]) -> str:
    pk = Criterion.objects.values_list("pk", flat=True).first()
    return reverse(name, args=[pk if arg == 0 else arg for arg in args])


@pytest.mark.parametrize(("name", "args"), [p[1:] for p in PAGES if p[0] == POST], ids=lambda v: str(v))
def test_what_changes_something_is_posted_with_a_token(staff: Client, name: str, args: list[Any]) -> None:
    make_study()
    path = address(name, args)
    assert staff.get(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="sam"))
    assert strict.post(path).status_code == 403


@pytest.mark.parametrize(("method", "name", "args"), [p for p in PAGES if p[0] == GET], ids=lambda v: str(v))
def test_a_page_asks_the_database_as_often_for_many_rows_as_for_few(
    staff: Client,
    method: str,
    name: str,
    args: list[Any],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    make_study(prompts=6, responses=6)
    with django_assert_max_num_queries(24):
        staff.get(address(name, args))


def entered(page: Any) -> dict[str, Any]:
    """The fields of a page's largest form as they stand, as a browser sends them."""
    sent = main_form(page.content.decode()).sent()
    return {name: values[0] if len(values) == 1 else values for name, values in sent.items()}


def test_a_study_from_nothing_to_open(staff: Client) -> None:
    made: Any = submit(staff, reverse("new-study"), {"title": "Lines about time", "template": "empty"})
    study = Study.objects.get()
    assert (study.slug, study.status) == ("lines-about-time", "draft")
    assert made.url == reverse("pool", args=[study.slug])
    assert (study.markup, study.session_items, study.allow_skip, study.allow_comment) == (
        "markdown",
        30,
        True,
        True,
    )
    Study.objects.update(seats=2)
    assert "There are no criteria" in said(staff, study)

    rating = {"text": "How good is it?", "kind": "rating", "on": "single", "scale_low": 1, "scale_high": 5}
    rating |= {"labels": "1 = poor\n5 = great", "measures": "quality", "required": "on"}
    staff.post(reverse("new-criterion", args=[study.slug]), rating)
    better = {
        "text": "Which is better?",
        "kind": "preference",
        "on": "pair",
        "key": "better",
        "required": "on",
    }
    staff.post(reverse("new-criterion", args=[study.slug]), better)
    assert [(c.key, c.labels) for c in study.criteria.all()] == [
        ("how-good-is-it", {"1": "poor", "5": "great"}),
        ("better", {}),
    ]

    rows = [{"prompt": "Write about time.", "response": f"Time {n}.", "model": "m"} for n in range(6)]
    assert submit(staff, reverse("pool", args=[study.slug]), {"pasted": "\n".join(map(json.dumps, rows))})
    assert submit(staff, reverse("pool-preview", args=[study.slug]), {"store": "1"}).status_code == 302
    assert study.responses.count() == 6

    items = reverse("items", args=[study.slug])
    staff.post(items, {"how": "singles"})
    staff.post(items, {"how": "random", "each": 6})
    assert (study.items.filter(kind="single").count(), study.items.filter(kind="pair").count()) == (6, 6)
    assert Assignment.objects.filter(study=study).free().count() == 24
    staff.post(items, {"how": "random", "each": 3})
    assert study.items.filter(kind="pair").count() == 9
    again = staff.post(items, {"how": "singles"}, follow=True)
    assert "Nothing new" in again.content.decode()

    assert "To do before opening" not in said(staff, study)
    staff.post(reverse("move-study", args=[study.slug]), {"to": "open"})
    study.refresh_from_db()
    assert study.status == "open"
    assert seats.next_assignment(make_annotator(study)) is not None
    for to in ("paused", "open", "closed", "open"):
        staff.post(reverse("move-study", args=[study.slug]), {"to": to})
        assert Study.objects.get().status == to


def said(staff: Client, study: Study) -> str:
    return staff.get(reverse("study", args=[study.slug])).content.decode()


def test_nothing_opens_with_something_missing(staff: Client) -> None:
    study = make_study(kinds=["single"])
    Study.objects.update(status="draft", checks=[{"text": "?", "options": ["a", "b"], "right": None}])
    study.criteria.update(on="pair", kind="preference", scale_low=None, scale_high=None)
    Item.objects.filter(key="p0-single-0").update(role="gold", expected=None)
    refused = staff.post(reverse("move-study", args=["tiny"]), {"to": "open"})
    page = refused.content.decode()
    assert refused.status_code == 409
    for lack in ("No criterion asks about one response", "has no right answer", "has no expected answer"):
        assert lack in page
    assert Study.objects.get().status == "draft"
    assert staff.post(reverse("move-study", args=["tiny"]), {"to": "closed"}).status_code == 409


WRONG_CRITERIA = [
    ({"kind": "rating", "on": ""}, "on", "asked about"),
    ({"kind": "number", "scale_low": ""}, "scale_low", "Give both, or neither"),
    ({"kind": "number", "scale_low": 9}, "scale_high", "Higher than"),
    ({"scale_high": 1}, "scale_high", "Higher than"),
    ({"scale_high": 5000}, "scale_high", "At most 1,001 points"),
    ({"scale_low": ""}, "scale_low", "Needed for"),
    ({"labels": "9 = superb"}, "labels", "9 is no point"),
    ({"labels": "superb"}, "labels", "point = label"),
    ({"key": "quality"}, "key", "Another criterion"),
    ({"key": "a b"}, "key", "letters, digits"),
    ({"text": ""}, "text", "required"),
]


@pytest.mark.parametrize(("change", "field", "message"), WRONG_CRITERIA)
def test_an_error_stands_at_its_field_and_what_was_typed_stays(
    staff: Client, change: dict[str, Any], field: str, message: str
) -> None:
    make_study(kinds=["single"])
    typed = {"text": "How odd?", "kind": "rating", "on": "single", "scale_low": 1, "scale_high": 5} | change
    page = staff.post(reverse("new-criterion", args=["tiny"]), typed)
    assert page.status_code == 422
    assert message in " ".join(page.context["form"].errors[field])
    assert message.split("=")[0] in page.content.decode()
    assert "How odd?" in page.content.decode() or field == "text"
    assert Criterion.objects.count() == 1


def test_the_preview_draws_what_is_typed(staff: Client) -> None:
    make_study(kinds=["pair"])
    path = reverse("preview-criterion", args=["tiny"])
    typed = {"text": "How <b>alike</b>?", "kind": "similarity", "on": "pair", "scale_low": 0, "scale_high": 4}
    page = staff.post(path, typed | {"labels": "0 = not at all"}).content.decode()
    assert "How &lt;b&gt;alike&lt;/b&gt;?" in page
    assert page.count('type="radio"') == 5
    assert "not at all" in page
    assert "Response 0 to 0" in page  # the study's own texts
    # What a kind is asked about where there is one such item, it says itself.
    assert "Response 0 to 0" in staff.post(path, typed | {"on": "set"}).content.decode()
    assert "preview returns" in staff.post(path, typed | {"scale_high": -1}).content.decode()
    for kind, on in (
        ("ranking", "set"),
        ("grouping", "set"),
        ("text", "single"),
        ("number", "set"),
        ("odd_one_out", "set"),
    ):
        assert "question" in staff.post(path, {"text": "?", "kind": kind, "on": on}).content.decode()


def test_criteria_change_places_and_go(staff: Client) -> None:
    study = make_study()
    first, second, *_ = study.criteria.all()
    staff.post(reverse("move-criterion", args=["tiny", second.pk]), {"to": "up"})
    assert [c.key for c in study.criteria.all()][:2] == [second.key, first.key]
    staff.post(reverse("move-criterion", args=["tiny", second.pk]), {"to": "up"})  # it's the first already
    staff.post(reverse("remove-criterion", args=["tiny", second.pk]))
    assert second.key not in [c.key for c in study.criteria.all()]


def judge(study: Study) -> Judgment:
    annotator = make_annotator(study)
    seat = seats.next_assignment(annotator)
    assert seat is not None
    criterion = study.criteria.filter(on=seat.item.kind).first()
    assert criterion is not None
    from uuid import uuid4

    row = (criterion, Value(response=(seat.shown or [0])[0], value=4))
    seats.submit(annotator, seat, seats.Submission([row], uuid4(), 0))
    return Judgment.objects.get()


def test_opening_points_at_leaks_once(staff: Client) -> None:
    study = make_study()
    Study.objects.update(status="draft")
    leaky = study.responses.order_by("pk").first()
    assert leaky is not None
    Response.objects.filter(pk=leaky.pk).update(text="I'm Claude.")
    path = reverse("move-study", args=["tiny"])
    page = staff.post(path, {"to": "open"})
    assert page.status_code == 409
    assert "1 response names a model" in page.content.decode()
    staff.post(path, {"to": "open", "anyway": "1"})
    assert Study.objects.get().status == "open"


def test_what_would_change_the_meaning_of_answers_is_refused(staff: Client) -> None:
    study = make_study(kinds=["single"])
    judge(study)
    [criterion] = study.criteria.all()
    path = reverse("criterion", args=["tiny", criterion.pk])
    typed = entered(staff.get(path))
    for change in (
        {"scale_high": 7},
        {"text": "How bad?"},
        {"kind": "number"},
        {"labels": "1 = x"},
        {"key": "k"},
    ):
        page = staff.post(path, typed | change)
        assert page.status_code == 422
        assert any("Clone the study" in e for errors in page.context["form"].errors.values() for e in errors)
        assert reverse("clone", args=["tiny"]) in page.content.decode()
    staff.post(reverse("remove-criterion", args=["tiny", criterion.pk]))
    criterion.refresh_from_db()
    assert (criterion.text, criterion.scale_high, criterion.key) == ("Question quality?", 5, "quality")
    # What the audit takes it for may change, and so may whether it must be answered.
    assert staff.post(path, typed | {"measures": ""}).status_code == 302


def test_seats_are_raised_and_lowered_but_not_below_what_was_given(staff: Client) -> None:
    study = make_study(kinds=["single"], seats=3)
    judge(study)
    path = reverse("settings", args=["tiny", "texts"])
    typed = entered(staff.get(path))
    assert typed["seats"] == "3"
    staff.post(path, typed | {"seats": 4})
    counts = {i.assignments.count() for i in study.items.all()}
    assert counts == {4}
    staff.post(path, typed | {"seats": 1})
    assert {i.assignments.count() for i in study.items.all()} == {1}
    staff.post(path, typed | {"seats": 2})
    # Somebody else holds a seat at every item too: a block goes over several prompts.
    assert seats.next_assignment(make_annotator(study, "b"))
    assert {i.assignments.exclude(annotator=None).count() for i in study.items.all()} == {2}
    refused = staff.post(path, typed | {"seats": 1})
    assert "has 2 annotators already" in refused.content.decode()
    assert refused.status_code == 422
    assert Study.objects.get().seats == 2


def test_journey_page_and_panel(staff: Client) -> None:
    study = make_study()
    path = reverse("settings", args=["tiny", "journey"])
    page = staff.get(path)
    typed = entered(page) | {"minutes": 12, "break_after": 20, "language": "ru"}
    typed |= {"check-TOTAL_FORMS": "2", "check-INITIAL_FORMS": "0"}
    wrong = staff.post(path, typed | {"check-0-text": "What?", "check-0-options": "a\nb"})
    assert "Put a star" in wrong.content.decode()
    stored = staff.post(path, typed | {"check-0-text": "What?", "check-0-options": "a\n* b"})
    assert stored.status_code == 302, stored.context["form"].errors
    study.refresh_from_db()
    assert study.checks == [{"text": "What?", "options": ["a", "b"], "right": 1}]
    assert (study.minutes, study.break_after, study.language) == (12, 20, "ru")
    assert "* b" in staff.get(path).content.decode()

    path = reverse("settings", args=["tiny", "page"])
    staff.post(path, entered(staff.get(path)) | {"layout": "stacked", "allow_skip": "on"})
    path = reverse("settings", args=["tiny", "panel"])
    typed = entered(staff.get(path)) | {"name_session": "sid", "code_finished": "C1"}
    assert staff.post(path, typed | {"return_url": "javascript:alert(1)"}).status_code == 422
    staff.post(path, typed | {"return_url": "https://panel.example/?c=CODE"})
    study.refresh_from_db()
    assert (study.layout, study.allow_skip, study.sync_scroll) == ("stacked", True, False)
    assert study.panel_names == {"participant": "PROLIFIC_PID", "study": "STUDY_ID", "session": "sid"}
    assert study.completion_codes == {"finished": "C1"}
    assert study.return_url == "https://panel.example/?c=CODE"
    assert staff.get(reverse("settings", args=["tiny", "nothing"])).status_code == 404
