"""Auditors see what was answered and never by whom: every list, page and file that they can open.

People answer one after the other, so ids, times, and any order by them tell one person from another. Here each of
these can be recognized wherever it turns up, so that a new list or page that shows one fails.
"""

import datetime as dt
import io
import random
import re
import uuid
import zipfile
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotate import members
from annotate.api.blinding import made_by_people, number_of, numbered
from annotate.api.lists import StudyViewSet
from annotate.models import Annotator, Answer, Assignment, Criterion, Item, Judgment, Response, Role, Study
from tests.addresses import ROUTES
from tests.factories import make_study
from tests.test_access import ACCESS, ACCOUNT, kwargs_of

pytestmark = pytest.mark.django_db

JUDGMENTS, SEATS, PEOPLE, ANSWERS = (n * 1_000_000 for n in (81, 82, 83, 84))
AMOUNT = 710_000
IDS = re.compile(r"(?<![\w])8[1-4][,.\s]?000[,.\s]?\d{3}(?!\w)")
AMOUNTS = re.compile(r"(?<![\w.])71\d[,\s]?\d{3}(?!\d)")
WORDS = ["known-as", "in-my-own-words", "2031-0", "2031", "2032"]
# What an auditor opens: all that is not for fewer, and not for everybody.
OPENED = sorted(n for n in ROUTES if set(ACCESS[n]) <= {ACCOUNT, Role.AUDITOR} and ACCESS[n])
ASKED = ["", "?format=json", "?page_size=1000", "?sort=human", "?criterion=amount", "?part=live"]


