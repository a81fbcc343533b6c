"""Each step between invite and thanks, and what a reload, the back button or another device finds there."""

import re
from typing import Any

import pytest
from django.test import Client

from annotate import visits
from annotate.models import Annotator, Assignment, Item, Judgment, Study
from annotate.views.access import invite_path
from tests.annotate.stages import CHECKS, add_practice, annotator, see, started, step, study_with, submit
from tests.annotate.test_journey import HIDDEN, fill, url

pytestmark = pytest.mark.django_db


def test_the_way_through_all_steps() -> None:
    study = study_with(consent="Agree?", instructions="Read *all*.", checks=CHECKS)
    add_practice(study, {"quality": [5]})
    client = Client()
    where, page = see(client, invite_path(study), go="1")
    assert where == step(study, "consent")
    assert "Agree?" in page
    assert "Step 1 of 5" in page
    where, page = see(client, where, agree="yes")
    assert where == step(study, "instructions")
    assert "<em>all</em>" in page
    where, page = see(client, where, go="1")
    assert where == step(study, "check")
    where, page = see(client, where, q0="1", q1="0", tries="0")
    assert where == url(study)
    where, page = see(client, where, **fill(page))
    assert "/practice/" in where
    assert "that’s right" in page
    assert annotator().stage == "practice"
    page = client.get(url(study)).content.decode()
    assert annotator().stage == "work"
    assert annotator().consented_at is not None
    seat = Assignment.objects.get(pk=dict(HIDDEN.findall(page))["assignment"])
    assert seat.item.role == "main"


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({}, ""),
        ({"consent": " "}, ""),
        ({"instructions": "Read."}, "instructions/"),
        ({"checks": CHECKS}, "check/"),
        ({"consent": "Agree?", "checks": CHECKS}, "consent/"),
    ],
)
def test_steps_without_content_are_skipped(fields: dict[str, Any], first: str) -> None:
    study = study_with(**fields)
    client = Client()
    assert see(client, invite_path(study), go="1")[0] == url(study) + first


@pytest.mark.parametrize("name", ["", "instructions/", "check/", "break/", "end/"])
def test_nobody_jumps_over_consent(name: str) -> None:
    study = study_with(consent="Agree?", instructions="Read.", checks=CHECKS)
    client = started(study)
    assert see(client, url(study) + name)[0] == step(study, "consent")
    assert not Assignment.objects.held().exists()


def test_an_item_cannot_be_answered_before_consent() -> None:
    study = study_with(consent="Agree?")
    helper = study_with("other")
    sent = fill(started(helper).get(url(helper)).content.decode())
    client = started(study)
    assert see(client, url(study), **sent)[0] == step(study, "consent")
    assert Judgment.objects.count() == 0


def test_a_double_click_moves_one_step() -> None:
    study = study_with(consent="Agree?", instructions="Read.", checks=CHECKS)
    client = started(study)
    for _ in range(2):
        assert see(client, step(study, "consent"), agree="yes")[0] == step(study, "instructions")


def test_who_does_not_agree_is_let_go_and_may_think_again() -> None:
    study = study_with(consent="Agree?", completion_codes={"no_consent": "NO-1"})
    client = started(study)
    where, page = see(client, step(study, "consent"), agree="no")
    assert (where, annotator().outcome) == (step(study, "end"), "no_consent")
    assert "NO-1" in page
    assert see(client, url(study))[0] == step(study, "end")
    assert see(client, invite_path(study), go="1")[0] == step(study, "end")
    assert see(client, step(study, "resume"), go="1")[0] == step(study, "consent")


