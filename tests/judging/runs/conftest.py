import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection, connections


@pytest.fixture
def shared_database(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """A database that other processes and threads reach: SQLite's lies in memory, so it is copied to a file."""
    if connection.vendor != "sqlite":
        yield
        return
    memory, path = connections["default"], tmp_path / "tasks.sqlite3"
    memory.ensure_connection()
    with closing(sqlite3.connect(path)) as target:
        memory.connection.backup(target)
    on_disk = memory.copy()
    on_disk.settings_dict["NAME"] = str(path)
    connections["default"] = on_disk
    # What threads open connections by.
    connections.settings["default"] = on_disk.settings_dict
    yield
    on_disk.close()
    connections["default"], connections.settings["default"] = memory, memory.settings_dict
