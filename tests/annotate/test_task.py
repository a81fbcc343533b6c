"""Drafts, the page ahead, back and edit, remarks and measures over Django's test client."""

import json
import uuid

import pytest
from django.test import Client

from annotate.models import Answer, Assignment, Criterion, Draft, Judgment, Study
from annotate.templatetags.texts import direction, response_markdown
from tests.annotate.test_journey import HIDDEN, fill, get, join, url
from tests.factories import make_study

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}


def seat(html: str) -> str:
    return str(dict(HIDDEN.findall(html))["assignment"])


def send(client: Client, study: Study, fields: dict[str, str], **headers: str) -> str:
    return str(client.post(url(study), fields, headers=HX | headers).content.decode())


def ahead(client: Client, study: Study, html: str) -> str:
    return str(client.get(f"{url(study)}ahead/?after={seat(html)}", headers=HX).content.decode())


def test_the_page_ahead_is_the_one_that_comes() -> None:
    study = make_study()
    client = join(study)
    first = get(client, study)
    following = ahead(client, study, first)
    assert "<html" not in following
    assert "Item 2 of " in following
    assert seat(send(client, study, fill(first))) == seat(following)


def test_who_shows_the_next_page_already_gets_no_second() -> None:
    study = make_study()
    client = join(study)
    first = get(client, study)
    shown = seat(ahead(client, study, first))
    response = client.post(url(study), fill(first), headers=HX | {"X-Ahead": shown})
    assert set(response.json()) == {"saved_at"}


def test_nothing_is_ahead_at_the_end_and_before_a_break() -> None:
    study = make_study(prompts=1, kinds=["pair"])
    client = join(study)
    assert client.get(f"{url(study)}ahead/?after={seat(get(client, study))}").status_code == 204
    other = make_study("other")
    Study.objects.filter(pk=other.pk).update(break_after=1)
    client = join(other)
    assert client.get(f"{url(other)}ahead/?after={seat(get(client, other))}").status_code == 204


@pytest.mark.parametrize("after", ["", "x", "0", "9" * 30, "²"])
def test_a_strange_question_for_the_page_ahead_is_answered_calmly(after: str) -> None:
    study = make_study()
    client = join(study)
    get(client, study)
    assert client.get(f"{url(study)}ahead/", {"after": after}).status_code in (200, 204)


def test_a_draft_fills_the_page_and_goes_with_the_submission() -> None:
    study = make_study(prompts=1, kinds=["single"])
    client = join(study)
    page = get(client, study)
    assert client.post(f"{url(study)}draft/", fill(page) | {"spam": "x"}).status_code == 200
    assert "spam" not in Draft.objects.get().fields
    assert " checked" in get(client, study)
    send(client, study, fill(page))
    assert not Draft.objects.exists()
    assert client.post(f"{url(study)}draft/", fill(page)).status_code == 409
    assert not Draft.objects.exists()


def test_nobody_writes_into_anothers_draft() -> None:
    study = make_study()
    one, two = join(study), join(study)
    page = get(one, study)
    get(two, study)
    assert two.post(f"{url(study)}draft/", fill(page)).status_code == 409
    assert Client().post(f"{url(study)}draft/", fill(page)).status_code == 403


def test_back_and_edit_makes_a_revision_and_goes_on() -> None:
    study = make_study(prompts=1, kinds=["single"])
    client = join(study)
    first = get(client, study)
    second = send(client, study, fill(first))
    again = client.get(f"{url(study)}back/?before={seat(second)}").content.decode()
    assert seat(again) == seat(first)
    assert 'value="5" data-key="5" checked' in again
    field = next(name for name in fill(again) if name.startswith("c") and name[1].isdigit())
    after = send(client, study, fill(again) | {field: "2"})
    assert seat(after) == seat(second)
    kept = Judgment.objects.filter(assignment=int(seat(first))).order_by("revision")
    assert [(j.revision, j.answers.get().value) for j in kept] == [(1, 5), (2, 2)]