class World:
    """Six people who answer six items each, one after the other; every answer is a number that no other is."""

    def __init__(self) -> None:
        self.study = make_study(prompts=3, responses=12, seats=1, kinds=["single"])
        criteria = {"amount": "number", "words": "text"}
        self.study.criteria.update(position=3)
        for n, (key, kind) in enumerate(criteria.items()):
            Criterion.objects.create(
                study=self.study, key=key, position=n, on="single", kind=kind, text=f"{key}?"
            )
        recognizable_seats(self.study)
        chance = random.Random(5)
        seats = list(self.study.assignments.order_by("pk"))
        chance.shuffle(seats)
        amounts = chance.sample(range(AMOUNT, AMOUNT + 1_000), len(seats))
        self.person = {amount: n // 6 for n, amount in enumerate(amounts)}
        self.turn = {amount: n for n, amount in enumerate(amounts)}
        for n, (seat, amount) in enumerate(zip(seats, amounts, strict=True)):
            self.answer(n, seat, amount)

    def answer(self, n: int, seat: Assignment, amount: int) -> None:
        study, when = self.study, dt.datetime(2031, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=7 * n)
        person, _ = Annotator.objects.get_or_create(
            pk=PEOPLE + n // 6, study=study, key=f"known-as-{n // 6}", stage=Annotator.Stage.WORK
        )
        done = {"status": Assignment.Status.SUBMITTED, "annotator": person, "expires_at": None}
        Assignment.objects.filter(pk=seat.pk).update(**done)
        judgment = Judgment.objects.create(
            pk=JUDGMENTS + n, assignment=seat, client_token=uuid.uuid4(), opened_at=when, submitted_at=when,
            comment="in-my-own-words", flag="in-my-own-words",
        )  # fmt: skip
        (link,) = seat.item.item_responses.all()
        rows: dict[str, dict[str, Any]] = {
            "quality": {"value": 1 + n % 5, "response": link.response},
            "amount": {"value": amount},
            "words": {"text": "in-my-own-words"},
        }
        for place, (key, row) in enumerate(rows.items()):
            criterion = study.criteria.get(key=key)
            Answer.objects.create(pk=ANSWERS + 3 * n + place, judgment=judgment, criterion=criterion, **row)


def recognizable_seats(study: Study) -> None:
    seats = list(study.assignments.order_by("pk"))
    study.assignments.all().delete()
    for n, seat in enumerate(seats):
        seat.pk = SEATS + n
    Assignment.objects.bulk_create(seats)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def auditing(world: World) -> Client:
    client, user = Client(), User.objects.create_user("ada")
    members.add(world.study, user, Role.AUDITOR)
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """All that was sent, archives unpacked."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    if response.headers.get("Content-Type") == "application/zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"\n".join(archive.read(name) for name in archive.namelist())
    return str(content.decode(errors="replace"))


def tells(world: World, text: str) -> list[str]:
    """What in a text says who answered what."""
    faults = [f"the id {found}" for found in IDS.findall(text)]
    faults += [f"the words {word}" for word in WORDS if word in text]
    amounts = [int(re.sub(r"\D", "", found)) for found in AMOUNTS.findall(text)]
    amounts = list(dict.fromkeys(a for a in amounts if a in world.turn))
    if len(amounts) >= 12:
        neighbors = list(pairwise(amounts))
        same = sum(world.person[a] == world.person[b] for a, b in neighbors)
        later = sum(world.turn[a] < world.turn[b] for a, b in neighbors)
        # By chance a sixth and a half.
        faults += [f"one person's rows together: {same}"] * (same > len(neighbors) / 2)
        faults += [f"the order of time: {later}"] * (not 0.15 < later / len(neighbors) < 0.85)
    return faults


def test_what_would_tell_is_recognized(world: World) -> None:
    by_time = [f"{amount:,}" for amount in world.turn]
    assert tells(world, "\n".join(by_time)) == ["one person's rows together: 30", "the order of time: 35"]
    assert tells(world, "\n".join(reversed(by_time)))
    assert tells(world, "\n".join(sorted(by_time))) == []
    assert tells(world, '{"id": 81000003}') == ["the id 81000003"]
    assert tells(world, '<a href="/studies/tiny/seats/82000003/">')


def test_nothing_that_an_auditor_opens_tells_who_is_who(world: World, auditing: Client) -> None:
    faults, opened = {}, set()
    for name in OPENED:
        path = reverse(name, kwargs=kwargs_of(name, world.study, world.study, auditor=True))
        for query in ASKED:
            response = auditing.get(path + query)
            opened |= {name} if response.status_code in (200, 302, 405) else set()
            faults[path + query] = tells(world, text_of(response))
    assert {path: found for path, found in faults.items() if found} == {}
    assert set(OPENED) == opened, "each can be opened in one of these ways"


def rows(client: Client, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"/api/v1/studies/tiny/judgments/{query}")
    assert response.status_code == 200, response.content
    return list(response.json()["results"])


def test_numbers_for_auditors_lead_to_the_same_rows(world: World, auditing: Client) -> None:
    listed, path = [], "/api/v1/studies/tiny/judgments/?page_size=7"
    while path:
        page = auditing.get(path).json()
        listed += page["results"]
        path = page["next"]
    assert len({row["id"] for row in listed}) == len(listed) == 36
    assert [row["id"] for row in listed] == sorted(row["id"] for row in listed)
    assert listed == rows(auditing)
    one = auditing.get(f"/api/v1/studies/tiny/judgments/{listed[3]['id']}/")
    assert one.json() == listed[3]
    assert {row["id"] for row in rows(auditing, "?fields=id")} == {row["id"] for row in listed}
    # Whose number is tried finds nothing by it.
    assert auditing.get(f"/api/v1/studies/tiny/judgments/{JUDGMENTS}/").status_code == 404


def test_the_key_makes_the_numbers(world: World, settings: Any) -> None:
    def numbers() -> list[int]:
        return [number_of(row) for row in numbered(Judgment.objects.order_by("pk"), world.study)]

    before = numbers()
    settings.PSEUDONYM_KEY = "another"
    assert not set(before) & set(numbers())


def test_researchers_see_ids_as_they_are(world: World, client: Client) -> None:
    user = User.objects.create_user("rita")
    members.add(world.study, user, Role.RESEARCHER)
    client.force_login(user)
    assert [row["id"] for row in rows(client)] == [JUDGMENTS + n for n in range(36)]
    assert client.get(f"/api/v1/studies/tiny/judgments/{JUDGMENTS}/").status_code == 200


def test_whose_rows_are_known_by_their_foreign_keys() -> None:
    made = {model.__name__ for model in (Judgment, Answer, Assignment, Annotator) if made_by_people(model)}
    assert made == {"Judgment", "Answer", "Assignment", "Annotator"}
    assert not any(made_by_people(model) for model in (Study, Item, Response, Criterion))


def test_every_filter_is_closed_to_auditors_until_it_says_otherwise(world: World, auditing: Client) -> None:
    """Of lists of what people made: by a filter of times or persons the rest could be found out."""
    views = {name: view_of(name) for name in OPENED if name.startswith("api-")}
    about_people = {n: v for n, v in views.items() if v and made_by_people(v.queryset.model)}
    assert "api-judgments" in about_people
    open_to_auditors = {f for view in about_people.values() for f in view.filterset_class.for_auditors}
    assert open_to_auditors == {"item_id", "current", "counted"}, "none of these tells persons apart"
    for name in ("annotator_id=known-as-1", "submitted_after=2031-01-02T00:00:00Z", "submitted_before=x"):
        assert auditing.get(f"/api/v1/studies/tiny/judgments/?{name}").status_code == 403


def view_of(name: str) -> Any:
    from django.urls import get_resolver

    patterns = [p for p in walk(get_resolver()) if p.name == name]
    view = getattr(patterns[0].callback, "cls", None)
    return view if view and issubclass(view, StudyViewSet) else None


def walk(resolver: Any) -> Any:
    for entry in resolver.url_patterns:
        yield from walk(entry) if hasattr(entry, "url_patterns") else [entry]
