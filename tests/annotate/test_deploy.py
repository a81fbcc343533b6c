"""Behind a proxy: on a port of its own, below a path of the host, and in somebody's frame."""

import http.cookiejar
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urljoin

import pytest
from django.test import Client
from pytest_django import Settings

from annotate.models import Judgment
from annotate.views.access import invite_path
from tests.annotate.stages import study_with, submit
from tests.annotate.test_journey import url
from tests.annotate.test_settings import GOOD
from tests.annotate.test_settings import settings as environment_of
from tests.serving import ROOT, manage, migrate, served

MTURK = "https://www.mturk.com"


@pytest.mark.django_db
def test_nobody_frames_a_page_unless_named(client: Client, settings: Settings) -> None:
    study = study_with()
    own = client.get(invite_path(study))
    assert "frame-ancestors 'none'" in own.headers["Content-Security-Policy"]
    assert own.headers["X-Frame-Options"] == "DENY"
    settings.FRAME_ANCESTORS = [MTURK]
    framed = Client().get(invite_path(study))
    assert f"frame-ancestors 'self' {MTURK}" in framed.headers["Content-Security-Policy"]
    assert "default-src 'self'" in framed.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed.headers
    desk = Client().get("/login/")
    assert "frame-ancestors 'none'" in desk.headers["Content-Security-Policy"]
    assert desk.headers["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_in_a_frame_cookies_travel(settings: Settings) -> None:
    settings.FRAME_ANCESTORS, settings.SECURE = [MTURK], True
    study, client = study_with(), Client()
    client.post(invite_path(study))
    cookie = client.cookies[f"annotator-{study.slug}"]
    assert (cookie["samesite"], cookie["secure"]) == ("None", True)
    submit(client, study)
    assert Judgment.objects.count() == 1
    refused = Client(enforce_csrf_checks=True).post(url(study))
    assert "Open it in a new window" in refused.content.decode()


def test_a_frame_without_https_is_refused_at_the_start() -> None:
    done = environment_of(**GOOD | {"FRAME_ANCESTORS": MTURK})
    assert done.returncode != 0
    assert "FRAME_ANCESTORS needs SECURE=1" in done.stderr
    assert environment_of(**GOOD | {"FRAME_ANCESTORS": MTURK, "SECURE": "1"}).returncode == 0


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("deployed")
    database_url = f"sqlite:///{folder / 'deployed.sqlite3'}"
    (folder / "study.toml").write_text(
        'slug = "small"\ntitle = "Small"\nseats = 2\n[[criterion]]\nkey = "q"\non = "single"\nkind = "text"\n'
        'text = "Why?"\nrequired = false\n'
    )
    (folder / "prompts.jsonl").write_text('{"prompt_id": "p", "text": "Say"}\n')
    (folder / "responses.jsonl").write_text(
        '{"response_id": "r", "prompt_id": "p", "text": "So", "source": "m"}\n'
    )
    (folder / "items.jsonl").write_text(
        '{"item_id": "i", "kind": "single", "prompt_id": "p", "response_ids": ["r"]}\n'
    )
    migrate(database_url)
    manage(database_url, "manage.py", "load_study", str(folder))
    return database_url


def invite(database_url: str) -> str:
    code = "from annotate.views.access import *; print('at', invite_path(Study.objects.get()))"
    out = manage(database_url, "manage.py", "shell", "-c", code)
    return next(line.split()[1] for line in out.splitlines() if line.startswith("at "))


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """deploy/nginx.conf on free ports, with a certificate of its own; started by the test."""
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        pytest.skip("no nginx here")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *key, *subject]
    subprocess.run(command, check=True, capture_output=True)
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        plain, tls = one.getsockname()[1], two.getsockname()[1]
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    site = re.sub(r"\n    listen \[::\][^\n]*", "", site).replace(
        "# location /offbeat/", "location /offbeat/"
    )
    site = site.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace(
        "listen 443", f"listen 127.0.0.1:{tls}"
    )
    for known, here in (("/etc/ssl/offbeat/", f"{tmp_path}/"), ("/var/log/nginx/", f"{tmp_path}/")):
        site = site.replace(known, here)
    site = site.replace("offbeat.example.org", "localhost")
    whole = f"pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{site}\n}}\n"
    (tmp_path / "nginx.conf").write_text(whole)
    yield tmp_path / "nginx.conf", tls
    if (tmp_path / "pid").exists():
        subprocess.run(
            ["nginx", "-c", str(tmp_path / "nginx.conf"), "-s", "stop"], check=False, capture_output=True
        )


def behind(nginx: tuple[Path, int], server: int) -> urllib.request.OpenerDirector:
    """Start the proxy in front of a server; a browser that trusts its certificate."""
    conf = nginx[0]
    conf.write_text(conf.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{server}"))
    subprocess.run(["nginx", "-c", str(conf)], check=True, capture_output=True)
    time.sleep(0.5)
    trust = ssl.create_default_context(cafile=str(conf.parent / "fullchain.pem"))
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), jar)


def rate(browser: urllib.request.OpenerDirector, address: str) -> str:
    """Come by the link, press the button, submit the page; what stands at the end."""
    for _press in range(2):
        page = browser.open(address).read().decode()
        forms = re.findall(
            r'<form( class="answer")? method="post"(?: action="([^"]+)")?>(.*?)</form>', page, re.S
        )
        _answer, action, inner = max(forms)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', inner))
        to = urljoin(address, action or address)
        origin = {"Origin": "/".join(to.split("/")[:3]), "Referer": address}
        response = browser.open(urllib.request.Request(to, urlencode(fields).encode(), origin))
        address = response.url
    return str(response.read().decode())


@pytest.mark.parametrize("below", ["", "/offbeat"])
def test_forms_arrive_through_nginx_on_another_port_and_below_a_path(
    below: str, database: str, nginx: tuple[Path, int]
) -> None:
    here = {"ALLOWED_HOSTS": "localhost,127.0.0.1", "SECURE": "1", "TRUSTED_PROXIES": "1", "SUBPATH": below}
    with served(database, workers=1, more=here) as server:
        browser = behind(nginx, server.port)
        address = f"https://localhost:{nginx[1]}{below}"
        login = browser.open(f"{address}/login/")
        page = login.read().decode()
        links = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
        assert links
        assert [link for link in links if not link.startswith(f"{below}/")] == []
        assert f"Path={below}/" in [part.strip() for part in login.headers["Set-Cookie"].split(";")]
        css = next(link for link in links if link.endswith(".css"))
        assert browser.open(urljoin(address, css)).status == 200
        assert "Your 1 judgment is saved." in rate(browser, f"{address}{invite(database)}")
    log = (nginx[0].parent / "offbeat.log").read_text()
    assert f"{below}/join/[masked]/" in log
