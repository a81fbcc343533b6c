import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.management.commands import migrate
from django.db import DatabaseError, connection

# Any number, the same for all who migrate.
LOCK = 0x0FFBEA7


class Command(migrate.Command):
    """Django's own, one at a time: of two deployments that start together, the second finds nothing left to do."""

    def handle(self, *args: Any, **options: Any) -> None:
        with alone():
            super().handle(*args, **options)


@contextmanager
def alone() -> Iterator[None]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                yield
            finally:
                # In a transaction that failed nothing can be asked any more; the lock ends with the connection.
                with suppress(DatabaseError):
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    elif "memory" in (name := str(connection.settings_dict["NAME"])).rpartition("/")[2]:
        yield
    else:
        # Between migrations SQLite's own lock is free; the file lies beside the database and stays.
        path = Path(f"{name}.migrating")
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