def test_after_the_window_the_page_before_stays_as_it_is() -> None:
    study = make_study(prompts=1, kinds=["single"])
    client = join(study)
    second = send(client, study, fill(get(client, study)))
    Study.objects.filter(pk=study.pk).update(edit_minutes=0)
    page = client.get(f"{url(study)}back/?before={seat(second)}", follow=True).content.decode()
    assert seat(page) == seat(second)
    assert "no earlier page" in page


def test_a_stale_page_gives_the_words_back() -> None:
    study = make_study(prompts=1, kinds=["single"])
    Study.objects.filter(pk=study.pk).update(allow_comment=True)
    client = join(study)
    page = get(client, study)
    send(client, study, fill(page))
    late = fill(page) | {"token": str(uuid.uuid4()), "comment": "my <precious> words"}
    response = client.post(url(study), late)
    assert response.status_code == 409
    assert "my &lt;precious&gt; words" in response.content.decode()


def test_a_stale_last_page_gives_the_words_back_too() -> None:
    study = make_study(prompts=1, kinds=["pair"])
    client = join(study)
    page = get(client, study)
    client.post(url(study), fill(page))
    response = client.post(url(study), fill(page) | {"token": str(uuid.uuid4()), "flag": "words"}, headers=HX)
    assert response.status_code == 409
    assert "words" in response.content.decode()


def test_words_have_a_limit_that_the_field_tells() -> None:
    study = make_study(kinds=("single",))
    Criterion.objects.create(study=study, key="why", position=9, on="single", kind="text", text="Why?")
    Study.objects.update(allow_comment=True, allow_flag=True)
    client = join(study)
    html = get(client, study)
    assert html.count('maxlength="20000"') == 3, "the question, the comment, the flag"
    why = f"c{Criterion.objects.get(key='why').pk}"
    # A browser counts a line break as one letter and sends two.
    longest = "line\r\n" * 4_000
    for name in (why, "comment", "flag"):
        long = fill(html) | {name: longest + "x" * 5}
        answer = client.post(url(study), long)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert page.count("This is too long: 20,000 characters at most.") == 1
        assert "line\r\nline" in page or "line\nline" in page, "nothing that was typed is lost"
    assert not Judgment.objects.exists()
    assert client.post(url(study), fill(html) | {why: longest}).status_code == 302
    assert len(Answer.objects.get(criterion__key="why").text) == 4_000 * 5 - 1


def test_remarks_and_skipping_only_where_the_study_allows_them() -> None:
    study = make_study(prompts=1, kinds=["single"])
    client = join(study)
    page = get(client, study)
    assert 'name="skip"' not in page
    assert client.post(url(study), {**dict(HIDDEN.findall(page)), "skip": "1"}).status_code == 422
    send(client, study, fill(page) | {"flag": "x", "comment": "y"})
    stored = Judgment.objects.get()
    assert (stored.flag, stored.comment, stored.excluded) == ("", "", "")
    Study.objects.filter(pk=study.pk).update(allow_skip=True, allow_flag=True, allow_comment=True)
    page = get(client, study)
    send(client, study, dict(HIDDEN.findall(page)) | {"skip": "1", "flag": "bad\0", "comment": "why"})
    skipped = Judgment.objects.latest("pk")
    assert (skipped.flag, skipped.comment, skipped.excluded) == ("bad", "why", "skipped")
    assert not skipped.answers.exists()


@pytest.mark.parametrize("looked", ["", "[1]", "{", '{"0": 3}', '{"x": "y"}', "[" * 9999])
def test_measures_are_stored_and_nonsense_is_not(looked: str) -> None:
    study = make_study(prompts=1, kinds=["single"])
    client = join(study)
    page = get(client, study)
    sent = fill(page) | {"first_ms": "340", "changes": "2", "looked": looked}
    send(client, study, sent)
    stored = Judgment.objects.get()
    assert (stored.active_ms, stored.first_ms, stored.changes, stored.looked) == (1200, 340, 2, None)


