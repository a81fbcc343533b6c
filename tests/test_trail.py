"""Who did what: every address and every command that acts leaves an entry, under the name of who acted.

An address that takes a POST and is in neither table fails `test_every_address_that_acts_is_listed`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command, get_commands
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError
from django.test import Client
from django.urls import reverse

from annotate import exclusions, invites, members, pseudonyms, seats, trail
from annotate.models import Action, Annotator, Judgment, Role, Study, TrailEntry
from annotate.models.trail import AppendOnlyError
from tests.addresses import ROUTES
from tests.factories import make_study
from tests.test_access import filled, kwargs_of

pytestmark = pytest.mark.django_db

Data = dict[str, Any]
PLANT = {"role": "gold", "prompt": "Rate.", "tolerance": "0", "text_1": "Choose 5."}
TEXTS = {"title": "Renamed", "slug": "tiny", "seats": "4", "instructions": "", "consent": ""}
ASKED = {"text": "How odd?", "kind": "rating", "on": "single", "scale_low": "1", "scale_high": "5"}


def uploaded(study: Study) -> Data:
    return {"folder": [SimpleUploadedFile(name, text) for name, text in folder_files().items()]}


def folder_files() -> dict[str, bytes]:
    return {
        "study.toml": b'slug = "sent"\ntitle = "Sent"\nseats = 1\nseed = 1\n[[criterion]]\nkey = "q"\non = "single"\n'
        b'kind = "rating"\nmeasures = "quality"\ntext = "Good?"\nscale = [1, 5]\n',
        "prompts.csv": b"prompt_id,text\np,Write.\n",
        "responses.csv": b"response_id,prompt_id,text,source\nr,p,Text.,llm\n",
        "items.jsonl": b'{"item_id": "r", "kind": "single", "prompt_id": "p", "response_ids": ["r"]}\n',
    }


def excluded(study: Study) -> Data:
    exclusions.exclude(Judgment.objects.in_study(study)[0], "odd")
    return {}


def without_person(study: Study) -> Data:
    exclusions.exclude_annotator(study.annotators.all()[0], "odd")
    return {}


def without_judgments(study: Study) -> Data:
    Judgment.objects.in_study(study).delete()
    study.assignments.update(status="free", annotator=None, expires_at=None)
    return {}


def draft(study: Study) -> Data:
    without_judgments(study)
    Study.objects.filter(pk=study.pk).update(status="draft")
    return {}


def just(**data: Any) -> Callable[[Study], Data]:
    return lambda study: data


def untouched(study: Study) -> Data:
    for annotator in study.annotators.all():
        seats.release(annotator)
    unseen = study.items.exclude(assignments__in=study.assignments.exclude(status="free"))
    return {"item": [unseen.order_by("pk")[0].pk]}


def embedded(study: Study) -> Data:
    call_command("score", study.slug, scorer="minilm", verbosity=0)
    return {"each": "1"}


# Address: what is sent, and what the trail says then. None for what is sent: it is fetched.
DEEDS: dict[str, tuple[Callable[[Study], Data] | None, Action]] = {
    "new-study": (just(**TEXTS | {"slug": "fresh"}), Action.CREATED),
    "clone": (just(title="Copy", slug="copy"), Action.CREATED),
    "upload": (uploaded, Action.LOADED),
    "move-study": (just(to="paused"), Action.PAUSED),
    "settings": (just(**TEXTS), Action.CHANGED),
    "new-criterion": (just(**ASKED), Action.CHANGED),
    "criterion": (lambda s: without_judgments(s) | ASKED | {"key": "quality"}, Action.CHANGED),
    "move-criterion": (just(to="down"), Action.CHANGED),
    "remove-criterion": (without_judgments, Action.CHANGED),
    "hold-back": (lambda s: {"response": [s.responses.all()[0].pk], "reason": "odd"}, Action.HELD_BACK),
    "items": (just(how="random", each="2"), Action.CHANGED),
    "plant": (lambda s: PLANT | {f"c{s.criteria.get(key='quality').pk}-1": "5"}, Action.CHANGED),
    "repeat-items": (just(share="50"), Action.CHANGED),
    "remove-items": (untouched, Action.CHANGED),
    "exclude-annotator": (just(reason="odd"), Action.EXCLUDED),
    "readmit-annotator": (without_person, Action.READMITTED),
    "exclude-judgment": (just(reason="odd"), Action.EXCLUDED),
    "readmit-judgment": (excluded, Action.READMITTED),
    "exports": (just(writer="folder"), Action.EXPORTED),
    "start-run": (just(scorer="length"), Action.RUN_ORDERED),
    "cancel-run": (just(), Action.RUN_CANCELLED),
    "submissions": (
        lambda s: {
            "read": signing.dumps(
                [s.slug, {s.annotators.all()[0].key: ["rejected"]}], salt="offbeat.submissions", compress=True
            ),
            "status": ["rejected"],
        },
        Action.EXCLUDED,
    ),
    "links": (just(label="Class A", until="2999-01-01", most="3"), Action.LINK_MADE),
    "revoke-link": (lambda s: {"token": invites.first(s).token}, Action.LINK_REVOKED),
    "members": (just(username="owner-other", role="auditor"), Action.MEMBER_ADDED),
    "change-member": (just(role="researcher"), Action.ROLE_CHANGED),
    "delete": (draft, Action.DELETED),
    "webhooks": (just(url="https://hook.example/", events=["run.finished"]), Action.CHANGED),
    "webhook": (just(do="test"), Action.CHANGED),
    "download-export": (None, Action.DOWNLOADED),
    "left-out": (None, Action.DOWNLOADED),
    "agreement-items": (None, Action.DOWNLOADED),
    "agreement-annotators": (None, Action.DOWNLOADED),
    "report-file": (None, Action.DOWNLOADED),
    "report-folder": (None, Action.DOWNLOADED),
}
# What takes a POST and leaves no entry, and why.
ACCOUNT = "of an account, and of no study"
API = "of the API: tests/api/ say what it leaves"
ANNOTATORS = "an annotator's own: the judgments themselves tell of it"
FILES = (
    "need files or an endpoint; `import_scores`, `outputs.store` and `batch_files` record it, as for commands"
)
SILENT = {
    **dict.fromkeys(["login", "account_login", "logout", "account_logout", "account_inactive"], ACCOUNT),
    **dict.fromkeys(["mfa_authenticate", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_index"], ACCOUNT),
    **dict.fromkeys(["mfa_generate_recovery_codes", "mfa_reauthenticate"], ACCOUNT),
    **dict.fromkeys(["account_change_password", "account_reauthenticate", "account_set_password"], ACCOUNT),
    **dict.fromkeys(["join", "task", "back", "draft", "consent", "instructions"], ANNOTATORS),
    **dict.fromkeys(["check", "break", "leave", "resume", "end"], ANNOTATORS),
    "tokens": ACCOUNT,
    **dict.fromkeys(["api-studies", "api-prompts", "api-responses", "api-items"], API),
    **dict.fromkeys(["api-scores", "api-runs", "api-exports"], API),
    **dict.fromkeys(["scores-files", "scores-look", "batch-write", "batch-read"], FILES),
    **dict.fromkeys(["rehearse", "end-rehearsal"], "a copy that is thrown away: the study stays as it is"),
    "home": "reads only",
    "markdown": "shows a text",
    "preview-criterion": "shows a question",
    "import": "files wait; `import-look` brings them in, below",
    "import-look": "loads what `import` keeps, below",
    "pool": "files wait; `pool-preview` brings them in, below",
    "pool-preview": "loads what `pool` keeps, below",
    "strata": "needs embeddings, below",
    "try-judge": "orders as `start-run` does, and needs an endpoint",
}


@pytest.fixture
def owner() -> tuple[Client, Study]:
    study = filled("tiny")
    filled("other")
    User.objects.filter(username="owner-tiny").update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(username="owner-tiny"))
    return client, study


def test_every_address_that_acts_is_listed(owner: tuple[Client, Study]) -> None:
    """GET is safe by every view's own decorator; whoever takes a POST is told of here."""
    client, study = owner
    unlisted = []
    for name in sorted(set(ROUTES) - set(DEEDS) - set(SILENT)):
        path = reverse(name, kwargs=kwargs_of(name, study, study))
        if client.post(path).status_code not in (403, 404, 405):
            unlisted.append(name)
    assert unlisted == [], "say in DEEDS or SILENT what the trail tells of these"
    assert set(DEEDS) | set(SILENT) <= set(ROUTES)


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_a_deed_leaves_an_entry(owner: tuple[Client, Study], name: str) -> None:
    client, study = owner
    data, action = DEEDS[name]
    path = reverse(name, kwargs=kwargs_of(name, study, study))
    sent = None if data is None else data(study)
    last = TrailEntry.objects.order_by("pk").last()
    response = client.get(path) if sent is None else client.post(path, sent)
    assert response.status_code in (200, 302), response.content.decode()[-4000:]
    entries = TrailEntry.objects.filter(pk__gt=last.pk if last else 0)
    assert action in [e.action for e in entries], [str(e) for e in entries]
    assert {(e.by_name, e.via) for e in entries} == {("owner-tiny", "page")}
    if name not in ("new-study", "clone", "upload"):
        assert {e.study_slug for e in entries} == {"tiny"}


