"""The landing and the end: what they say, and to whom they are closed."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from annotate import exclusions
from annotate.models import Annotator, Assignment, Judgment, Study
from annotate.views.access import invite_path
from tests.annotate.stages import annotator, see, started, step, study_with, submit
from tests.annotate.test_journey import count_queries, fill, url

pytestmark = pytest.mark.django_db


def test_the_end_shows_the_code_and_the_way_back() -> None:
    study = study_with(completion_codes={"finished": "C&1"}, shape={"responses": 1})
    where, page = submit(started(study), study)
    assert (where, annotator().outcome) == (step(study, "end"), "finished")
    assert "<output" in page
    assert "C&amp;1" in page
    assert 'href="https://app.prolific.com/submissions/complete?cc=C%261"' in page


@pytest.mark.parametrize("address", ["", "javascript:alert(1)//CODE"])
def test_without_a_web_address_there_is_a_code_alone(address: str) -> None:
    study = study_with(completion_codes={"finished": "C1"}, return_url=address, shape={"responses": 1})
    page = submit(started(study), study)[1]
    assert "C1" in page
    assert "javascript:" not in page
    assert "go back to the panel" not in page


def test_a_full_study_says_so_before_consent() -> None:
    study = study_with(
        consent="Agree?", completion_codes={"full": "FULL-1"}, shape={"seats": 1, "responses": 1}
    )
    client = started(study)
    see(client, step(study, "consent"), agree="yes")
    late = Client()
    assert "All places in this study are taken at the moment" in late.get(invite_path(study)).content.decode()
    submit(client, study)
    page = see(late, invite_path(study), go="1")[1]
    assert "This study is full" in page
    assert "FULL-1" in page
    assert "Agree?" not in page
    assert Annotator.objects.count() == 1


def test_who_came_too_late_is_full_and_goes_on_when_a_place_comes_back() -> None:
    study = study_with(completion_codes={"full": "FULL-1"}, shape={"seats": 1, "responses": 1})
    early, late = started(study), started(study)
    early.get(url(study))
    assert "Nothing to do at the moment" in see(late, url(study))[1]
    submit(early, study)
    where, page = see(late, url(study))
    assert (where, "FULL-1" in page) == (step(study, "end"), True)
    assert Annotator.objects.order_by("pk")[1].outcome == "full"
    exclusions.exclude(Judgment.objects.get(), "test")
    assert 'class="answer"' in see(late, url(study))[1]


@pytest.mark.parametrize(
    ("status", "words"), [("paused", "is paused"), ("closed", "is closed"), ("draft", "not opened yet")]
)
def test_a_study_that_is_not_open_says_so_before_consent(status: str, words: str) -> None:
    study = study_with(consent="Agree?", status=status)
    page = see(Client(), invite_path(study), go="1")[1]
    assert words in page
    assert "Agree?" not in page
    assert Annotator.objects.count() == 0


def test_a_pause_keeps_the_answer_at_hand_and_says_so() -> None:
    study = study_with(completion_codes={"left": "LEFT-1"})
    client = started(study)
    sent = fill(client.get(url(study)).content.decode())
    Study.objects.update(status="paused")
    where, page = see(client, url(study), **sent)
    assert Judgment.objects.count() == 1
    assert where == step(study, "end")
    assert "is paused" in page
    assert "LEFT-1" in page
    Study.objects.update(status="open")
    assert 'class="answer"' in see(client, url(study))[1]
    assert see(client, step(study, "end"))[0] == url(study)


def test_the_landing_says_how_much_and_how_long() -> None:
    study = study_with(shape={"responses": 4, "prompts": 2}, session_items=3)
    page = Client().get(invite_path(study)).content.decode()
    assert "8 items" in page
    assert "3 items" in page
    assert "about 1 minute" in page
    Study.objects.update(minutes=25)
    assert "about 25 minutes" in Client().get(invite_path(study)).content.decode()


def test_more_words_take_longer() -> None:
    short = study_with("short", shape={"responses": 20})
    long = study_with("long", shape={"responses": 20, "words": 900})
    minutes = [
        int(re.findall(r"about (\d+) minute", Client().get(invite_path(s)).content.decode())[0])
        for s in (short, long)
    ]
    assert minutes[1] >= 10 * minutes[0] > 0


def test_an_expired_seat_is_open_to_newcomers() -> None:
    study = study_with(shape={"seats": 1, "responses": 1})
    started(study).get(url(study))
    Assignment.objects.held().update(expires_at=timezone.now())
    assert "1 item" in Client().get(invite_path(study)).content.decode()


def test_the_instructions_can_be_read_again() -> None:
    study = study_with(instructions="Read *all*.")
    client = started(study)
    see(client, step(study, "instructions"), go="1")
    where, page = see(client, step(study, "instructions"))
    assert "<em>all</em>" in page
    assert see(client, where, go="1")[0] == url(study)
    assert annotator().stage == "work"


def test_a_page_that_is_too_old_is_refused_in_plain_words() -> None:
    study = study_with()
    client = Client(enforce_csrf_checks=True)
    response = client.post(invite_path(study))
    assert response.status_code == 403
    assert "Open the page again" in response.content.decode()


def test_the_landing_costs_the_same_whatever_the_size() -> None:
    costs = []
    for slug, responses in (("small", 2), ("large", 20)):
        study = study_with(slug, shape={"responses": responses})
        costs.append(count_queries(lambda s=study: Client().get(invite_path(s))))
    assert costs[0] == costs[1]
    assert costs[1] <= 8
