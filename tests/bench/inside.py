"""The application within this process, with an empty database of its own: for benches that make no server."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from django.test import Client


@contextmanager
def application() -> Iterator[str]:
    """Its database's URL, for those that serve it after all."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        os.environ |= {"DEBUG": "1", "DATABASE_URL": url}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.config.settings")
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield url


def staff() -> "Client":
    """A client that may see every study."""
    from django.contrib.auth.models import User
    from django.test import Client
    from django.test.utils import setup_test_environment

    setup_test_environment()
    client = Client()
    client.force_login(User.objects.create_superuser("staff"))
    return client