def test_strata_and_imports_leave_an_entry(owner: tuple[Client, Study]) -> None:
    client, study = owner
    assert client.post("/studies/tiny/items/by-distance/", embedded(study)).status_code == 302
    assert TrailEntry.objects.latest("pk").details["kind"] == "pair"
    votes = b"prompt,response,rating\nWrite.,Text.,3\n"
    client.post("/desk/import/", {"sent": SimpleUploadedFile("votes.csv", votes)})
    choices = {"slug": "votes", "voters": "auto", "format": "mapped", "load": "1", "scale": "1,5"}
    columns = {
        "column": ["prompt", "response", "rating"],
        "role": ["prompt", "response", "rating.quality"],
    }
    assert client.post("/desk/import/look/", choices | columns).status_code == 302
    loaded, owned = TrailEntry.objects.of_study("votes").order_by("pk")
    assert (loaded.action, owned.action) == ("loaded", "member added")


# Command: how it is called, and what the trail says then.
COMMANDS: dict[str, tuple[Callable[[Study, Path], list[str]], Action]] = {
    "member": (lambda s, p: [s.slug, "owner-other", "--role", "auditor"], Action.MEMBER_ADDED),
    "load_study": (lambda s, p: [str(written(p)), "--slug", "loaded"], Action.LOADED),
    "import_study": (lambda s, p: [str(labelled(p)), "--as", "trl-preference"], Action.LOADED),
    "import_scores": (lambda s, p: [s.slug, str(scored(s, p))], Action.LOADED),
    "submissions": (lambda s, p: [s.slug, str(rejected(s, p))], Action.EXCLUDED),
    "score": (lambda s, p: [s.slug, "--scorer", "length"], Action.RUN_ORDERED),
    "export_study": (lambda s, p: [s.slug, str(p / "out")], Action.EXPORTED),
    "agreement": (lambda s, p: [s.slug, "--tables", str(p / "tables")], Action.EXPORTED),
    "report": (lambda s, p: [s.slug, "--out", str(p / "report.html")], Action.EXPORTED),
}
QUIET_COMMANDS = {
    "audit": "prints results",
    **dict.fromkeys(["backup", "restore"], "the server's, of no one study; whoever runs it has the database"),
    "check_study": "prints what it finds",
    "migrate": "the server's",
    "batch": "needs an endpoint; batch_files says in test_endpoint_runs what it leaves",
    "corpus": "works on files, not on the database",
    "demo": "calls load_study and score",
    "homogeneity": "prints results",
    **dict.fromkeys(["plan", "pairs", "replication", "judges"], "prints results"),
    "pseudonym": "prints what whoever has the key can compute",
    "reproduce": "rolls everything back",
    "serve": "serves",
    "similarity": "prints results",
    "simulate_audit": "simulates without a study",
    "trail": "prints the trail",
}


