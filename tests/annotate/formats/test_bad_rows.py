"""Rows that are wrong stop an import, or are left out, listed and counted, where whoever imports wants that."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from annotate.folder import FolderError
from annotate.models import Answer, Response, Study
from judging.folder.scores import export_folder
from judging.imports.bad_rows import table

from .samples import brought

pytestmark = pytest.mark.django_db

MAPPING = {"prompt": "q", "response": "a", "annotator": "who", "rating.quality": "r"}
# Line 3 has no number, line 5 too few cells, line 6 a letter that no database stores.
BAD = 'q,a,who,r\nQ,A,w1,4\nQ,B,w1,good\nQ,C,w1,5\nQ,D\nQ,"E\0",w1,3\n'


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.csv"
    path.write_text(BAD)
    return path


def test_a_bad_row_stops_all_unless_somebody_wants_it_left_out(bad: Path) -> None:
    with pytest.raises(FolderError):
        brought(bad, mapping=MAPPING)
    assert not Study.objects.exists()
    done = brought(bad, mapping=MAPPING, skip_bad_rows=True)
    assert [problem.line for problem in done.left_out] == [3, 5, 6]
    assert set(Answer.objects.values_list("value", flat=True)) == {4, 5}
    assert set(Response.objects.values_list("text", flat=True)) == {"A", "C"}
    lines = list(csv.DictReader(StringIO(table(done.left_out))))
    assert [(row["line"], row["field"]) for row in lines] == [("3", "r"), ("5", ""), ("6", "responses.text")]
    assert all(row["expected"] and row["found"] for row in lines)


def test_what_was_left_out_is_counted_in_every_manifest(bad: Path, tmp_path: Path) -> None:
    brought(bad, mapping=MAPPING, skip_bad_rows=True)
    export_folder(Study.objects.get(), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["left_out_at_import"] == 3


def test_a_file_of_bad_rows_only_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("q,a,who,r\nQ,A,w1,x\nQ,B,w1,y\n")
    with pytest.raises(FolderError, match="line 2, r"):
        brought(path, mapping=MAPPING, skip_bad_rows=True)
    assert not Study.objects.exists()


def test_the_command_writes_the_list(bad: Path, tmp_path: Path) -> None:
    out = StringIO()
    pairs = [f"{role}={column}" for role, column in MAPPING.items()]
    target = tmp_path / "list.csv"
    call_command("import_study", str(bad), "--map", *pairs, "--skip-bad-rows", str(target), stdout=out)
    assert "3 rows were left out" in out.getvalue()
    assert len(target.read_text().splitlines()) == 4


def test_the_page_lists_what_it_leaves_out_and_maps_votes(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.WORK_DIR = tmp_path / "work"
    client.force_login(User.objects.create_user("ines", is_staff=True))
    table = "q,one,two,who,better\nTree?,Oak,Ash,w1,1\nTree?,Oak,Ash,w2,2\nTree?,Oak,Ash,w3,9\n"
    client.post("/desk/import/", {"sent": [SimpleUploadedFile("p.csv", table.encode())]})
    sent: dict[str, object] = {
        "slug": "p",
        "voters": "auto",
        "column": ["q", "one", "two", "who", "better"],
        "role": ["prompt", "response_a", "response_b", "annotator", "preference"],
    }
    page = client.post("/desk/import/look/", sent | {"look": "1"}).content.decode()
    assert "What the votes and words mean" in page
    assert "a code is not guessed" in page
    sent |= {"value": ["1", "2", "9"], "meaning": ["first", "second", ""], "skip_bad_rows": "on"}
    page = client.post("/desk/import/look/", sent | {"look": "1"}).content.decode()
    assert "1 bad row left out" in page
    assert "line,field" in client.get("/desk/import/left-out/").content.decode()
    client.post("/desk/import/look/", sent | {"load": "1"})
    given = Answer.objects.order_by("pk").values_list("response__text", flat=True)
    assert list(given) == ["Oak", "Ash"]
