"""Scores in the browser: looked at, with what the file does not say, and without its bad rows where that is wanted."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from annotate.models import Study, TrailEntry
from judging.imports import bad_rows
from judging.models import Score, ScoreRun
from tests.annotate.formats.samples import brought

pytestmark = pytest.mark.django_db

FILES, LOOK = "/studies/mine/runs/files/", "/studies/mine/runs/files/look/"
# Line 3 has a word that is no number, line 5 a cell too few; a decimal comma stands in line 4.
TABLE = "response;score\nOak.;1\nÄsche.;good\nElm.;0,5\nFir.\n"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "texts.csv"
    path.write_text("prompt,response\nA tree?,Oak.\nA tree?,Äsche.\nA tree?,Elm.\n")
    mapping = {"prompt": "prompt", "response": "response"}
    done = brought(path, slug="mine", mapping=mapping)
    assert done.loaded is not None
    return done.loaded.study


@pytest.fixture
def staff(client: Client, settings: Settings, tmp_path: Path) -> Client:
    settings.WORK_DIR = tmp_path / "work"
    client.force_login(User.objects.create_superuser("ines"))
    return client


def send(staff: Client, content: bytes, **choices: str) -> str:
    sent = {"sent": SimpleUploadedFile("s.csv", content), "format": "table", "scorer": "rm", **choices}
    return staff.post(FILES, sent, follow=True).content.decode()


def stored() -> dict[str, float | None]:
    return dict(Score.objects.values_list("response__text", "value"))


def test_what_a_file_of_scores_does_not_say_is_said_on_the_page(staff: Client, study: Study) -> None:
    page = send(staff, TABLE.encode("cp1250"))
    assert "no number" not in page
    assert "good" in page
    for name in ("encoding", "quotes", "decimal", "header", "skip_bad_rows", "scorer", "version"):
        assert f'name="{name}"' in page
    chosen: dict[str, object] = {"format": "table", "scorer": "rm", "encoding": "cp1250"}
    chosen |= {"value": ["good"], "meaning": [""], "number": ["3"], "skip_bad_rows": "on"}
    page = staff.post(LOOK, chosen | {"look": "1"}).content.decode()
    assert "1 bad row left out" in page
    assert "was read so: &quot;good&quot; as “3” (1)" in page
    assert "the comma marks decimals" in page
    assert not Score.objects.exists()
    listed = list(csv.DictReader(StringIO(staff.get(f"{FILES}left-out/").content.decode())))
    assert [row["line"] for row in listed] == ["5"]
    staff.post(LOOK, chosen | {"load": "1"})
    assert stored() == {"Oak.": 1, "Äsche.": 3, "Elm.": 0.5}
    assert TrailEntry.objects.latest("pk").details["new"] == {"scores": 3, "left_out": 1}


def test_the_list_stays_to_be_downloaded(staff: Client, study: Study) -> None:
    send(staff, TABLE.encode())
    chosen = {"format": "table", "scorer": "rm", "skip_bad_rows": "on"}
    staff.post(LOOK, chosen | {"load": "1"})
    [name] = bad_rows.kept(study)
    for page in (FILES, "/studies/mine/exports/"):
        assert f"/studies/mine/left-out/{name}/" in staff.get(page).content.decode()
    listed = list(csv.DictReader(StringIO(staff.get(f"/studies/mine/left-out/{name}/").content.decode())))
    assert [row["line"] for row in listed] == ["3", "5"]
    assert TrailEntry.objects.latest("pk").action == "downloaded"
    assert staff.get("/studies/mine/left-out/mine-left-out-other/").status_code == 404


def test_columns_of_scores_are_mapped_on_the_page(staff: Client, study: Study) -> None:
    page = send(staff, b"1.5\tOak.\n2.5\tElm.\n", format="mapped")
    assert "Say what the columns mean" in page
    chosen: dict[str, object] = {"format": "mapped", "header": "value, words"}
    page = staff.post(LOOK, chosen | {"look": "1"}).content.decode()
    assert 'value="words"' in page
    chosen |= {"column": ["value", "words"], "role": ["score", "response"], "scorer": "rm"}
    staff.post(LOOK, chosen | {"load": "1"})
    assert stored() == {"Oak.": 1.5, "Elm.": 2.5}
    assert ScoreRun.objects.get().scorer == "rm"


def test_the_command_leaves_bad_rows_out_too(study: Study, settings: Settings, tmp_path: Path) -> None:
    settings.WORK_DIR = tmp_path / "work"
    path, target, out = tmp_path / "s.csv", tmp_path / "list.csv", StringIO()
    path.write_text(TABLE)
    arguments = ["mine", str(path), "--as", "table", "--scorer", "rm", "--yes"]
    with pytest.raises(CommandError, match=r"line 3, score: .*good"):
        call_command("import_scores", *arguments, stdout=out)
    call_command("import_scores", *arguments, "--skip-bad-rows", str(target), stdout=out)
    assert "2 rows were left out" in out.getvalue()
    assert [row["line"] for row in csv.DictReader(StringIO(target.read_text()))] == ["3", "5"]
    assert stored() == {"Oak.": 1, "Elm.": 0.5}
    assert len(bad_rows.kept(study)) == 1


def test_options_for_other_tools_files_are_refused_without_a_format(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("scorer,response_id,value\n")
    with pytest.raises(CommandError, match=r"--decimal, --skip-bad-rows: only with --as"):
        call_command("import_scores", "mine", str(path), "--decimal", ",", "--skip-bad-rows")