def written(folder: Path) -> Path:
    for name, content in folder_files().items():
        (folder / name).write_bytes(content)
    return folder


def labelled(folder: Path) -> Path:
    path = folder / "labelled.jsonl"
    path.write_text('{"prompt": "Write.", "chosen": "One.", "rejected": "Two."}\n')
    return path


def scored(study: Study, folder: Path) -> Path:
    path = folder / "scores.csv"
    path.write_text(f"scorer,response_id,value\nmine,{study.responses.all()[0].key},1\n")
    return path


def rejected(study: Study, folder: Path) -> Path:
    person = study.annotators.all()[0]
    Annotator.objects.filter(pk=person.pk).update(key=pseudonyms.participant(study.slug, "one"))
    path = folder / "prolific.csv"
    path.write_text("Submission id,Participant id,Status\ns1,one,REJECTED\n")
    return path


def test_every_command_is_listed() -> None:
    ours = {name for name, app in get_commands().items() if app in ("annotate", "judging")}
    assert ours - set(COMMANDS) - set(QUIET_COMMANDS) == set(), "say what the trail tells of these"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_leaves_an_entry(name: str, tmp_path: Path, capsys: Any) -> None:
    arguments, action = COMMANDS[name]
    study = filled("tiny")
    User.objects.create_user("owner-other")
    given = arguments(study, tmp_path)
    last = TrailEntry.objects.latest("pk")
    call_command(name, *given)
    entries = TrailEntry.objects.filter(pk__gt=last.pk)
    assert action in [e.action for e in entries]
    assert {(e.by, e.via) for e in entries} == {(None, "command")}


