"""The annotator's pages over Django's test client."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotate.models import Annotator, Answer, Assignment, Judgment, Study
from annotate.views.access import invite_path
from tests.factories import make_study

pytestmark = pytest.mark.django_db

FIELD = re.compile(r'name="(c[\d-]+)" value="([^"]+)"')
HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


def join(study: Study) -> Client:
    client = Client()
    client.post(invite_path(study))
    return client


def fill(html: str) -> dict[str, str]:
    """What a person sends who takes the last answer of every question."""
    return dict(HIDDEN.findall(html)) | dict(FIELD.findall(html)) | {"active_ms": "1200"}


def url(study: Study) -> str:
    return f"/rate/{study.slug}/"


def get(client: Client, study: Study) -> str:
    return client.get(url(study), follow=True).content.decode()


def test_invite_to_first_item_without_an_account() -> None:
    study = make_study()
    client = Client()
    page = client.get(invite_path(study)).content.decode()
    assert "Start" in page
    assert Annotator.objects.count() == 0  # looking is not joining
    response = client.post(invite_path(study))
    assert response["Location"] == url(study)
    assert "checked" not in get(client, study)
    assert Annotator.objects.count() == 1


def test_the_same_browser_goes_on_as_the_same_annotator() -> None:
    study = make_study()
    client = join(study)
    client.post(invite_path(study))
    assert Annotator.objects.count() == 1


@pytest.mark.parametrize("token", ["tiny", "tiny:forged", "other:x"])
def test_a_forged_invite_is_refused(token: str) -> None:
    make_study()
    assert Client().get(f"/join/{token}/").status_code == 404


def test_without_an_invitation_nothing_is_shown() -> None:
    study = make_study()
    response = Client().get(url(study))
    assert response.status_code == 403
    assert "Prompt number" not in response.content.decode()


def test_an_invitation_to_one_study_opens_no_other() -> None:
    one, two = make_study("one"), make_study("two")
    client = join(one)
    assert client.get(url(two)).status_code == 403


def test_without_javascript_a_submission_redirects_to_the_next_item() -> None:
    study = make_study()
    client = join(study)
    response = client.post(url(study), fill(get(client, study)))
    assert (response.status_code, response["Location"]) == (302, url(study))
    assert Judgment.objects.count() == 1


def test_with_htmx_one_request_submits_and_brings_the_next_item() -> None:
    study = make_study()
    client = join(study)
    before = get(client, study)
    response = client.post(url(study), fill(before), headers={"HX-Request": "true"})
    after = response.content.decode()
    assert "<html" not in after
    assert "Saved" in after
    assert dict(HIDDEN.findall(after))["assignment"] != dict(HIDDEN.findall(before))["assignment"]
    assert len(after) < 8_000


def test_every_kind_of_item_is_stored_by_response_id() -> None:
    study = make_study(prompts=1)
    client = join(study)
    page = get(client, study)
    while 'class="answer"' in page:
        page = client.post(url(study), fill(page), headers={"HX-Request": "true"}).content.decode()
    answers = Answer.objects.select_related("criterion", "judgment__assignment__item")
    by_key: dict[str, list[Answer]] = {}
    for answer in answers:
        by_key.setdefault(answer.criterion.key, []).append(answer)
    assert {a.value for a in by_key["quality"]} == {5}
    assert len(by_key["grouping"]) == 4
    (preference,) = by_key["preference"]
    assert (preference.response, preference.value, preference.label) == (None, 0, "cannot_tell")
    (similarity,) = by_key["similarity"]
    assert {similarity.response_id, similarity.other_id} == {
        r.response_id for r in similarity.judgment.assignment.item.item_responses.all()
    }


def test_a_preference_names_the_response_whichever_side_it_stood_on() -> None:
    study = make_study(prompts=1, kinds=["pair"], seats=4)
    sides = set()
    for _ in range(4):
        client = join(study)
        page = get(client, study)
        field = next(name for name, value in FIELD.findall(page) if value.endswith(":2"))
        first = next(value for name, value in FIELD.findall(page) if name == field)
        client.post(url(study), fill(page) | {field: first})
        answer = Answer.objects.filter(criterion__key="preference").latest("pk")
        shown = answer.judgment.assignment.shown
        assert shown is not None
        assert answer.response_id == shown[0]
        assert answer.value == 2
        sides.add(answer.response_id)
    assert len(sides) == 2


def test_a_missing_answer_keeps_the_page_and_what_was_chosen() -> None:
    study = make_study(prompts=1, kinds=["pair"])
    client = join(study)
    page = get(client, study)
    sent = fill(page)
    left_out, chosen = sorted({name for name, _ in FIELD.findall(page)})
    del sent[left_out]
    response = client.post(url(study), sent, headers={"HX-Request": "true"})
    html = response.content.decode()
    assert response.status_code == 422
    assert "Please answer this" in html
    assert re.search(rf'name="{chosen}" value="{sent[chosen]}"[^>]* checked', html)
    assert Judgment.objects.count() == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"value": "6"},
        {"value": "2.5"},
        {"value": "nan"},
        {"value": "inf"},
        {"value": "<script>"},
        {"value": "9" * 400},
        {"value": "٣"},
    ],
)
def test_an_answer_off_the_scale_is_refused_and_nothing_stored(bad: dict[str, str]) -> None:
    study = make_study(prompts=1, kinds=["single"])
    client = join(study)
    sent = fill(get(client, study))
    field = next(name for name in sent if re.match(r"c\d", name))
    response = client.post(url(study), sent | {field: bad["value"]})
    assert response.status_code in (422, 302)
    assert Judgment.objects.count() == (0 if response.status_code == 422 else 1)
    assert set(Answer.objects.values_list("value", flat=True)) <= {1.0, 2.0, 3.0, 4.0, 5.0}


@pytest.mark.parametrize(
    "change",
    [{"token": "x"}, {"assignment": "0"}, {"assignment": "x"}, {"revision": ""}, {"assignment": str(2**70)}],
)
def test_a_page_that_is_not_ours_is_told_and_stores_nothing(change: dict[str, str]) -> None:
    study = make_study()
    client = join(study)
    response = client.post(url(study), fill(get(client, study)) | change)
    assert response.status_code == 409
    assert "out of date" in response.content.decode()
    assert Judgment.objects.count() == 0


def test_another_annotators_seat_cannot_be_answered() -> None:
    study = make_study(prompts=1, seats=2, kinds=["pair"])
    one, two = join(study), join(study)
    page = get(one, study)
    get(two, study)
    response = two.post(url(study), fill(page) | {"token": str(uuid.uuid4())})
    seat = Assignment.objects.get(pk=dict(HIDDEN.findall(page))["assignment"])
    assert seat.status == "held"
    assert response.status_code in (302, 409)


def test_the_same_submission_twice_is_stored_once_and_goes_on() -> None:
    study = make_study()
    client = join(study)
    sent = fill(get(client, study))
    answers = [client.post(url(study), sent, headers={"HX-Request": "true"}) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert Judgment.objects.count() == 1


def test_what_an_annotator_must_not_know_reaches_no_page() -> None:
    study = make_study(prompts=1)
    client = join(study)
    page = client.get(invite_path(study))
    texts = [page.content.decode(), str(page.headers)]
    html = get(client, study)
    while 'class="answer"' in html:
        texts.append(html)
        response = client.post(url(study), fill(html), headers={"HX-Request": "true"})
        html = response.content.decode()
        texts += [html, str(response.headers)]
    assert len(texts) > 8
    assert not [t for t in texts if "secret-model" in t or "p0-" in t]


def test_the_end_says_why() -> None:
    study = make_study(prompts=1, seats=1, kinds=["single"])
    first, second = join(study), join(study)
    page = get(first, study)
    assert "Other annotators are working on all that is left, until" in get(second, study)
    while 'class="answer"' in page:
        page = first.post(url(study), fill(page), headers={"HX-Request": "true"}).content.decode()
    assert "Your 4 judgments are saved" in get(first, study)
    assert "enough judgments" in get(second, study)
    assert "This study is full" in Client().get(invite_path(study)).content.decode()


def test_leaving_gives_the_seats_back() -> None:
    study = make_study()
    client = join(study)
    get(client, study)
    assert Assignment.objects.held().exists()
    assert "You stopped" in client.post(f"/rate/{study.slug}/leave/", follow=True).content.decode()
    assert not Assignment.objects.held().exists()


def count_queries(action: Any) -> int:
    with CaptureQueriesContext(connection) as context:
        action()
    return len([q for q in context if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))])


def test_a_submission_costs_few_queries_whatever_the_size() -> None:
    costs = []
    for slug, responses in (("small", 3), ("large", 12)):
        study = make_study(slug, prompts=1, responses=responses, kinds=["single"], seats=8)
        client = join(study)
        sent = fill(get(client, study))
        costs.append(
            count_queries(lambda c=client, s=study, f=sent: c.post(url(s), f, headers={"HX-Request": "true"}))
        )
    assert costs[0] == costs[1]
    assert costs[1] <= 15


def test_a_study_loaded_again_knows_its_annotators() -> None:
    study = make_study()
    client = join(study)
    Annotator.objects.update(id=987_654)  # as after an export and a load: another number, the same name
    assert client.get(url(study)).status_code == 200


def test_a_cookie_of_one_study_is_no_key_to_its_copy() -> None:
    one, two = make_study("one"), make_study("two")
    client = join(one)
    Annotator.objects.create(study=two, key=Annotator.objects.get(study=one).key)
    client.cookies["annotator-two"] = client.cookies["annotator-one"].value
    assert client.get(url(two)).status_code == 403