def test_a_wrong_answer_is_named_and_may_be_tried_again() -> None:
    study = study_with(checks=CHECKS, instructions="Read.")
    client = started(study)
    see(client, step(study, "instructions"), go="1")
    response = client.post(step(study, "check"), {"q0": "0", "q1": "0", "tries": "0"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "“Always” is not right" in page
    assert "“Yours”" not in page
    assert "You have 1 try" in page
    assert re.findall(r'name="(q\d)" value="\d"[^>]*checked', page) == ["q1"]
    assert see(client, step(study, "check"), q0="1", q1="0", tries="1")[0] == url(study)


def test_an_open_question_costs_no_try() -> None:
    study = study_with(checks=CHECKS)
    response = started(study).post(step(study, "check"), {"q0": "0", "tries": "0"})
    assert "Please answer this" in response.content.decode()
    assert annotator().tries == 0


def test_after_the_last_try_it_ends_and_stays_ended() -> None:
    study = study_with(checks=CHECKS, completion_codes={"screened_out": "OUT-1", "finished": "FIN-1"})
    client = started(study)
    see(client, step(study, "check"), q0="0", q1="0", tries="0")
    where, page = see(client, step(study, "check"), q0="0", q1="0", tries="1")
    assert (where, annotator().outcome) == (step(study, "end"), "screened_out")
    assert "OUT-1" in page
    assert "FIN-1" not in page
    for path in (step(study, "resume"), invite_path(study)):
        assert see(client, path, go="1")[0] == step(study, "end")


def test_one_try_sent_twice_counts_once() -> None:
    study = study_with(checks=CHECKS)
    client = started(study)
    for _ in range(3):
        see(client, step(study, "check"), q0="0", q1="0", tries="0")
    assert (annotator().tries, annotator().stage) == (1, "check")


def test_practice_says_what_was_expected_and_offers_another_try() -> None:
    study = study_with()
    add_practice(study, {"quality": [1, 2], "explain": "It is **dull**."})
    client = started(study)
    where, page = submit(client, study)
    assert "Not quite" in page
    assert "1 or 2" in page
    assert "<strong>dull</strong>" in page
    assert "1 or 2" in see(client, where)[1]  # a reload shows the same
    again = re.findall(r'href="([^"]*again=\d+)"', page)[0]
    form = client.get(again).content.decode()
    field = next(name for name in fill(form) if name.startswith("c") and name[1].isdecimal())
    where, page = see(client, url(study), **fill(form) | {field: "2"})
    assert "that’s right" in page
    assert Judgment.objects.count() == 2
    client.get(url(study))
    assert annotator().stage == "work"


def test_practice_names_no_source() -> None:
    study = study_with(shape={"kinds": ["single"]})
    item = add_practice(study, None)
    key = item.item_responses.get().response.key
    Item.objects.filter(pk=item.pk).update(expected={"quality": {key: 1}})
    page = submit(started(study), study)[1]
    assert "Not quite" in page
    assert "secret-model" not in page


def test_several_practice_items_come_one_after_the_other() -> None:
    study = study_with()
    for n in range(2):
        add_practice(study, None, f"practice-{n}")
    client = started(study)
    assert "1 practice item is left" in submit(client, study)[1]
    assert "Practice done" in submit(client, study)[1]
    client.get(url(study))
    assert annotator().stage == "work"
    assert Assignment.objects.submitted().count() == 2
    assert visits.done(annotator()) == 0  # practice is no work


def test_practice_of_others_is_not_shown() -> None:
    study = study_with()
    add_practice(study, None)
    where, _ = submit(started(study), study)
    other = started(study)
    assert other.get(where).status_code == 404


def test_a_break_comes_every_so_many_items() -> None:
    study = study_with(break_after=2, shape={"responses": 5})
    client = started(study)
    ends = [submit(client, study)[0] for _ in range(5)]
    work, pause = url(study), step(study, "break")
    assert ends == [work, pause, work, pause, step(study, "end")]


def test_a_break_survives_a_reload_and_goes_on() -> None:
    study = study_with(break_after=1, shape={"responses": 3})
    client = started(study)
    where, page = submit(client, study)
    assert "You have done 1 item" in page
    assert "2 more are left" in page
    assert see(client, where)[1].count("You have done 1 item") == 1
    assert 'class="answer"' in see(client, url(study))[1]


def test_with_htmx_the_browser_is_sent_to_the_break() -> None:
    study = study_with(break_after=1)
    client = started(study)
    response = client.post(
        url(study), fill(client.get(url(study)).content.decode()), headers={"HX-Request": "true"}
    )
    assert response["HX-Redirect"] == step(study, "break")


def test_another_device_goes_on_with_the_personal_link() -> None:
    study = study_with(break_after=1)
    first = started(study)
    page = submit(first, study)[1]
    personal = re.findall(r'value="(http://[^"]+as=[^"]+)"', page)[0].removeprefix("http://testserver")
    second = Client()
    assert "Welcome back" in second.get(personal).content.decode()
    second.post(personal)
    assert Annotator.objects.count() == 1
    held = dict(HIDDEN.findall(second.get(url(study)).content.decode()))["assignment"]
    assert dict(HIDDEN.findall(first.get(url(study)).content.decode()))["assignment"] == held


def test_a_personal_link_of_another_study_or_changed_names_nobody() -> None:
    study, other = study_with(break_after=1), study_with("other")
    page = submit(started(study), study)[1]
    token = re.findall(r"as=([^\"]+)\"", page)[0]
    for path in (f"{invite_path(other)}?as={token}", f"{invite_path(study)}?as={token}x"):
        assert "Welcome back" not in Client().get(path).content.decode()


def test_leaving_early_keeps_what_was_given_and_coming_back_goes_on() -> None:
    study = study_with(completion_codes={"left": "LEFT-1"})
    client = started(study)
    submit(client, study)
    where, page = see(client, step(study, "leave"), go="1")
    assert where == step(study, "end")
    assert "Your 1 judgment is saved" in page
    assert "LEFT-1" in page
    assert annotator().outcome == "left"
    assert not Assignment.objects.held().exists()
    assert see(client, where)[1].count("You stopped") == 1
    assert see(client, invite_path(study), go="1")[0] == url(study)
    assert (annotator().stage, annotator().outcome) == ("work", "")
    assert Judgment.objects.count() == 1


def test_an_answer_that_comes_after_leaving_is_kept() -> None:
    study = study_with()
    client = started(study)
    sent = fill(client.get(url(study)).content.decode())
    see(client, step(study, "leave"), go="1")
    see(client, url(study), **sent)
    assert Judgment.objects.count() == 1


def said(page: str) -> str:
    return re.sub(r"\s+", " ", re.findall(r"data-progress>([^<]+)<", page)[0]).strip()


def test_pages_say_which_item_of_the_visit_and_which_practice_item_they_are() -> None:
    study = study_with(session_items=23, shape={"prompts": 1, "responses": 30})
    for n in range(2):
        add_practice(study, None, f"practice-{n}")
    client = started(study)
    lines = []
    for _ in range(5):
        page = client.get(url(study), follow=True).content.decode()
        lines.append(said(page))
        assert ("does not count" in page) == lines[-1].startswith("Practice")
        submit(client, study)
    # More than one block of seats is held at once: what counts is the visit.
    assert lines == ["Practice 1 of 2", "Practice 2 of 2", "Item 1 of 23", "Item 2 of 23", "Item 3 of 23"]
    assert said(client.get(step(study, "back"), follow=True).content.decode()) == "Item 3 of 23"
    assert 'value="2" max="23"' in client.get(step(study, "back"), follow=True).content.decode()


def test_a_visit_says_no_more_items_than_there_are() -> None:
    client = started(study_with(session_items=30, shape={"responses": 4}))
    assert said(client.get("/rate/tiny/", follow=True).content.decode()) == "Item 1 of 4"


def options(client: Client, study: Study) -> list[str]:
    page = client.get(step(study, "check")).content.decode()
    return re.findall(r'name="q0" value="(\d)"', page)


def test_options_of_checks_come_in_an_order_of_the_annotators_own() -> None:
    check = {"text": "Which?", "options": ["a", "b", "c", "d"], "right": 0}
    study = study_with(checks=[check])
    clients = [started(study) for _ in range(12)]
    orders = [options(client, study) for client in clients]
    assert all(sorted(order) == ["0", "1", "2", "3"] for order in orders)
    assert len({order[0] for order in orders}) > 1
    assert orders == [options(client, study) for client in clients]
    assert see(clients[0], step(study, "check"), q0="0", tries="0")[0] == url(study)