def test_nothing_in_the_trail_is_changed_or_deleted() -> None:
    entry = TrailEntry.objects.latest("pk") if filled("tiny") else None
    assert entry is not None
    for change in (
        entry.save,
        entry.delete,
        TrailEntry.objects.all().delete,
        lambda: TrailEntry.objects.update(by_name="nobody"),
        lambda: TrailEntry.objects.bulk_update([entry], ["by_name"]),
    ):
        with pytest.raises(AppendOnlyError):
            change()


@transaction.atomic
def excludes_and_fails() -> None:
    exclusions.exclude(Judgment.objects.get(), "odd")
    Study.objects.create(slug="tiny", title="again")


def test_a_deed_that_fails_leaves_no_entry() -> None:
    study = filled("tiny")
    n = TrailEntry.objects.count()
    with pytest.raises(IntegrityError):
        excludes_and_fails()
    with pytest.raises(members.LastOwnerError):
        members.remove(study.memberships.get(role=Role.OWNER))
    assert TrailEntry.objects.count() == n


@pytest.mark.django_db(transaction=True)
def test_there_is_no_entry_outside_a_transaction() -> None:
    study = make_study()
    with pytest.raises(TransactionManagementError):
        trail.record(study, Action.CHANGED)


def test_a_change_is_told_as_before_and_after(owner: tuple[Client, Study]) -> None:
    client, _ = owner
    client.post("/studies/tiny/settings/texts/", TEXTS | {"instructions": "Read! " * 1_000})
    entry = TrailEntry.objects.latest("pk")
    assert entry.details["title"] == ["Study tiny", "Renamed"]
    assert entry.details["seats"] == [3, 4]
    assert entry.details["instructions"][1].endswith("… (5,999 characters)")
    n = TrailEntry.objects.count()
    client.post("/studies/tiny/settings/texts/", TEXTS | {"instructions": "Read! " * 1_000})
    assert TrailEntry.objects.count() == n, "nothing was changed"


def test_whoever_is_excluded_is_named_once_and_with_the_reason(owner: tuple[Client, Study]) -> None:
    client, study = owner
    person = study.annotators.get()
    client.post(f"/studies/tiny/monitor/annotators/{person.pk}/exclude/", {"reason": "a robot"})
    entry = TrailEntry.objects.filter(action=Action.EXCLUDED).get()
    assert (entry.about, entry.details) == ("annotator known-as-tiny", {"reason": "a robot", "judgments": 1})


def test_a_pool_that_was_seen_before(owner: tuple[Client, Study]) -> None:
    client, study = owner
    client.post(reverse("pool", args=["tiny"]), {"pasted": "prompt\nWrite."})
    client.get(reverse("pool-preview", args=["tiny"]))
    assert not study.trail.filter(action=Action.LOADED).exists()
    client.post(reverse("pool-preview", args=["tiny"]), {"store": "1"})
    assert study.trail.get(action=Action.LOADED).details == {"new": {"prompts": 1, "responses": 0}}
