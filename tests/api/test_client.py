"""The client that the README offers does what it says, against the real server with a worker beside it."""

import ast
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import ROOT, environment, manage, migrate, served

MAKE_TOKEN = """
import os, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.config.settings")
django.setup()
from django.contrib.auth.models import User
from annotate.models import ApiToken
print(ApiToken.make(User.objects.create_user("ada", is_staff=True), "README", "write", 1)[1])
"""


CLIENT = ROOT / "annotate" / "api" / "client.py"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path / 'client.sqlite3'}"
    migrate(url)
    command = [sys.executable, "manage.py", "db_worker", "--interval", "0.2"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment(url))
    yield url
    worker.terminate()
    worker.wait()


def test_the_client(database: str) -> None:
    token = manage(database, "-c", MAKE_TOKEN).strip()
    with served(database, workers=1) as server:
        address = {"OFFBEAT_ADDRESS": f"http://127.0.0.1:{server.port}", "OFFBEAT_TOKEN": token}
        done = subprocess.run(
            [sys.executable, CLIENT], env=os.environ | address, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "{'rows': 2, 'new': {'responses': 2}}",
        "{'rows': 2, 'new': {'items': 2}}",
        "{'prompts': 1, 'responses': 2, 'items': 2, 'annotators': 0, 'seats_free': 6, 'seats_held': 0, "
        "'seats_submitted': 0}",
        "done",
    ]
    # What `length` is: the logarithm of one more than the number of characters.
    scores = {key: float(value) for key, value in (line.split() for line in lines[4:6])}
    assert scores == pytest.approx({"r0": math.log1p(16), "r1": math.log1p(33)})
    assert lines[6].startswith("quality ")
    assert lines[6].endswith(" None 0")
    assert lines[-1] == "0"


def test_it_is_short_and_typed() -> None:
    code = CLIENT.read_text()
    assert len(code.splitlines()) <= 72
    for function in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)):
        assert function.returns is not None
        assert all(a.annotation or a.arg == "self" for a in (*function.args.args, function.args.kwarg) if a)
