"""Health, metrics and logs: what those who run the servers see, and what nobody may see in them."""

import io
import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from pytest_django.fixtures import Settings

from annotate.config import health, logs
from annotate.management.commands.serve import MEMORY
from annotate.views.access import invite_path, personal_link
from tests.addresses import ROUTES
from tests.factories import make_annotator, make_study
from tests.serving import migrate, served

SECRET = "tiny:Zm9yLXRoaXMtdGVzdC1vbmx5LWFuZC1ub3RoaW5nLWV"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, as a server writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Json())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_process_that_answers_is_healthy_whatever_the_database_says(client: Client) -> None:
    assert client.get("/healthz").json() == {"process": "ok"}


@pytest.mark.django_db
def test_a_migrated_database_is_ready(client: Client) -> None:
    for _ in range(2):
        response = client.get("/readyz")
        assert (response.status_code, response.json()) == (200, {"database": "ok", "migrations": "ok"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_a_database_that_takes_no_writes_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr("annotate.config.health.ContentType.objects.create", refuse)
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"database": "takes no writes"})


@pytest.mark.django_db(transaction=True)
def test_a_database_that_others_write_to_is_ready(client: Client) -> None:
    """A large study that is being loaded holds the lock for minutes."""

    def ask() -> tuple[int, dict[str, str]]:
        with closing(connection):
            response = client.get("/readyz")
            return response.status_code, response.json()

    with transaction.atomic(), connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        if connection.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {ContentType._meta.db_table} IN SHARE MODE")
        assert pool.submit(ask).result() == (200, {"database": "ok", "migrations": "ok"})


@pytest.mark.django_db
def test_a_database_without_the_latest_tables_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health._Seen, "migrated", False)
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["0099_later"])
    response = client.get("/readyz")
    assert (response.status_code, response.json()["migrations"]) == (503, "missing: run manage.py migrate")


def test_a_database_that_is_away_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        raise OperationalError("connection to server at 10.0.0.7 failed")

    monkeypatch.setattr(health, "_migrated", away)
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"database": "unreachable"})


