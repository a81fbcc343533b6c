"""Log-in by OpenID Connect, at a provider that runs here, in a real browser that holds to the page's policy."""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from playwright.sync_api import Page, expect

from tests.serving import manage, migrate, served

pytestmark = pytest.mark.browser

SECRET = "the-secret-that-client-and-provider-share"


class Provider(BaseHTTPRequestHandler):
    """Lets everybody in as Ada, once it has seen the client's secret."""

    def log_message(self, *args: object) -> None:
        """Not to the console."""

    @property
    def here(self) -> str:
        return f"http://{self.headers['Host']}"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/authorize":
            back = urlencode({"code": "one-time", "state": asked["state"]})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
        elif url.path == "/userinfo":
            self.say({"sub": "ada-1815", "preferred_username": "ada", "email": "ada@example.org"})
        else:
            ends = {f"{end}_endpoint": f"{self.here}/{end}" for end in ("authorize", "token", "userinfo")}
            ends["authorization_endpoint"] = ends.pop("authorize_endpoint")
            self.say({"issuer": self.here, "jwks_uri": f"{self.here}/keys", **ends})

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        known = SECRET in str(sent) or "Basic" in self.headers.get("Authorization", "")
        claims = {"iss": self.here, "aud": "offbeat", "sub": "ada-1815", "exp": int(time.time()) + 60}
        token = jwt.encode(claims | {"iat": int(time.time())}, SECRET, "HS256")
        self.say(
            {"access_token": "a", "token_type": "Bearer", "id_token": token} if known else {"error": "no"}
        )

    def say(self, answer: dict[str, object]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_who_the_provider_knows_gets_an_account_and_no_study(
    page: Page, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"SERVER": provider, "CLIENT": "offbeat", "SECRET": SECRET, "NAME": "Example University"}
    for name, value in values.items():
        monkeypatch.setenv(f"OIDC_{name}", value)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'sso.sqlite3'}"
        migrate(url)
        manage(url, "manage.py", "collectstatic", "--noinput", "-v0")
        with served(url, workers=1) as server:
            page.goto(f"http://127.0.0.1:{server.port}/studies/")
            page.get_by_role("button", name="Log in by Example University").click()
            expect(page.get_by_role("heading", name="Studies")).to_be_visible()
            expect(page.get_by_text("No studies yet.")).to_be_visible()
            expect(page.get_by_role("link", name="New study")).to_have_count(0)
            page.get_by_role("link", name="ada").click()
            expect(page.get_by_text("which keeps your password")).to_be_visible()
