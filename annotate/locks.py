"""Transactions that wait only a moment for what another one has locked."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable


@contextmanager
def soon_or_never(milliseconds: int) -> Iterator[None]:
    """A transaction that fails where a lock is held for longer."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if sqlite:
            usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        with transaction.atomic():
            if not sqlite:
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")
            yield
    finally:
        if sqlite:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {usual}")


def held_by_another(error: OperationalError) -> bool:
    """Whether it failed for a lock alone, and may work in a moment."""
    return isinstance(error.__cause__, LockNotAvailable) or "is locked" in str(error)