def test_watchers_are_not_sent_to_https(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/studies/").status_code == 301


@pytest.mark.django_db
def test_metrics_are_for_staff_and_for_the_token(client: Client, settings: Settings) -> None:
    assert client.get("/metrics").status_code == 401
    # No token set: none that is sent is right.
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401
    settings.METRICS_TOKEN = "only-prometheus-has-this"
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    body = client.get(
        "/metrics", headers={"Authorization": "Bearer only-prometheus-has-this"}
    ).content.decode()
    assert "offbeat_requests_total" in body
    client.force_login(User.objects.create_user("ann"))
    assert client.get("/metrics").status_code == 403
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get("/metrics").status_code == 200


@pytest.mark.django_db
def test_metrics_name_views_and_never_addresses(admin_client: Client) -> None:
    study = make_study()
    admin_client.get(invite_path(study))
    admin_client.get("/no/such/address/")
    body = admin_client.get("/metrics").content.decode()
    assert re.search(r'offbeat_requests_total\{method="GET",status="404",view="none"\} \d', body)
    assert 'view="join"' in body
    assert "join/" not in body
    assert "such" not in body
    assert 'offbeat_studies{status="open"} 1.0' in body


@pytest.mark.parametrize("sent", ["", "short", "x" * 65, 'quote"inside', "line\nbreak", "наш-номер"])
def test_a_request_gets_an_id_of_its_own_where_the_proxys_is_odd(client: Client, sent: str) -> None:
    named = client.get("/healthz", headers={"X-Request-ID": sent})["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{16}", named)


def test_a_request_keeps_the_id_that_the_proxy_gave_it(client: Client, log: io.StringIO) -> None:
    named = client.get("/no/such/", headers={"X-Request-ID": "proxy-0123456789"})["X-Request-ID"]
    assert named == "proxy-0123456789"
    assert {line["request_id"] for line in lines(log)} == {named}
    access = next(line for line in lines(log) if line["logger"] == "offbeat.access")
    assert (access["path"], access["status"], access["method"]) == ("/no/such/", 404, "GET")


@pytest.mark.django_db
def test_no_token_is_logged_whatever_becomes_of_the_request(client: Client, log: io.StringIO) -> None:
    study = make_study()
    token = invite_path(study).split("/")[2]
    personal = personal_link(client.get("/healthz").wsgi_request, make_annotator(study, "p-0123456789abcdef"))
    signed = personal.partition("as=")[2]
    for path in (
        *(f"/join/{token}/", f"/join/{token}", f"/join/{token}x/", f"/JOIN/{token}/", f"//join/{token}/"),
        *(
            f"/join/{token}/more/",
            f"/elsewhere/{token}/",
            personal,
            f"/join/{token}/?PROLIFIC_PID=5f0a-person",
        ),
        *(f"/healthz?next=/join/{token}/", f"/rate/tiny/?as={signed}"),
    ):
        client.get(path)
        client.post(path)
        client.put(path)
    logging.getLogger("django.request").error(
        "Failed at %s", f"https://host/join/{token}/?PROLIFIC_PID=5f0a-person"
    )
    found = log.getvalue()
    assert "/join/[masked]/" in found
    assert {line["level"] for line in lines(log)} >= {"INFO", "WARNING", "ERROR"}
    for secret in (token, token.split(":")[1], signed, "5f0a-person"):
        assert secret not in found


def test_an_error_is_told_with_its_traceback_and_without_keys(log: io.StringIO, settings: Settings) -> None:
    try:
        int(f"password {settings.SECRET_KEY} of /join/{SECRET}/")
    except ValueError:
        logging.getLogger("judging").exception("no luck with %s", settings.PSEUDONYM_KEY)
    (told,) = lines(log)
    assert "Traceback" in str(told["exc_info"])
    for secret in (settings.SECRET_KEY, settings.PSEUDONYM_KEY, SECRET):
        assert secret not in log.getvalue()


def test_every_secret_part_of_an_address_is_masked() -> None:
    """Whoever adds a route with a secret in it calls that part a token, a secret or a signature."""
    secret = re.compile(r"<(?:\w+:)?(?:token|secret|signature)>")
    routes = [route for route in ROUTES.values() if secret.search(route)]
    assert routes
    for route in routes:
        path = "/" + re.sub(r"<(?:\w+:)?\w+>", "other", secret.sub("k3y-of-a-door", route))
        assert "k3y-of-a-door" not in logs.masked(f"Not Found: {path}")


def test_words_that_are_no_secret_stay() -> None:
    text = "Not Found: /studies/tiny/join/ at 10:45:00, is it? a=b; /rate/tiny/"
    assert logs.masked(text) == text


def test_the_servers_processes_count_together_and_write_json(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'watched.sqlite3'}"
    migrate(url)
    token = "for-this-test-only-too"
    # A disk that takes nothing any more is no reason to serve nobody.
    more = {"METRICS_TOKEN": token, "LOG_LEVEL": "INFO", "WORK_DIR": "/proc/nothing"}
    with (tmp_path / "log").open("w") as log, served(url, log=log, more=more) as server:
        address = f"http://127.0.0.1:{server.port}"
        for _ in range(60):
            with pytest.raises(HTTPError, match="404"):
                urlopen(f"{address}/join/{SECRET}/")
        request = Request(f"{address}/metrics", headers={"Authorization": f"Bearer {token}"})
        # Asked of whichever process it is, each time the sum over all.
        found = [urlopen(request).read().decode() for _ in range(6)]
        processes = list(MEMORY.glob(f"offbeat-metrics-*-{server.pid}/counter_*.db"))
    assert len(processes) > 1
    for body in found:
        assert 'offbeat_requests_total{method="GET",status="404",view="join"} 60.0' in body
    text = (tmp_path / "log").read_text()
    told = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert len([t for t in told if t.get("view") == "join" and t["path"] == "/join/[masked]/"]) == 60
    assert len([t for t in told if t["message"] == "Not Found: /join/[masked]/"]) == 60
    assert SECRET not in text
    assert SECRET.partition(":")[2] not in text
