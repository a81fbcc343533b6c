"""The demo study, loaded once a process: its rows lie in tables of their own, and each test copies them in.

What follows from the rows as they were loaded is computed once a process too, as it is on a server.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.cache import caches
from django.db import connection, transaction

from annotate.models import Study
from judging.folder.scores import load_folder
from judging.runs.batches import score_missing
from judging.runs.work import build, run_of

WRITE = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE) "(annotate|judging)_')
DEMO = Path(__file__).parents[1] / "fixtures" / "demo"


def _tables() -> list[str]:
    return [
        model._meta.db_table
        for app in ("annotate", "judging")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    ]


def put_aside() -> None:
    """Load and embed the demo as `make run` does it, and leave the study's own tables empty."""
    with transaction.atomic(), connection.cursor() as cursor:
        load_folder(DEMO)
        study, scorer = Study.objects.get(slug="demo"), build("minilm")
        score_missing(run_of(study, "minilm", scorer), scorer)
        # PostgreSQL changes no table while a constraint waits for the end of the transaction.
        connection.check_constraints()
        for table in _tables():
            cursor.execute(f"CREATE TABLE demo_{table} AS SELECT * FROM {table}")
            cursor.execute(f"DELETE FROM {table}")


def copy_in() -> Study:
    with connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(f"INSERT INTO {table} SELECT * FROM demo_{table}")
    return Study.objects.get(slug="demo")


@contextmanager
def own_results_from_the_first_write() -> Iterator[None]:
    """Whatever a test changes, behind the application's back too: it reads no result of another, and leaves none."""
    cache = caches["results"]

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if WRITE.match(sql):
            cache.key_prefix = uuid.uuid4().hex
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(watch):
            yield
    finally:
        cache.key_prefix = ""
