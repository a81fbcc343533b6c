"""Importing and exporting in the browser: preview, mapping, loading; making, downloading, going on downloading."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from annotate import pending_uploads as waiting
from annotate.models import Answer, Membership, Role, Study
from judging.exports import export_jobs
from judging.tasks import make_export
from tests.annotate.formats.samples import absolute, sample

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, settings: Settings, tmp_path: Path) -> Client:
    settings.WORK_DIR = tmp_path / "work"
    client.force_login(User.objects.create_user("ines", is_staff=True))
    return client


def sent(name: str, content: str | bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


LOOK = {"slug": "mine", "voters": "auto", "format": "", "title": "", "split": "", "seats": "", "scale": ""}


def test_files_are_looked_into_and_then_loaded(staff: Client) -> None:
    answer = staff.post(
        "/desk/import/", {"sent": [sent("human absolute.jsonl", lines(absolute()))]}, follow=True
    )
    page = answer.content.decode()
    assert "infinity-absolute" in page
    assert "a slot of its own" in page
    assert 'value="human-absolute"' in page
    assert not Study.objects.exists()
    answer = staff.post("/desk/import/look/", LOOK | {"title": "My ratings", "load": "1"}, follow=True)
    assert "Imported: 2 prompts, 4 responses" in answer.content.decode()
    study = Study.objects.get()
    assert (study.slug, study.title, study.status) == ("mine", "My ratings", "draft")
    assert Membership.objects.get().role == Role.OWNER
    # The files are gone, and so is what was said of them.
    assert staff.get("/desk/import/look/").status_code == 302


def test_columns_are_mapped_on_the_page(staff: Client) -> None:
    table = "Frage;Antwort;r1;r2\nWarum?;Darum.;4;2\n"
    page = staff.post("/desk/import/", {"sent": [sent("t.csv", table)]}, follow=True).content.decode()
    assert "a mapping of columns" in page
    assert "Warum?" in page
    chosen = {
        "column": ["Frage", "Antwort", "r1", "r2"],
        "role": ["prompt", "response", "rating.quality", "rating.quality"],
    }
    page = staff.post("/desk/import/look/", LOOK | chosen | {"look": "1"}).content.decode()
    assert "read as <strong>mapped</strong>" in page
    assert not Study.objects.exists()
    staff.post("/desk/import/look/", LOOK | chosen | {"load": "1"})
    assert list(
        Answer.objects.order_by("pk").values_list("judgment__assignment__annotator__key", "value")
    ) == [
        ("r1", 4),
        ("r2", 2),
    ]


def test_what_does_not_fit_is_a_table_and_nothing_is_stored(staff: Client) -> None:
    rows = absolute()
    rows[1]["human_labels"] = [7]
    staff.post("/desk/import/", {"sent": [sent("a.jsonl", lines(rows))]})
    page = staff.post("/desk/import/look/", LOOK | {"load": "1"}).content.decode()
    assert "human_labels.0" in page
    assert "a whole number from 1 to 5" in page
    assert not Study.objects.exists()


def test_a_study_of_somebody_else_takes_up_nothing(staff: Client) -> None:
    Study.objects.create(slug="mine", title="Theirs")
    staff.post("/desk/import/", {"sent": [sent("a.jsonl", lines(absolute()))]})
    assert staff.post("/desk/import/look/", LOOK | {"load": "1"}).status_code in (403, 404)
    assert not Answer.objects.exists()


def test_a_data_set_comes_as_an_archive_with_its_folders(staff: Client) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for split in ("train", "test"):
            file.writestr(f"set/{split}/data-00000-of-00001.jsonl", lines([{"query": f"{split}?"}]))
        file.writestr("set/README.md", "---")
    staff.post("/desk/import/", {"sent": [sent("set.zip", archive.getvalue())]})
    page = staff.post("/desk/import/look/", LOOK | {"split": "test", "look": "1"}).content.decode()
    assert "1 rows, read as <strong>infinity-eval</strong>" in page


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.exe", b"x", "a file of rows"),
        ("a.zip", b"PK\x03\x04", "a whole archive"),
        ("a.csv.gz", b"\x1f\x8b\x08", "whole archive"),
    ],
)
def test_what_is_no_file_of_rows_is_refused_and_nothing_stays(
    staff: Client, name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    answer = staff.post("/desk/import/", {"sent": [sent(name, content)]})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert list((tmp_path / "work" / "imports").iterdir()) == []


def test_waiting_files_are_found_by_their_token_only(staff: Client, tmp_path: Path) -> None:
    staff.post("/desk/import/", {"sent": [sent("a.jsonl", lines(absolute()))]})
    assert waiting.find("../..") is None
    assert waiting.find("x" * 22) is None
    assert waiting.find(staff.session["import"]["token"]) is not None


@pytest.fixture
def study(staff: Client) -> Study:
    staff.post("/desk/import/", {"sent": [sent("m.jsonl", lines(sample("multipref").rows["m.jsonl"]))]})
    staff.post("/desk/import/look/", LOOK | {"load": "1"})
    return Study.objects.get()


def test_an_export_is_made_and_downloaded(staff: Client, study: Study) -> None:
    page = staff.post("/studies/mine/exports/", {"writer": "soft-labels", "escape": "on"}, follow=True)
    [made] = export_jobs.listed(study)
    assert f"/studies/mine/exports/{made.name}/" in page.content.decode()
    answer = staff.get(f"/studies/mine/exports/{made.name}/")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert int(answer["Content-Length"]) == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = {name.split("/")[1] for name in archive.namelist()}
        assert {"manifest.json", "soft_labels.preference.jsonl"} <= names


def test_a_download_goes_on_where_it_was_cut_off(staff: Client, study: Study) -> None:
    staff.post("/studies/mine/exports/", {"writer": "folder"})
    [made] = export_jobs.listed(study)
    url, whole = f"/studies/mine/exports/{made.name}/", made.path.read_bytes()

    def part(**headers: str) -> Any:
        return staff.get(url, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def body(answer: Any) -> bytes:
        return b"".join(answer.streaming_content)

    first = part(range="bytes=0-99")
    assert (first.status_code, first["Content-Range"]) == (206, f"bytes 0-99/{len(whole)}")
    rest = part(range="bytes=100-", if_range=first["ETag"])
    assert body(first) + body(rest) == whole
    assert body(part(range="bytes=-10")) == whole[-10:]
    assert part(range=f"bytes={len(whole)}-").status_code == 416
    # Another file by now: all of it. So for what is no range.
    assert body(part(range="bytes=100-", if_range='"other"')) == whole
    for no_range in ("bytes=a-b", "bytes=-", "bytes=9-3", "lines=1-2", "bytes=0-1,5-6"):
        assert part(range=no_range).status_code == 200


def test_what_cannot_be_made_says_why(staff: Client, study: Study) -> None:
    page = staff.post("/studies/mine/exports/", {"writer": "sts"}, follow=True).content.decode()
    assert "a criterion that this export is made of" in page
    [failed] = export_jobs.listed(study)
    assert failed.status == "failed"
    assert staff.get(f"/studies/mine/exports/{failed.name}/").status_code == 404


def test_a_full_disk_leaves_nothing_half_made(
    staff: Client, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        Path(str(args[1])).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_jobs, "_zip", full)
    page = staff.post("/studies/mine/exports/", {"writer": "folder"}, follow=True).content.decode()
    assert "No space left on device" in page
    [failed] = export_jobs.listed(study)
    assert {path.suffix for path in failed.path.parent.iterdir()} == {".json"}


def test_a_large_export_is_made_by_a_worker(staff: Client, study: Study, settings: Settings) -> None:
    settings.EXPORT_AT_ONCE = 1
    page = staff.post("/studies/mine/exports/", {"writer": "folder"}, follow=True).content.decode()
    [made] = export_jobs.listed(study)
    assert made.status == "waiting"
    assert "db_worker" in page
    make_export.func(study.pk, made.name)
    assert export_jobs.listed(study)[0].status == "done"


def test_exports_are_known_by_names_of_ours_only(staff: Client, study: Study) -> None:
    staff.post("/studies/mine/exports/", {"writer": "folder"})
    for name in ("mine-folder", "..", "other-folder-1"):
        assert staff.get(f"/studies/mine/exports/{name}/").status_code == 404
    for _ in range(export_jobs.KEPT + 2):
        export_jobs.order(study, "folder", escape=True)
    assert len(export_jobs.listed(study)) == export_jobs.KEPT
