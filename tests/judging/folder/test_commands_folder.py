"""load_study, export_study and import_scores as they are typed."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from annotate.models import Study
from tests.annotate.folder.small import assert_same, database, read_tables, small, write_folder

pytestmark = pytest.mark.django_db

COUNTS = "2 prompts, 5 responses, 3 items, 2 annotators, 3 answers"


def call(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_load_export_and_load_again(tmp_path: Path) -> None:
    folder, out = write_folder(tmp_path / "in", small()), tmp_path / "out"
    new = "2 prompts, 5 responses, 3 items, 2 annotators, 3 answers, 3 judgments"
    assert call("load_study", str(folder)) == f"small: {COUNTS} (new: {new})\n"
    assert (
        call("export_study", "small", str(out), "--format", "csv", "--gzip") == f"small: {COUNTS} → {out}\n"
    )
    assert (out / "answers.csv.gz").exists()
    assert call("load_study", str(out)) == f"small: {COUNTS} (new: nothing)\n"
    call("load_study", str(out), "--slug", "other")
    call("load_study", str(out), "--slug", "other", "--replace")
    assert set(Study.objects.values_list("slug", flat=True)) == {"small", "other"}
    call("export_study", "other", str(out))
    assert_same(read_tables(out), small())


def test_import_scores(tmp_path: Path) -> None:
    call("load_study", str(write_folder(tmp_path / "in", small())))
    (tmp_path / "s.csv").write_text("scorer,response_id,value\nx,r1,1\n")
    assert call("import_scores", "small", str(tmp_path / "s.csv")) == "small: 1 scores (1 new)\n"
    with pytest.raises(CommandError, match="There is no study 'no'"):
        call("import_scores", "no", str(tmp_path / "s.csv"))
    with pytest.raises(CommandError, match=r"s.jsonl: expected a file of scores, found nothing"):
        call("import_scores", "small", str(tmp_path / "s.jsonl"))


def test_what_is_wrong_is_a_command_error(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {**small(), "items": []})
    before = database()
    with pytest.raises(CommandError, match=r"^answers.jsonl, line 1, item_id: expected an item_id of items"):
        call("load_study", str(folder))
    assert database() == before
    with pytest.raises(CommandError, match="There is no study 'small'"):
        call("export_study", "small", str(tmp_path / "out"))
    call("load_study", str(write_folder(tmp_path / "right", small())))
    with pytest.raises(CommandError, match=r'found "annotators.jsonl" and 5 more in it'):
        call("export_study", "small", str(folder))


def test_as_a_process(tmp_path: Path) -> None:
    """Exit status, what goes to stdout and stderr, and a snapshot outside of any transaction."""
    database_url = f"sqlite:///{tmp_path / 'x.sqlite3'}"

    def run(*command: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": database_url, "DEBUG": "1"},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    assert run("migrate", "-v0")[0] == 0
    folder, out = write_folder(tmp_path / "in", small()), tmp_path / "out"
    status, stdout, stderr = run("load_study", str(folder))
    assert status == 0
    assert stderr.startswith("It has no members yet, so only superusers see it")
    assert stdout.startswith(f"small: {COUNTS}")
    assert run("export_study", "small", str(out)) == (0, f"small: {COUNTS} → {out}\n", "")
    assert_same(read_tables(out), small())
    (folder / "study.toml").unlink()
    assert run("load_study", str(folder)) == (
        1,
        "",
        f"CommandError: study.toml: expected a file in {folder}, found nothing\n",
    )
