"""What a criterion is by default, what it measures, and what its kind sets."""

import tomllib

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotate.folder.problems import Problems
from annotate.folder.study_toml import render, spec_from, spec_of
from annotate.kinds import AnswerError, Value, kind_of
from annotate.models import Study
from tests.annotate.test_desk import judge, said
from tests.browser_forms import submit
from tests.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


def test_a_rating_measures_quality_unless_one_says_otherwise(staff: Client) -> None:
    study = make_study(kinds=[])
    new = reverse("new-criterion", args=["tiny"])
    wanted = [
        ({"text": "How good?", "kind": "rating", "on": "single"}, "quality"),
        ({"text": "Which is better?", "kind": "preference", "on": "pair"}, "quality"),
        ({"text": "How alike?", "kind": "similarity", "on": "pair"}, "similarity"),
        ({"text": "Which belong together?", "kind": "grouping", "on": "set"}, "similarity"),
        ({"text": "How new?", "kind": "rating", "on": "single", "measures": "originality"}, "originality"),
        ({"text": "How long?", "kind": "rating", "on": "single", "measures": ""}, ""),
        ({"text": "What do you think?", "kind": "text", "on": "single"}, ""),
    ]
    for change, _ in wanted:
        assert submit(staff, new, change).status_code == 302
    assert [c.measures for c in study.criteria.all()] == [measure for _, measure in wanted]


def test_what_a_criterion_measures_is_changed_after_collecting(staff: Client) -> None:
    study = make_study(kinds=["single"])
    study.criteria.update(measures="", labels={"1": "poor", "5": "great"})
    judge(study)
    [criterion] = study.criteria.all()
    path = reverse("criterion", args=["tiny", criterion.pk])
    audit = staff.get(reverse("audit", args=["tiny"])).content.decode()
    assert f'href="{path}#id_measures"' in audit
    assert "study.toml" not in audit
    assert submit(staff, path, {"measures": "quality"}).status_code == 302
    criterion.refresh_from_db()
    assert (criterion.measures, criterion.labels) == ("quality", {"1": "poor", "5": "great"})
    assert f'href="{path}#id_measures"' not in staff.get(reverse("audit", args=["tiny"])).content.decode()


@pytest.mark.parametrize(("kind", "on", "measures", "told"), [
    ("rating", "single", "", True),
    ("rating", "single", "quality", False),
    ("number", "single", "", True),
    ("preference", "pair", "", False),
])  # fmt: skip
def test_opening_without_a_measure_of_quality_is_said_before(
    staff: Client, kind: str, on: str, measures: str, told: bool
) -> None:
    study = make_study(kinds=["single"])
    Study.objects.update(status="draft", instructions="Read.")
    study.criteria.update(kind=kind, on=on, measures=measures)
    [criterion] = study.criteria.all()
    page = said(staff, study)
    assert ("No criterion measures quality" in page) == told
    field = reverse("criterion", args=["tiny", criterion.pk]) + "#id_measures"
    assert (field in page) == (told and kind == "rating")


@pytest.mark.parametrize(("kind", "on"), [("preference", "pair"), ("similarity", "pair"), ("ranking", "set")])
def test_a_kind_sets_what_it_is_asked_about(staff: Client, kind: str, on: str) -> None:
    study = make_study(kinds=[])
    assert (
        submit(staff, reverse("new-criterion", args=["tiny"]), {"text": "?", "kind": kind}).status_code == 302
    )
    assert study.criteria.get().on == on


def test_a_number_has_bounds_if_one_says_so(staff: Client) -> None:
    study = make_study(kinds=[])
    typed = {"text": "How many of 100?", "kind": "number", "scale_low": 0, "scale_high": 100}
    submit(staff, reverse("new-criterion", args=["tiny"]), typed)
    submit(staff, reverse("new-criterion", args=["tiny"]), typed | {"scale_low": "", "scale_high": ""})
    bounded, free = study.criteria.all()
    for value in (0, 62.5, 100):
        kind_of(bounded).check(bounded, Value(value=value), [1])
    for value in (-1, 100.5, 4000):
        with pytest.raises(AnswerError, match="a number from 0 to 100"):
            kind_of(bounded).check(bounded, Value(value=value), [1])
    kind_of(free).check(free, Value(value=4000), [1])
    [question] = kind_of(bounded).questions(bounded, [1])
    assert (question.low, question.high, question.step) == (0, 100, "any")
    assert "0 to 100" in staff.get(reverse("criteria", args=["tiny"])).content.decode()
    # A study folder keeps them, and refuses others.
    problems = Problems()
    again = spec_from(tomllib.loads(render(spec_of(study))), problems)
    assert again is not None
    assert [c.scale for c in again.criterion] == [[0, 100], []]
    wrong = tomllib.loads(render(spec_of(study)).replace("100,", "-5,"))
    assert spec_from(wrong, problems) is None
    assert "the lower first" in str(problems.first)
