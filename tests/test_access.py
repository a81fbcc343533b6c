"""Every address × everybody who might ask for it: who is let in, and who is refused.

An address that is not in `ACCESS` fails `test_every_address_is_listed`: whoever adds a page, a fragment, an export
or an API call says here whom it is for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from annotate import members, seats
from annotate.api.blinding import made_by_people, number_of, numbered
from annotate.folder.problems import Problem
from annotate.models import (
    Annotator,
    ApiToken,
    Assignment,
    Criterion,
    Item,
    Judgment,
    Membership,
    Role,
    Study,
)
from annotate.views.access import invite_path, remember
from judging.exports import export_jobs
from judging.imports import bad_rows
from judging.models import ScoreRun, ScoringTask
from judging.results import COMPUTED
from tests.addresses import ROUTES
from tests.factories import make_study

pytestmark = pytest.mark.django_db

# Whom an address is for, beside the roles of a study's members.
PUBLIC, ACCOUNT, STAFF, ANNOTATOR = "everybody", "any account", "staff accounts", "annotators of this study"
NOBODY = "nobody"
AUDITOR, RESEARCHER, OWNER = Role.AUDITOR, Role.RESEARCHER, Role.OWNER

# Name of the address: whom it is for; several conditions hold together.
ACCESS: dict[str, tuple[str, ...]] = {
    "home": (PUBLIC,),
    **dict.fromkeys(["healthz", "readyz"], (PUBLIC,)),
    "metrics": (STAFF,),
    **dict.fromkeys(["login", "account_login", "logout", "account_logout", "account_inactive"], (PUBLIC,)),
    "mfa_authenticate": (PUBLIC,),
    "mfa_index": (ACCOUNT,),
    "mfa_activate_totp": (ACCOUNT,),
    "mfa_generate_recovery_codes": (ACCOUNT,),
    "account_change_password": (ACCOUNT,),
    # Of an account with a password or a second factor; nobody here has either.
    "account_reauthenticate": (NOBODY,),
    "mfa_reauthenticate": (NOBODY,),
    "mfa_deactivate_totp": (NOBODY,),
    "mfa_view_recovery_codes": (NOBODY,),
    "mfa_download_recovery_codes": (NOBODY,),
    "account_set_password": (NOBODY,),
    **dict.fromkeys(["methods", "methods-topic"], (PUBLIC,)),
    "join": (PUBLIC,),
    "task": (ANNOTATOR,),
    "ahead": (ANNOTATOR,),
    "back": (ANNOTATOR,),
    "draft": (ANNOTATOR,),
    "consent": (ANNOTATOR,),
    "instructions": (ANNOTATOR,),
    "check": (ANNOTATOR,),
    "practice": (ANNOTATOR,),
    "break": (ANNOTATOR,),
    "leave": (ANNOTATOR,),
    "resume": (ANNOTATOR,),
    "end": (ANNOTATOR,),
    "studies": (ACCOUNT,),
    "new-study": (STAFF,),
    "markdown": (ACCOUNT,),
    "upload": (STAFF,),
    "import": (STAFF,),
    "import-look": (STAFF,),
    "import-left-out": (STAFF,),
    "exports": (RESEARCHER,),
    "download-export": (RESEARCHER,),
    "study": (AUDITOR,),
    "agreement-items": (AUDITOR,),
    "agreement-annotators": (RESEARCHER,),
    "prompt-map": (AUDITOR,),
    **dict.fromkeys(["glance", "report"], (AUDITOR,)),
    "report-file": (AUDITOR,),
    "report-folder": (AUDITOR,),
    "responses": (AUDITOR,),
    "response": (AUDITOR,),
    "planning": (AUDITOR,),
    # An auditor points the application at machines: runs cost money, but change no study. What files bring does.
    **dict.fromkeys(["runs", "start-run", "run", "cancel-run", "try-judge"], (AUDITOR,)),
    **dict.fromkeys(
        ["scores-files", "scores-look", "scores-left-out", "left-out", "batch-write", "batch-read"],
        (RESEARCHER,),
    ),
    "move-study": (RESEARCHER,),
    **dict.fromkeys(["rehearse", "end-rehearsal"], (RESEARCHER,)),
    "clone": (RESEARCHER, STAFF),
    "settings": (RESEARCHER,),
    "criteria": (RESEARCHER,),
    "new-criterion": (RESEARCHER,),
    "preview-criterion": (RESEARCHER,),
    "criterion": (RESEARCHER,),
    "move-criterion": (RESEARCHER,),
    "remove-criterion": (RESEARCHER,),
    **dict.fromkeys(["pool", "pool-preview"], (RESEARCHER,)),
    "leaks": (RESEARCHER,),
    "hold-back": (RESEARCHER,),
    "items": (RESEARCHER,),
    "plant": (RESEARCHER,),
    "strata": (RESEARCHER,),
    "repeat-items": (RESEARCHER,),
    "remove-items": (RESEARCHER,),
    **dict.fromkeys(["webhooks", "webhook"], (RESEARCHER,)),
    "links": (RESEARCHER,),
    "submissions": (RESEARCHER,),
    "revoke-link": (RESEARCHER,),
    "monitor": (RESEARCHER,),
    "monitor-annotator": (RESEARCHER,),
    "exclude-annotator": (RESEARCHER,),
    "readmit-annotator": (RESEARCHER,),
    "monitor-judgment": (RESEARCHER,),
    "exclude-judgment": (RESEARCHER,),
    "readmit-judgment": (RESEARCHER,),
    "tokens": (ACCOUNT,),
    # Of one's own; nobody here has any.
    "revoke-token": (NOBODY,),
    # The way in and the documentation of the API tell nothing of any study.
    **dict.fromkeys(["api-root", "api-schema", "api-docs"], (PUBLIC,)),
    "api-nothing": (NOBODY,),
    **dict.fromkeys(["api-studies", "api-scorers"], (ACCOUNT,)),
    **dict.fromkeys(["api-study", "api-prompts", "api-prompt", "api-responses", "api-response"], (AUDITOR,)),
    **dict.fromkeys(["api-items", "api-item", "api-seats", "api-judgments", "api-judgment"], (AUDITOR,)),
    **dict.fromkeys(["api-annotators", "api-annotator"], (RESEARCHER,)),
    **dict.fromkeys(["api-stored-list", "api-stored", "api-runs", "api-run"], (AUDITOR,)),
    **dict.fromkeys(["api-scores", "api-verdicts"], (AUDITOR,)),
    **{name: (AUDITOR,) for result in COMPUTED for name in (result, f"api-{result}")},
    **dict.fromkeys(["api-exports", "api-export", "api-export-file"], (RESEARCHER,)),
    "members": (OWNER,),
    "change-member": (OWNER,),
    "delete": (OWNER,),
    "trail": (OWNER,),
}
# Where sending something is for fewer than looking is.
SENDS: dict[str, tuple[str, ...]] = {
    "api-studies": (STAFF,),
    **dict.fromkeys(["api-prompts", "api-responses", "api-items", "api-scores"], (RESEARCHER,)),
}


def list_left_out(study: Study) -> str:
    bad_rows.keep(study, [Problem("f.csv", 2, "r", "a number", "good")])
    return bad_rows.kept(study)[0]


def made_export(study: Study) -> str:
    name = export_jobs.order(study, "folder", escape=True)
    export_jobs.make(study, name)
    return name


def made_token(study: Study) -> ApiToken:
    user, _ = User.objects.get_or_create(username="who-made-a-token")
    return user.api_tokens.first() or ApiToken.make(user, "test", "read", 1)[0]


# What the further parts of an address name, in the study it is about.
OBJECTS: dict[str, Callable[[Study], Any]] = {
    "topic": lambda _: "audit",
    "api-prompt:key": lambda study: study.prompts.all()[0].key,
    "api-response:key": lambda study: study.responses.all()[0].key,
    "api-item:key": lambda study: study.items.all()[0].key,
    "api-annotator:key": lambda study: study.annotators.all()[0].key,
    "token": lambda study: invite_path(study).split("/")[-2],
    "section": lambda study: "texts",
    "name": made_export,
    "left-out:name": list_left_out,
    "key": lambda study: study.criteria.all()[0].key,
    "seat": lambda study: Assignment.objects.filter(study=study).submitted()[0].pk,
}
ROWS: dict[str, Callable[[Study], Any]] = {
    "cancel-run": lambda study: ScoringTask.objects.get_or_create(study=study, scorer="length")[0],
    "api-run": lambda study: ScoringTask.objects.get_or_create(study=study, scorer="length")[0],
    "api-stored": lambda study: ScoreRun.objects.get_or_create(study=study, scorer="length")[0],
    "token": lambda study: made_token(study),
    "webhook": lambda study: study.webhooks.get_or_create(url="https://hook.example/")[0],
    "run": lambda study: ScoreRun.objects.get_or_create(study=study, scorer="length")[0],
    "annotator": lambda study: study.annotators.all()[0],
    "criterion": lambda study: study.criteria.all()[0],
    "judgment": lambda study: Judgment.objects.in_study(study)[0],
    "prompt": lambda study: study.prompts.all()[0],
    "response": lambda study: study.responses.all()[0],
    "member": lambda study: study.memberships.get(role=Role.AUDITOR),
}
# Fragments and other forms of a page are refused as the page is.
ASKED: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("?format=json", {}),
    ("?part=live", {"HX-Request": "true"}),
]


@dataclass(frozen=True)
class Person:
    client: Client
    is_: frozenset[str]
    may: frozenset[str]


@dataclass(frozen=True)
class World:
    study: Study
    other: Study
    people: dict[str, Person]


def filled(slug: str) -> Study:
    """A study with a judgment in it and a member of every role."""
    study = make_study(slug)
    person = Annotator.objects.create(study=study, key=f"known-as-{slug}", stage=Annotator.Stage.WORK)
    seat = seats.next_assignment(person)
    assert seat is not None
    Assignment.objects.filter(pk=seat.pk).update(status=Assignment.Status.SUBMITTED, expires_at=None)
    Item.objects.filter(pk=seat.item_id).update(role=Item.Role.PRACTICE)
    Judgment.objects.create(assignment=seat)
    for role in Role:
        user = User.objects.create_user(f"{role}-{slug}", is_staff=role != Role.RESEARCHER)
        members.add(study, user, role)
    return study


def annotator_client(study: Study) -> Client:
    client = Client()
    client.cookies = remember(HttpResponse(), study.annotators.all()[0], secure=False).cookies
    return client


def account(name: str, *may: str, **kwargs: Any) -> Person:
    user = User.objects.filter(username=name).first() or User.objects.create_user(name, **kwargs)
    client = Client()
    client.force_login(user)
    staff = {STAFF} if user.is_staff else set()
    return Person(client, frozenset({name}), frozenset({PUBLIC, ACCOUNT, *staff, *may}))


@pytest.fixture
def world() -> World:
    study, other = filled("tiny"), filled("other")
    nobody = frozenset({PUBLIC})
    people = {
        "anonymous": Person(Client(), frozenset(), nobody),
        "annotator": Person(annotator_client(study), frozenset(), nobody | {ANNOTATOR}),
        "annotator elsewhere": Person(annotator_client(other), frozenset(), nobody),
        "auditor": account("auditor-tiny", AUDITOR),
        "researcher": account("researcher-tiny", AUDITOR, RESEARCHER),
        "owner": account("owner-tiny", AUDITOR, RESEARCHER, OWNER),
        "auditor elsewhere": account("auditor-other"),
        "researcher elsewhere": account("researcher-other"),
        "owner elsewhere": account("owner-other"),
        "staff": account("staff", is_staff=True),
        "account": account("account"),
        "superuser": account("root", STAFF, AUDITOR, RESEARCHER, OWNER, is_superuser=True, is_staff=True),
    }
    return World(study, other, people)


def kwargs_of(name: str, named: Study, objects_of: Study, *, auditor: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in re.findall(r"<(?:\w+:)?(\w+)>", ROUTES[name]):
        if part == "slug":
            found[part] = named.slug
        elif part == "pk":
            row = ROWS[next(row for row in ROWS if row in name)](objects_of)
            found[part] = row_number(row, objects_of) if auditor else row.pk
        else:
            found[part] = OBJECTS.get(f"{name}:{part}", OBJECTS.get(part, str))(objects_of)
    return found


def row_number(row: Any, study: Study) -> int:
    """By which auditors know it."""
    if not made_by_people(type(row)):
        return int(row.pk)
    return number_of(numbered(type(row).objects.filter(pk=row.pk), study).get())


def refused(response: Any) -> bool:
    to_login = response.status_code == 302 and response["Location"].startswith("/login/")
    return to_login or response.status_code in (401, 403, 404)


def tells(response: Any) -> list[str]:
    """What of the study its refusal gives away."""
    body = response.content.decode()
    return [
        s
        for s in ("Study tiny", "Prompt number", "secret-model", "known-as", "Question quality")
        if s in body
    ]


def test_every_address_is_listed() -> None:
    assert set(ROUTES) - set(ACCESS) == set(), "say in ACCESS whom these addresses are for"
    assert set(ACCESS) - set(ROUTES) == set(), "there are no such addresses any more"


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_everybody_at_every_address(world: World, name: str) -> None:
    needed = set(ACCESS[name])
    # Who is let in comes last: only they may change anything.
    for who, person in sorted(world.people.items(), key=lambda item: needed <= item[1].may):
        auditor = {AUDITOR, RESEARCHER} & person.may == {AUDITOR}
        path = reverse(name, kwargs=kwargs_of(name, world.study, world.study, auditor=auditor))
        if not needed <= person.may:
            before = counts()
            answers = [person.client.get(path + query, headers=headers) for query, headers in ASKED]
            for response in [*answers, person.client.post(path)]:
                assert refused(response) or response.status_code == 405, (who, response.status_code)
                assert tells(response) == [], who
            assert counts() == before
            continue
        methods = ("get", "post") if set(SENDS.get(name, ())) <= person.may else ("get",)
        codes = {getattr(person.client, method)(path).status_code for method in methods}
        if "post" not in methods:
            assert refused(person.client.post(path)), who
        assert codes - {405}, who
        assert not codes & {401, 403, 404, 500}, (who, codes)


def counts() -> list[Any]:
    tables = (Study, Criterion, Item, Judgment, Annotator, Membership, User)
    return [table._default_manager.count() for table in tables] + list(
        Study.objects.order_by("pk").values_list("status", flat=True)
    )


@pytest.mark.parametrize("name", sorted(n for n, route in ROUTES.items() if "<int:pk>" in route))
def test_what_belongs_to_another_study_is_not_found_in_this_one(world: World, name: str) -> None:
    path = reverse(name, kwargs=kwargs_of(name, world.study, world.other))
    client = world.people["owner"].client
    assert {client.get(path).status_code, client.post(path).status_code} <= {404, 405, 302}
    for row in ROWS.values():
        row(world.other).refresh_from_db()


def test_the_unknown_come_back_after_the_log_in(world: World) -> None:
    assert Client().get("/studies/tiny/")["Location"] == "/login/?next=/studies/tiny/"


def test_there_is_no_such_study_for_who_is_no_member(world: World) -> None:
    """The same answer for a study that is there and one that is not."""
    staff = world.people["staff"].client
    there, not_there = staff.get("/studies/tiny/"), staff.get("/studies/nothing-of-that-name/")
    assert (there.status_code, there.content) == (not_there.status_code, not_there.content)


def test_a_member_who_is_shut_out_sees_nothing(world: World) -> None:
    User.objects.filter(username="owner-tiny").update(is_active=False)
    assert refused(world.people["owner"].client.get("/studies/tiny/"))
    gone = User.objects.get(username="owner-tiny")
    assert world.study.role_of(gone) is None
    assert not Study.objects.visible_to(gone).exists()


def test_an_export_is_found_in_its_own_study_only(world: World) -> None:
    """By nobody who guesses its name under a study of theirs, on pages or by the API; not by whoever is gone."""
    name = made_export(world.study)
    inside, outside = world.people["researcher"].client, world.people["owner elsewhere"].client
    for path in ("/studies/{}/exports/{}/", "/api/v1/studies/{}/exports/{}/file/"):
        assert inside.get(path.format("tiny", name)).status_code == 200, path
        for slug in ("tiny", "other"):
            assert outside.get(path.format(slug, name)).status_code == 404, path
        assert Client().get(path.format("tiny", name)).status_code in (302, 401), path
    Membership.objects.filter(user__username="researcher-tiny").delete()
    assert inside.get(f"/studies/tiny/exports/{name}/").status_code == 404


def test_nothing_shows_what_tasks_returned(world: World) -> None:
    """Results of background work are rows of the queue; they reach people only by pages of their study."""
    sources = [p for app in ("annotate", "judging") for p in (Path(__file__).parents[1] / app).rglob("*.py")]
    readers = [p.name for p in sources if re.search(r"return_value|get_result|DBTaskResult", p.read_text())]
    # The metrics count them by status.
    assert set(readers) <= {"metrics.py"}, "whoever shows a task's result says in ACCESS whom it is for"
    assert not [
        route for route in ROUTES.values() if "task" in route and not route.startswith(("rate/", "studies/"))
    ]
