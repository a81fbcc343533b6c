"""Settings fail loudly: what is missing is named, and development defaults count with DEBUG only."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = {
    "SECRET_KEY": "k",
    "ALLOWED_HOSTS": "example.org",
    "DATABASE_URL": "sqlite:////tmp/offbeat-settings.sqlite3",
}
CODE = """
import environ
environ.Env.read_env = lambda *args, **kwargs: None  # not the developer's own .env
from annotate.config import settings
print(settings.DATABASES["default"]["ENGINE"], settings.ALLOWED_HOSTS, settings.DEBUG)
"""


def settings(**env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in {*GOOD, "DEBUG"}}
    return subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, env=clean | env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_what_is_missing_is_named(missing: str) -> None:
    done = settings(**{k: v for k, v in GOOD.items() if k != missing})
    assert done.returncode != 0
    assert missing in done.stderr


def test_a_whole_environment_is_enough() -> None:
    assert settings(**GOOD).stdout.split() == ["django.db.backends.sqlite3", "['example.org']", "False"]


def test_debug_has_defaults() -> None:
    assert settings(DEBUG="1").stdout.split()[-1] == "True"


def test_postgres_by_url() -> None:
    done = settings(**GOOD | {"DATABASE_URL": "postgres://me:pw@db/offbeat"})
    assert done.stdout.startswith("django.db.backends.postgresql")


def test_every_deployment_check_of_django_passes(tmp_path: Path) -> None:
    env = GOOD | {"SECRET_KEY": secrets.token_urlsafe(50), "SECURE": "1"}
    env["DATABASE_URL"] = f"sqlite:///{tmp_path / 'deployed.sqlite3'}"
    clean = {k: v for k, v in os.environ.items() if k not in {*GOOD, "DEBUG", "DJANGO_ALLOW_ASYNC_UNSAFE"}}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"],
        cwd=ROOT,
        env=clean | env | {"DEBUG": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), (
        done.stderr
    )
