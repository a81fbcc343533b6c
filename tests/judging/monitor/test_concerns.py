"""Who is worth a look, and what somebody answered beside everybody else."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client

from annotate.models import Annotator, Answer, Judgment
from judging.monitor.annotator_quality import AnnotatorQuality, annotator_quality, share
from judging.monitor.beside import beside_others
from judging.monitor.concerns import WORDS, with_concerns
from judging.monitor.live import ordered
from judging.stats import Estimate
from tests.factories import make_annotator, make_study
from tests.judging.monitor.rows import work, worked

pytestmark = pytest.mark.django_db
NONE = Estimate.undefined("nothing", 0)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    caches["results"].clear()


@pytest.fixture
def row() -> AnnotatorQuality:
    """Somebody about whom nothing is unusual."""
    middling = Estimate(0.5, 0.3, 0.7, 40)
    return AnnotatorQuality(
        Annotator(key="a"), 40, 6.0, 9.0, 4, 4, (), middling, middling, middling, middling, middling,
        middling, Estimate(0.0, -0.2, 0.2, 40), share(2, 40, ""), 0.05, share(1, 40, ""),
    )  # fmt: skip


UNUSUAL = {
    "gold": {"gold_met": 1},
    "active": {"active_s": 0.2},
    "fast": {"fast": share(20, 40, "")},
    "again": {"same_again": share(30, 40, "")},
    "first": {"first_side": share(38, 40, "")},
    "rest": {"rest": Estimate(0.0, -0.2, 0.2, 40)},
    "severity": {"severity": Estimate(-1.4, -1.7, -1.1, 40)},
}


def test_nothing_usual_is_a_concern(row: AnnotatorQuality) -> None:
    assert [r.concerns for r in with_concerns([row, row, row])] == [{}, {}, {}]


@pytest.mark.parametrize("name", WORDS)
def test_each_concern_has_its_reason(row: AnnotatorQuality, name: str) -> None:
    odd = replace(row, **UNUSUAL[name])  # type: ignore[arg-type]
    assert with_concerns([odd, row, row])[0].concerns == {name: WORDS[name]}


def test_an_interval_that_reaches_the_usual_is_none(row: AnnotatorQuality) -> None:
    few = replace(row, fast=share(2, 4, ""), first_side=share(4, 4, ""), gold=1, gold_met=0, rest=NONE)
    assert with_concerns([few, row, row])[0].concerns == {}


def test_those_worth_a_look_come_first(row: AnnotatorQuality) -> None:
    odd = replace(row, annotator=Annotator(key="z"), concerns={"gold": WORDS["gold"]})
    assert [r.annotator.key for r in ordered([row, odd], "-concern")] == ["z", "a"]


def test_the_monitor_and_the_annotators_page_say_so(client: Client) -> None:
    client.force_login(User.objects.create_superuser("staff"))
    study = worked(3)
    Judgment.objects.filter(assignment__annotator__key="ann2").update(active_ms=200)
    assert [r.annotator.key for r in with_concerns(annotator_quality(study)) if r.concerns] == ["ann2"]
    page = client.get("/studies/tiny/monitor/").content.decode()
    assert page.index("annotators/", page.index('id="people"')) == page.index(
        f"annotators/{Annotator.objects.get(key='ann2').pk}/", page.index('id="people"')
    )
    assert 'class="n unusual"' in page
    assert "under a second an item" in page
    own = client.get(
        f"/studies/tiny/monitor/annotators/{Annotator.objects.get(key='ann2').pk}/"
    ).content.decode()
    assert "Worth a look:" in own


def test_answers_stand_beside_the_mean_of_everybody_else() -> None:
    study = make_study(prompts=1, responses=2, kinds=("single",), seats=4)
    pool = [r.pk for r in study.responses.order_by("pk")]
    for n in range(4):
        work(make_annotator(study, f"ann{n}"), {pool[0]: n + 1, pool[1]: 5})
    person = Annotator.objects.get(key="ann3")
    listed = list(Judgment.objects.filter(assignment__annotator=person))
    rows = [b for each in beside_others(person, listed).values() for b in each]
    quality = {(b.value, b.others, b.n) for b in rows if b.criterion.kind == "rating"}
    assert quality == {(4.0, 2.0, 3), (5.0, 5.0, 3)}
    Judgment.objects.filter(assignment__annotator__key="ann0").update(excluded="a test")
    rows = [b for each in beside_others(person, listed).values() for b in each]
    assert (4.0, 2.5, 2) in {(b.value, b.others, b.n) for b in rows}
    assert Answer.objects.count() == 8
