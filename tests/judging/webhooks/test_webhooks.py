"""Webhooks against a real HTTP server on this machine."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from annotate import members
from annotate.models import Answer, Assignment, Judgment, Role, Study
from judging import tasks
from judging.folder.scores import export_folder, load_folder
from judging.models import ScoringTask
from judging.models.webhooks import Delivery, Webhook
from judging.runs import work as scoring
from judging.webhooks import outbox as webhooks
from tests.factories import make_annotator, make_study

pytestmark = pytest.mark.django_db

Event = Webhook.Event
PAGE = "/studies/tiny/webhooks/"


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.ENDPOINTS_ALLOWED = ["127.0.0.1"]
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def study(db: None) -> Study:
    # Rows are rolled back and get the same numbers again.
    caches["results"].clear()
    return make_study(kinds=("single",), seats=2)


def hook(study: Study, receiver: Receiver, *events: Event, threshold: float | None = None) -> Webhook:
    made: Webhook = study.webhooks.create(
        url=receiver.url, events=[e.value for e in events], threshold=threshold
    )
    return made


def send_all() -> None:
    for delivery in Delivery.objects.filter(delivered_at=None).order_by("pk"):
        webhooks.deliver.call(delivery.pk, delivery.attempts)


def judge_all(study: Study, *, agree: bool = True) -> None:
    people = [make_annotator(study, f"a{n}") for n in range(study.seats)]
    criterion = study.criteria.get(key="quality")
    for seat in Assignment.objects.filter(study=study, item__role="main", status="free"):
        person = people[seat.number - 1]
        judgment = Judgment.objects.create(assignment=seat, submitted_at=timezone.now())
        shown = seat.item.item_responses.get()
        value = 1 + shown.response_id % 5 if agree else 1 + (shown.response_id * seat.number) % 5
        Answer.objects.create(judgment=judgment, criterion=criterion, response=shown.response, value=value)
        Assignment.objects.filter(pk=seat.pk).update(status="submitted", annotator=person)


def genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As the page says a receiver checks it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    code = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return hmac.compare_digest("v1," + base64.b64encode(code).decode(), headers["webhook-signature"])


def test_a_finished_run_is_told_and_signed(study: Study, receiver: Receiver) -> None:
    made = hook(study, receiver, Event.RUN)
    scoring.score(study, "length")
    send_all()
    [(headers, body)] = receiver.got
    told = json.loads(body)
    assert told == {
        "event": "run.finished",
        "study": "tiny",
        "simulated": False,
        "at": told["at"],
        "run": ScoringTask.objects.get().pk,
        "scorer": "length",
        "status": "done",
        "stored": 8,
        "wanted": 8,
        "failed": 0,
    }
    assert genuine(made.secret, headers, body)
    assert not genuine(made.secret, headers, body.replace(b"done", b"fail"))
    assert not genuine(Webhook(study=study).secret, headers, body)
    age = timezone.now().timestamp() - int(headers["webhook-timestamp"])
    assert 0 <= age < 60
    delivery = Delivery.objects.get()
    assert (delivery.status_code, delivery.attempts, delivery.next_at) == (200, 1, None)


def test_a_run_that_fails_is_told_too(study: Study, receiver: Receiver, settings: Any) -> None:
    hook(study, receiver, Event.RUN)
    settings.SCORERS = {"broken": "tests.nothing.Here"}
    with pytest.raises(Exception, match=r"tests\.nothing"):
        scoring.score(study, "broken")
    send_all()
    assert json.loads(receiver.got[0][1])["status"] == "failed"


def test_who_wants_something_else_is_told_nothing(study: Study, receiver: Receiver) -> None:
    hook(study, receiver, Event.FULL)
    scoring.score(study, "length")
    assert not Delivery.objects.exists()


def test_a_full_study_is_told_once_and_again_when_it_is_full_again(study: Study, receiver: Receiver) -> None:
    hook(study, receiver, Event.FULL)
    webhooks.look.call(study.pk)
    assert not Delivery.objects.exists()
    judge_all(study)
    for _ in range(2):
        webhooks.look.call(study.pk)
    send_all()
    [(_, body)] = receiver.got
    assert (json.loads(body)["event"], json.loads(body)["judgments"]) == ("study.full", 16)
    seat = Assignment.objects.filter(study=study).first()
    assert seat is not None
    again = Assignment.objects.create(study=study, item=seat.item, number=3)
    webhooks.look.call(study.pk)
    assert Delivery.objects.count() == 1
    Assignment.objects.filter(pk=again.pk).update(status="submitted", annotator=make_annotator(study, "c"))
    webhooks.look.call(study.pk)
    assert Delivery.objects.count() == 2


def test_agreement_is_told_when_its_interval_lies_above_the_threshold(receiver: Receiver, db: None) -> None:
    # Few items would leave the interval too wide.
    caches["results"].clear()
    study = make_study(kinds=("single",), seats=2, prompts=10)
    hook(study, receiver, Event.AGREEMENT, threshold=0.3)
    webhooks.look.call(study.pk)
    assert not Delivery.objects.exists()
    judge_all(study)
    # Perfect agreement has no interval.
    answer = Answer.objects.earliest("pk")
    Answer.objects.filter(pk=answer.pk).update(value=(answer.value or 0) % 5 + 1)
    for _ in range(2):
        webhooks.look.call(study.pk)
    send_all()
    [(_, body)] = receiver.got
    told = json.loads(body)
    assert (told["criterion"], told["threshold"], told["n_items"]) == ("quality", 0.3, 40)
    assert told["alpha"]["low"] >= 0.3


def test_people_who_do_not_agree_are_not_told_of(study: Study, receiver: Receiver) -> None:
    hook(study, receiver, Event.AGREEMENT, threshold=0.8)
    judge_all(study, agree=False)
    webhooks.look.call(study.pk)
    assert not Delivery.objects.exists()


def test_looking_goes_on_as_long_as_somebody_asks(study: Study, receiver: Receiver) -> None:
    made = hook(study, receiver, Event.FULL)
    webhooks.look.call(study.pk)
    [next_look] = DBTaskResult.objects.filter(task_path="judging.webhooks.outbox.look")
    assert next_look.run_after is not None
    assert 50 < (next_look.run_after - timezone.now()).total_seconds() <= 60
    made.delete()
    assert webhooks.look.call(study.pk) == "nobody asks"
    assert DBTaskResult.objects.filter(task_path="judging.webhooks.outbox.look").count() == 1


def test_it_is_tried_again_later_and_later(study: Study, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 404]
    hook(study, receiver, Event.RUN)
    scoring.score(study, "length")
    delivery = Delivery.objects.get()
    pauses = []
    for attempt in range(4):
        webhooks.deliver.call(delivery.pk, attempt)
        delivery.refresh_from_db()
        assert delivery.tried_at is not None
        pauses.append(delivery.next_at and round((delivery.next_at - delivery.tried_at).total_seconds()))
    assert pauses == [10, 60, 300, None]
    assert (delivery.attempts, delivery.status_code) == (4, 200)
    assert delivery.delivered_at is not None
    # The same message, by its name, and the redirect was not followed.
    assert {headers["webhook-id"] for headers, _ in receiver.got} == {str(delivery.uuid)}
    assert len(receiver.got) == 4
    assert webhooks.deliver.call(delivery.pk, 4) == "over"


def test_the_next_try_is_in_the_queue_before_this_one(study: Study, receiver: Receiver) -> None:
    """A worker that is killed while it sends loses nothing."""
    hook(study, receiver, Event.RUN)
    scoring.score(study, "length")
    DBTaskResult.objects.all().delete()
    delivery = Delivery.objects.get()
    receiver.server_close()
    webhooks.deliver.call(delivery.pk, 0)
    delivery.refresh_from_db()
    assert "Error" in delivery.error
    [queued] = DBTaskResult.objects.filter(task_path="judging.webhooks.outbox.deliver")
    assert queued.args_kwargs["args"] == [delivery.pk, 1]
    # And two workers that have the same try in hand send it once.
    assert webhooks.deliver.call(delivery.pk, 0) == "over"


def test_the_last_try_is_the_last(study: Study, receiver: Receiver) -> None:
    receiver.answers = [500]
    hook(study, receiver, Event.RUN)
    scoring.score(study, "length")
    Delivery.objects.update(attempts=6)
    DBTaskResult.objects.all().delete()
    send_all()
    delivery = Delivery.objects.get()
    assert delivery.failed
    assert (delivery.attempts, delivery.next_at, delivery.error) == (7, None, "answered with 500")
    assert not DBTaskResult.objects.exists()


def test_what_only_this_machine_can_reach_is_not_called(
    study: Study, receiver: Receiver, settings: Any
) -> None:
    settings.ENDPOINTS_ALLOWED = []
    hook(study, receiver, Event.RUN)
    scoring.score(study, "length")
    send_all()
    assert receiver.got == []
    assert "not public" in Delivery.objects.get().error


def test_a_study_that_is_loaded_anew_keeps_its_webhooks(
    study: Study, receiver: Receiver, tmp_path: Path
) -> None:
    made = hook(study, receiver, Event.AGREEMENT, threshold=0.5)
    export_folder(study, tmp_path / "out")
    loaded = load_folder(tmp_path / "out", replace=True).study
    kept = loaded.webhooks.get()
    assert (kept.url, kept.secret, kept.threshold) == (made.url, made.secret, 0.5)


@pytest.fixture
def owner(study: Study) -> Client:
    user = User.objects.create_user("ada")
    members.add(study, user, Role.OWNER)
    client = Client()
    client.force_login(user)
    return client


def test_added_tested_listed_and_removed_on_the_page(owner: Client, study: Study, receiver: Receiver) -> None:
    sent = {"url": receiver.url, "events": ["study.full", "agreement.reached"], "threshold": "0.667"}
    page = owner.post(PAGE, sent).content.decode()
    made = Webhook.objects.get()
    assert made.secret in page
    assert (made.events, made.threshold) == (["study.full", "agreement.reached"], 0.667)
    assert made.secret not in owner.get(PAGE).content.decode()
    owner.post(f"{PAGE}{made.pk}/", {"do": "test"})
    send_all()
    assert json.loads(receiver.got[0][1])["event"] == "test"
    assert "delivered, 200" in owner.get(PAGE).content.decode()
    owner.post(f"{PAGE}{made.pk}/", {"do": "remove"})
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"url": "ftp://x.example/", "events": ["study.full"]}, "begins with http"),
        ({"url": "https://user:word@x.example/", "events": ["study.full"]}, "no user, password"),
        ({"url": "https://x.example/", "events": []}, "required"),
        ({"url": "https://x.example/", "events": ["nothing"]}, "not one of the available"),
        ({"url": "https://x.example/", "events": ["agreement.reached"]}, "Give a threshold"),
        (
            {"url": "https://x.example/", "events": ["agreement.reached"], "threshold": "1.5"},
            "less than or equal",
        ),
    ],
)
def test_a_form_filled_in_wrongly_adds_none(owner: Client, sent: dict[str, Any], said: str) -> None:
    page = owner.post(PAGE, sent)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Webhook.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_delivers(receiver: Receiver) -> None:
    study = make_study(kinds=("single",))
    hook(study, receiver, Event.RUN)
    tasks.enqueue(scoring.order(study, "length"))
    call_command("db_worker", batch=True, interval=0, verbosity=0, reload=False)
    assert [json.loads(body)["status"] for _, body in receiver.got] == ["done"]
