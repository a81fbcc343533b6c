"""Backups taken while people work, restored into the other database; old ones, damaged ones, and none over data."""

import json
import resource
import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django.fixtures import Settings

from annotate.backup import _BESIDE, BackupError, backup, restore
from annotate.models import Response, Study
from tests.environment import start_postgres
from tests.factories import make_study
from tests.serving import ROOT, Annotator, manage, migrate, run, served

BACKUPS = sorted((ROOT / "fixtures" / "backups").glob("*.zip"))


def told(path: Path) -> Any:
    with zipfile.ZipFile(path) as zipped:
        return json.loads(zipped.read("manifest.json"))


ROWS = """
import json
from annotate.models import Answer, Judgment
columns = ["judgment__client_token", "judgment__revision", "judgment__submitted_at", "judgment__assignment__shown",
           "criterion__key", "response__key", "other__key", "value", "label"]
print(json.dumps({
    "tokens": [str(t) for t in Judgment.objects.values_list("client_token", flat=True)],
    "answers": sorted(map(repr, Answer.objects.values_list(*columns))),
}))
"""


def rows(database: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(manage(database, "manage.py", "shell", "-v0", "-c", ROWS))
    return found


@pytest.mark.parametrize("live", ["sqlite", "postgres"])
def test_a_backup_of_a_study_at_work_is_whole_in_the_other_database(live: str, tmp_path: Path) -> None:
    files = [f"sqlite:///{tmp_path / 'backup.sqlite3'}", start_postgres()]
    database, other = files if live == "sqlite" else files[::-1]
    migrate(database)
    invite = manage(database, "-m", "tests.make_study", "kept", "--prompts=8", "--seats=4").split()[0]
    during, after, again = (tmp_path / f"{name}.zip" for name in ("during", "after", "again"))
    with served(database) as server:
        people = [Annotator(server.port, "kept", invite) for _ in range(8)]
        threads = [threading.Thread(target=p.work, daemon=True) for p in people]
        for thread in threads:
            thread.start()
        while sum(len(p.acknowledged) for p in people) < 20:
            threads[0].join(0.01)
        before = {token for p in people for token in list(p.acknowledged)}
        manage(database, "manage.py", "backup", str(during))
        goes_on = sum(len(p.acknowledged) for p in people)
        for thread in threads:
            thread.join()
    live_rows = rows(database)
    assert len(live_rows["tokens"]) >= goes_on > len(before)
    manage(other, "manage.py", "restore", str(during))
    manage(other, "manage.py", "check_study", "--all")
    restored = rows(other)
    assert before <= set(restored["tokens"]) <= set(live_rows["tokens"])
    assert set(restored["answers"]) <= set(live_rows["answers"])
    # At rest every table comes back as it was, to the last bit, and over what was restored before.
    manage(database, "manage.py", "backup", str(after))
    manage(other, "manage.py", "restore", str(after), "--force")
    manage(other, "manage.py", "backup", str(again))
    assert told(again)["tables"] == told(after)["tables"]
    assert told(after)["tables"]["annotate_judgment"]["rows"] == len(live_rows["tokens"])
    # Sequences go on after what was restored.
    manage(other, "-m", "tests.make_study", "next", "--prompts=1")


@pytest.mark.parametrize("path", BACKUPS, ids=lambda path: path.stem)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_backup_of_every_version_comes_up_in_this_one(kind: str, path: Path, tmp_path: Path) -> None:
    url = start_postgres() if kind == "postgres" else f"sqlite:///{tmp_path / 'old.sqlite3'}"
    assert "rows of" in manage(url, "manage.py", "restore", str(path))
    assert "as it must be" in manage(url, "manage.py", "check_study", "--all")
    assert (
        manage(url, "manage.py", "migrate", "--plan", "--skip-checks").split("\n")[1].strip()
        == "No planned migration operations."
    )
    stored = json.loads(manage(url, "manage.py", "shell", "-v0", "-c", ROWS))
    assert len(stored["answers"]) == told(path)["tables"]["annotate_answer"]["rows"]


@pytest.fixture
def kept(transactional_db: None, tmp_path: Path, settings: Settings) -> Path:
    settings.WORK_DIR = tmp_path / "work"
    (tmp_path / "work" / "exports").mkdir(parents=True)
    (tmp_path / "work" / "exports" / "done.zip").write_bytes(b"made")
    (tmp_path / "work" / "exports" / "half.part").write_bytes(b"not made")
    make_study()
    User.objects.create_user("owner")
    backup(tmp_path / "kept.zip")
    return tmp_path / "kept.zip"


def test_a_backup_holds_rows_files_and_no_keys(kept: Path, settings: Settings) -> None:
    manifest = told(kept)
    assert manifest["tables"]["annotate_study"]["rows"] == 1
    assert list(manifest["files"]) == ["exports/done.zip"]
    assert kept.stat().st_mode & 0o077 == 0
    content = kept.read_bytes()
    assert settings.SECRET_KEY.encode() not in content
    assert settings.PSEUDONYM_KEY.encode() not in content
    assert [p.name for p in kept.parent.glob(".*")] == []


def test_a_study_may_be_called_as_what_is_left_out(kept: Path, settings: Settings) -> None:
    for folder in ("exports/results-2026", "exports/metrics-a", "results/1", "metrics-8000"):
        (settings.WORK_DIR / folder).mkdir(parents=True)
        (settings.WORK_DIR / folder / "some.zip").write_bytes(b"some")
    manifest = backup(kept.with_name("again.zip"))
    assert set(manifest["files"]) == {
        "exports/done.zip",
        "exports/metrics-a/some.zip",
        "exports/results-2026/some.zip",
    }


def test_nothing_is_restored_over_data(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Another test of this process may have put the demo aside in tables of its own.
    aside = {name for name in connection.introspection.table_names() if name.startswith("demo_")}
    monkeypatch.setattr("annotate.backup._BESIDE", _BESIDE | aside)
    with pytest.raises(BackupError, match="already has data"):
        restore(kept)
    assert Study.objects.count() == 1


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5_000])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"Prompt number") if b"Prompt number" in content else len(content) // 2
    content[at] ^= 1
    path.write_bytes(content)