def test_only_responses_that_were_shown_were_looked_at() -> None:
    study = make_study(prompts=1, kinds=["single"])
    client = join(study)
    page = get(client, study)
    shown = (Assignment.objects.get(pk=seat(page)).shown or [])[0]
    send(client, study, fill(page) | {"looked": f'{{"{shown}": 4, "999999": 1}}'})
    assert Judgment.objects.get().looked == {str(shown): 4}


def reading_study(**fields: bool) -> tuple[Study, Client, str, list[int]]:
    study = make_study(prompts=2, kinds=["pair"])
    Study.objects.filter(pk=study.pk).update(require_reading=True, **fields)
    client = join(study)
    page = get(client, study)
    return study, client, page, Assignment.objects.get(pk=seat(page)).shown or []


def test_what_was_read_to_its_end_is_kept() -> None:
    study, client, page, shown = reading_study()
    Study.objects.update(require_reading=False)
    send(client, study, fill(page) | {"read_to_end": json.dumps([shown[1], 999_999, "x", True])})
    assert Judgment.objects.get().read_to_end == [shown[1]]
    back = client.get(f"{url(study)}back/", follow=True).content.decode()
    assert f'name="read_to_end" value="[{shown[1]}]"' in back


def test_where_reading_is_required_nothing_is_taken_before_every_end_was_seen() -> None:
    study, client, page, shown = reading_study()
    response = client.post(url(study), fill(page) | {"read_to_end": json.dumps(shown[:1])}, headers=HX)
    assert response.status_code == 422
    [first, second] = response.content.decode().split('<section class="card"')[1:]
    assert "Please read this response to its end." not in first
    assert "Please read this response to its end." in second
    assert not Judgment.objects.exists()
    send(client, study, fill(page) | {"read_to_end": json.dumps(shown)})
    assert Judgment.objects.get().read_to_end == sorted(shown)


@pytest.mark.parametrize("said", ["", "{", "3"])
def test_where_reading_is_required_a_browser_without_script_is_not_locked_out(said: str) -> None:
    study, client, page, _ = reading_study()
    send(client, study, fill(page) | {"read_to_end": said})
    assert Judgment.objects.get().read_to_end is None


def test_where_reading_is_required_an_item_may_still_be_skipped() -> None:
    study, client, page, _ = reading_study(allow_skip=True)
    send(client, study, dict(HIDDEN.findall(page)) | {"skip": "1", "read_to_end": "[]"})
    assert Judgment.objects.get().excluded == "skipped"


def test_a_response_in_markdown_is_safe_and_leads_nowhere() -> None:
    html = response_markdown(
        "# Big\n\n[a link](https://evil.example) ![an image](https://evil.example/x.png) <b onclick=x>y</b>\n\n- *one*"
    )
    assert "a link (https://evil.example) ![an image](https://evil.example/x.png)" in html
    assert "href" not in html
    assert "<h3>Big</h3>" in html
    assert "<em>one</em>" in html
    assert "<a" not in html
    assert "<img" not in html
    assert "<b" not in html


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ar", "rtl"), ("he-IL", "rtl"), ("en", "auto"), ("az-Arab", "rtl"), ("ar-Latn", "auto"), ("", "auto")],
)
def test_the_direction_is_that_of_the_language(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_a_page_that_was_never_offered_cannot_be_asked_for_by_number() -> None:
    study = make_study(prompts=2, seats=1, kinds=["single"])
    one, two = join(study), join(study)
    theirs = seat(get(one, study))
    forged = fill(get(two, study)) | {"assignment": theirs, "token": str(uuid.uuid4())}
    text = Assignment.objects.get(pk=theirs).item.item_responses.get().response.text
    response = two.post(url(study), {k: v for k, v in forged.items() if not k.startswith("c")}, headers=HX)
    assert response.status_code == 409
    assert text not in response.content.decode()
    assert Judgment.objects.count() == 0


def test_a_page_whose_seat_ran_out_is_still_taken() -> None:
    study = make_study(prompts=1, seats=1, kinds=["single"])
    client = join(study)
    sent = fill(get(client, study))
    Assignment.objects.held().update(status="free", annotator=None, expires_at=None)
    assert client.post(url(study), sent, headers=HX).status_code == 200
    assert Judgment.objects.count() == 1
