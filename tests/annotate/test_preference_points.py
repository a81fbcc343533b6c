"""Preferences of three, five or seven points, with the extra choices that one wants."""

import tomllib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotate.folder.problems import Problems
from annotate.folder.study_toml import render, spec_from, spec_of
from annotate.kinds import AnswerError, Value, kind_of
from annotate.models import Criterion, Study
from judging.frames import preferences
from judging.results.agreement.units import levels
from tests.annotate.working import work_through
from tests.browser_forms import submit
from tests.factories import make_annotator, make_study

pytestmark = pytest.mark.django_db

NEW = "/studies/tiny/criteria/new/"
ASKED = {"text": "Which is better?", "kind": "preference"}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


def words(criterion: Criterion) -> list[str]:
    [question] = kind_of(criterion).questions(criterion, [7, 8])
    return [option.value for option in question.options]


EXTRA = ["both_good", "both_bad", "cannot_tell"]
POINTS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["7:2", "7:1", "tie", "8:1", "8:2", *EXTRA]),
    ({"points": "3"}, ["7:1", "tie", "8:1", *EXTRA]),
    ({"points": "7"}, ["7:3", "7:2", "7:1", "tie", "8:1", "8:2", "8:3", *EXTRA]),
    ({"points": "3", "choices": ["cannot_tell"]}, ["7:1", "tie", "8:1", "cannot_tell"]),
    ({"choices": None}, ["7:2", "7:1", "tie", "8:1", "8:2"]),
]


@pytest.mark.parametrize(("change", "options"), POINTS)
def test_the_page_offers_what_was_chosen(staff: Client, change: dict[str, Any], options: list[str]) -> None:
    study = make_study(kinds=[])
    assert submit(staff, NEW, ASKED | change).status_code == 302
    [criterion] = study.criteria.all()
    assert words(criterion) == options
    # Saved as it stands, and through a study folder, it is the same.
    assert submit(staff, reverse("criterion", args=["tiny", criterion.pk])).status_code == 302
    criterion.refresh_from_db()
    assert words(criterion) == options
    problems = Problems()
    again = spec_from(tomllib.loads(render(spec_of(study))), problems)
    assert again is not None, problems.first
    assert (again.criterion[0].choices, again.criterion[0].scale) == (
        criterion.choices,
        [] if criterion.scale_low is None else [criterion.scale_low, criterion.scale_high],
    )


@pytest.mark.parametrize(("scale", "strongest"), [(None, 2), (1, 1), (2, 2), (3, 3)])
def test_no_answer_is_stronger_than_the_scale(scale: int | None, strongest: int) -> None:
    criterion = Criterion(kind="preference", on="pair", scale_low=scale and -scale, scale_high=scale)
    kind = kind_of(criterion)
    kind.check(criterion, Value(response=7, value=strongest), [7, 8])
    with pytest.raises(AnswerError, match="where a response is preferred"):
        kind.check(criterion, Value(response=7, value=strongest + 1), [7, 8])
    criterion.choices = ["both_bad"]
    kind.check(criterion, Value(value=0, label="both_bad"), [7, 8])
    kind.check(criterion, Value(value=0, label="tie"), [7, 8])
    with pytest.raises(AnswerError, match="one of tie, both_bad"):
        kind.check(criterion, Value(value=0, label="both_good"), [7, 8])


WRONG = [
    ('kind = "preference"\nscale = [-4, 4]', "one of [-1, 1], [-2, 2], [-3, 3]"),
    ('kind = "preference"\nscale = [0, 2]', "one of [-1, 1], [-2, 2], [-3, 3]"),
    ('kind = "preference"\nchoices = ["maybe"]', "both_good, both_bad, cannot_tell"),
    ('kind = "similarity"\nscale = [0, 4]\nchoices = []', "none for a similarity"),
]


@pytest.mark.parametrize(("lines", "expected"), WRONG)
def test_a_folder_with_other_points_is_refused(lines: str, expected: str) -> None:
    text = f'slug = "a"\ntitle = "A"\nseats = 1\n[[criterion]]\nkey = "q"\non = "pair"\ntext = "?"\n{lines}\n'
    problems = Problems()
    assert spec_from(tomllib.loads(text), problems) is None
    assert expected in problems.first[0].expected


@pytest.mark.parametrize("most", [1, 2, 3])
def test_votes_are_counted_by_point(most: int) -> None:
    study = make_study(prompts=3, kinds=["pair"], seats=2)
    criteria = Criterion.objects.filter(kind="preference")
    criteria.update(scale_low=-most, scale_high=most)
    for name in ("a", "b"):
        work_through(make_annotator(Study.objects.get(), name))
    [criterion] = preferences.criteria(study)
    voted = preferences.voted(criterion, preferences.shown_pairs(study))
    assert levels(criterion) == list(range(-most, most + 1))
    assert voted.counts.shape == (3, 2 * most + 1)
    assert [part.sum() for part in voted.thirds][2] == 0
    assert sum(part.sum() for part in voted.thirds) == 6
    assert set(voted.share) <= {0, 0.5, 1}


def test_what_was_answered_keeps_its_choices(staff: Client) -> None:
    study = make_study(kinds=["pair"])
    work_through(make_annotator(study))
    criterion = study.criteria.get(kind="preference")
    path = reverse("criterion", args=["tiny", criterion.pk])
    assert submit(staff, path).status_code == 302
    for change in ({"points": "7"}, {"choices": ["both_bad"]}):
        page = submit(staff, path, change)
        assert page.status_code == 422, change
        assert "Clone the study" in page.content.decode()