def rewrite(path: Path, **changes: Any) -> None:
    old = path.with_suffix(".old")
    shutil.move(path, old)
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "manifest.json":
                content = json.dumps(json.loads(content) | changes).encode()
            target.writestr(name, content)


def later(path: Path) -> None:
    rewrite(path, migrations=[*told(path)["migrations"], ["annotate", "9999_later"]])


def swapped(path: Path) -> None:
    tables = told(path)["tables"]
    rewrite(path, tables=tables | {"annotate_prompt": tables["annotate_response"]})


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "not a zip file"),
        (flip, "damaged|CRC|manifest"),
        (swapped, "checksum differs"),
        (lambda path: path.write_bytes(b"hello"), "not a zip file"),
        (lambda path: rewrite(path, format=2), "has format 2; this version reads 1"),
        (lambda path: path.unlink(), "No such file"),
    ],
)
def test_a_damaged_file_changes_nothing(kept: Path, damage: Any, says: str) -> None:
    texts = set(Response.objects.values_list("text"))
    damage(kept)
    with pytest.raises(BackupError, match=says):
        restore(kept, force=True)
    assert set(Response.objects.values_list("text")) == texts


@pytest.mark.parametrize(
    "name", ["results/1/a.value", "exports/../results/1/a.value", "../x", "/etc/x", "exports\\..\\x", "x", ""]
)
def test_a_backup_brings_exports_and_uploads_alone(kept: Path, settings: Settings, name: str) -> None:
    rewrite(kept, files=told(kept)["files"] | {name: {"sha256": "0" * 64}})
    with pytest.raises(BackupError, match="holds files of exports and imports only"):
        restore(kept, force=True)
    assert Study.objects.count() == 1


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Files can't grow beyond so many bytes: as on a full disk, writing fails in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_on_a_full_disk_the_old_backup_stays(kept: Path) -> None:
    before = kept.read_bytes()
    with disk_of(10_000), pytest.raises(BackupError, match="File too large"):
        backup(kept)
    assert kept.read_bytes() == before
    assert [p.name for p in kept.parent.glob(".*")] == []


def test_what_is_too_new_or_refused_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'there.sqlite3'}"
    path = shutil.copy(BACKUPS[0], tmp_path / "first.zip")
    manage(url, "manage.py", "restore", str(path))
    before = rows(url)
    later(Path(path))
    with pytest.raises(RuntimeError, match="made by a newer version"):
        manage(url, "manage.py", "restore", str(path), "--force")
    assert rows(url) == before


def test_other_keys_are_told(tmp_path: Path) -> None:
    done = run(f"sqlite:///{tmp_path / 'there.sqlite3'}", "manage.py", "restore", str(BACKUPS[0]))
    assert "Another PSEUDONYM_KEY than when it was made: returning panel participants" in done.stderr
    assert "Another SECRET_KEY" in done.stderr
