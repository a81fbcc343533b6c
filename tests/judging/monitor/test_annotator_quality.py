"""What the monitor says of each annotator: side bias, consistency, severity, speed and gold."""

import re

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from annotate import exclusions
from annotate.models import Annotator, Answer, Assignment, Criterion, Item, Judgment, Response
from judging.monitor import annotator_quality
from judging.monitor import live as monitor
from tests.factories import make_annotator, make_item, make_study
from tests.judging.monitor.rows import work, worked

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> None:
    caches["results"].clear()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("staff", is_staff=True, is_superuser=True))
    return client


# Evidence


def _prefer(seat: Assignment, response: int, strength: int = 1) -> None:
    judgment = Judgment.objects.create(assignment=seat, submitted_at=timezone.now())
    criterion = Criterion.objects.get(study=seat.study_id, kind="preference")
    Answer.objects.create(judgment=judgment, criterion=criterion, response_id=response, value=strength)


def _seat(item: Item, annotator: Annotator, shown: list[int]) -> Assignment:
    number = item.assignments.count() + 1
    return Assignment.objects.create(
        study=item.study, item=item, number=number, status="submitted", annotator=annotator, shown=shown
    )


def test_side_bias_and_consistency_from_swapped_repeats() -> None:
    study = make_study(prompts=3, responses=2, kinds=("pair",), seats=1)
    sided, steady = make_annotator(study, "sided"), make_annotator(study, "steady")
    for original in list(study.items.all()):
        a, b = original.item_responses.values_list("response_id", flat=True)
        again = make_item(
            study,
            original.prompt,
            f"{original.key}-again",
            "pair",
            list(Response.objects.filter(pk__in=[a, b])),
        )
        Item.objects.filter(pk=again.pk).update(role="repeat", repeat_of=original)
        again.refresh_from_db()
        for person, second in ((sided, b), (steady, a)):
            _prefer(_seat(original, person, [a, b]), a)
            _prefer(_seat(again, person, [b, a]), second)
    found = {e.annotator.key: e for e in annotator_quality.annotator_quality(study)}
    assert found["sided"].first_side.estimate == 1
    assert found["sided"].first_side.low == pytest.approx(0.6097, abs=1e-4)  # Wilson, 6 of 6
    assert (found["sided"].same_side.estimate, found["sided"].same_response.estimate) == (1, 0)
    assert (found["sided"].exact.estimate, found["sided"].within_one.estimate) == (0, 0)
    assert (found["steady"].same_side.estimate, found["steady"].same_response.estimate) == (0, 1)
    assert (found["steady"].exact.estimate, found["steady"].exact.n) == (1, 3)
    assert found["steady"].first_side.estimate == 0.5
    assert found["steady"].rest.reason == (
        "fewer than three questions that others answered too and that people disagree on"
    )


def test_correlation_and_severity_leave_the_annotator_out() -> None:
    study = make_study(prompts=1, responses=4, kinds=("single",), seats=3)
    pool = list(Response.objects.filter(study=study).order_by("pk").values_list("pk", flat=True))
    given = {"low": [1, 2, 3, 4], "high": [2, 3, 4, 5], "against": [4, 3, 2, 1]}
    for key, points in given.items():
        work(make_annotator(study, key), dict(zip(pool, points, strict=True)))
    found = {e.annotator.key: e for e in annotator_quality.annotator_quality(study)}
    # The rest of "low" is 3 everywhere: it does not vary.
    assert found["low"].rest.reason == "the answers do not vary"
    assert found["against"].rest.estimate == pytest.approx(-1)
    spread = np.std(list(given.values()), ddof=1)  # of all twelve answers
    assert found["high"].severity.estimate == pytest.approx(-1 / spread, abs=2e-3)
    assert found["low"].severity.estimate == pytest.approx(0.5 / spread, abs=2e-3)
    exclusions.exclude_annotator(found["against"].annotator, "a test")
    after = {e.annotator.key: e for e in annotator_quality.annotator_quality(study)}
    assert after["low"].rest.estimate == pytest.approx(1)
    assert after["against"].rest.estimate == pytest.approx(-1), "held against those who count"
    assert after["against"].items == 4


def test_the_same_answer_again_and_chance() -> None:
    study = make_study(prompts=1, responses=4, kinds=("single",), seats=2)
    pool = list(Response.objects.filter(study=study).order_by("pk").values_list("pk", flat=True))
    work(make_annotator(study, "line"), dict.fromkeys(pool, 3))
    seats_of = work(make_annotator(study, "turns"))
    for n, seat in enumerate(seats_of):
        Answer.objects.filter(judgment__assignment=seat).update(value=[1, 2, 1, 2][n])
    line, turns = annotator_quality.annotator_quality(study)
    assert (line.same_again.estimate, line.same_expected, line.same_again.n) == (1, 1, 3)
    assert turns.same_again.estimate == 0
    assert turns.same_expected == pytest.approx(1 / 3)  # 1 1 2 2 in random order
    assert (line.items, line.active_s) == (4, 1.5)


def test_fast_is_under_a_third_of_what_the_item_takes() -> None:
    study = worked(6, prompts=1, responses=2)
    hurried = Annotator.objects.get(study=study, key="ann0")
    Judgment.objects.filter(assignment__annotator=hurried).update(active_ms=499)
    found = {e.annotator.key: e for e in annotator_quality.annotator_quality(study)}
    assert (found["ann0"].fast.estimate, found["ann1"].fast.estimate) == (1, 0)


def test_nobody_failed_before_the_second_gold_item(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotator_quality, "met", lambda expected, rows: False)
    study = make_study(prompts=1, responses=3, kinds=("single",), seats=2)
    one, two = study.items.order_by("pk")[:2]
    Item.objects.filter(pk=one.pk).update(role="gold", expected={"quality": 5})
    person = make_annotator(study, "ann")
    work(person)
    page = f"/studies/tiny/monitor/annotators/{person.pk}/"
    for path in (page, "/studies/tiny/monitor/"):
        html = staff.get(path).content.decode()
        assert "0 of 1" in html
        assert "fail" not in html.lower()
    caches["results"].clear()
    Item.objects.filter(pk=two.pk).update(role="gold", expected={"quality": 5})
    assert "0 of 2; failed: p0-single-0, p0-single-1" in staff.get(page).content.decode()


def test_the_table_sorts_by_link_with_the_unknown_last(staff: Client) -> None:
    study = worked(3)
    lazy = make_annotator(study, "lazy")
    seat = Assignment.objects.create(
        study=study, item=study.items.earliest("pk"), number=9, status="submitted", annotator=lazy
    )
    Judgment.objects.create(assignment=seat)
    rows = annotator_quality.annotator_quality(study)
    assert [e.annotator.key for e in monitor.ordered(rows, "-active")][-1] == "lazy"
    assert monitor.ordered(rows, "items")[0].annotator.key == "lazy"
    assert monitor.ordered(rows, "nonsense") == monitor.ordered(rows, "annotator")
    html = staff.get("/studies/tiny/monitor/?sort=items").content.decode()
    assert re.findall(r"annotators/\d+/\">(\w+)<", html)[0] == "lazy"
    assert 'aria-sort="ascending"><a href="?sort=-items#people">' in html
