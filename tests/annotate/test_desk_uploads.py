"""Folders and pools that come by the browser, whole or with something wrong in them."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from annotate.models import Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


DEMO = Path(__file__).parents[2] / "fixtures" / "demo"


def zipped(names: dict[str, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    file.seek(0)
    file.name = "folder.zip"
    return file


def demo_files() -> dict[str, bytes]:
    names = ("study.toml", "prompts.jsonl", "responses.jsonl", "items.jsonl", "scores.jsonl")
    return {name: (DEMO / name).read_bytes() for name in names}


def test_a_folder_is_uploaded_whole(staff: Client) -> None:
    file = zipped(
        {f"demo/{name}": content for name, content in demo_files().items()} | {"demo/README.md": b"x"}
    )
    done = staff.post(reverse("upload"), {"folder": file, "slug": "mine"}, follow=True)
    study = Study.objects.get()
    assert (study.slug, study.status) == ("mine", "draft")
    assert "Loaded:" in done.content.decode()
    assert study.score_runs.exists()
    assert "No response on show names" in staff.get(reverse("leaks", args=["mine"])).content.decode()
    # Scores go with a deleted draft.
    staff.post(reverse("delete", args=["mine"]))
    assert not Study.objects.exists()


def test_several_files_and_what_is_wrong_with_them(staff: Client) -> None:
    files = demo_files()
    files["items.jsonl"] += (
        b'{"item_id": "x", "kind": "pair", "prompt_id": "nowhere", "response_ids": ["r"]}\n'
    )
    uploads = []
    for name, content in files.items():
        upload = io.BytesIO(content)
        upload.name = name
        uploads.append(upload)
    page = staff.post(reverse("upload"), {"folder": uploads})
    assert page.status_code == 422
    assert "2 for a pair" in page.content.decode()
    assert not Study.objects.exists()


def tarred(**member: Any) -> io.BytesIO:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo(member.pop("name"))
        for name, value in member.items():
            setattr(info, name, value)
        archive.addfile(info, io.BytesIO(b"x" * info.size))
    file.seek(0)
    file.name = "folder.tar.gz"
    return file


TRICKS = [
    (lambda: tarred(name="../study.toml", size=1), "a path inside the archive"),
    (lambda: tarred(name="/etc/study.toml", size=1), "a path inside the archive"),
    (lambda: tarred(name="study.toml", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "a plain file"),
    (lambda: tarred(name="study.toml", type=tarfile.LNKTYPE, linkname="x"), "a plain file"),
    (lambda: tarred(name="study.toml", type=tarfile.FIFOTYPE), "a plain file"),
    (lambda: zipped({"a/../../study.toml": b"x"}), "a path inside the archive"),
    (lambda: zipped({"C:\\study.toml": b"x"}), "a path inside the archive"),
    (lambda: zipped({"a/study.toml": b"x", "b/study.toml": b"x"}), "each file once"),
    (lambda: zipped({f"{n}.txt": b"" for n in range(201)}), "at most 200 files"),
]


@pytest.mark.parametrize(("made", "message"), TRICKS)
def test_an_archive_with_a_trick_in_it_is_refused(staff: Client, made: Any, message: str) -> None:
    page = staff.post(reverse("upload"), {"folder": made()})
    assert page.status_code == 422
    assert message in page.content.decode()


def test_a_file_that_is_no_archive_and_one_that_is_too_large(staff: Client, settings: Settings) -> None:
    broken = io.BytesIO(b"PK nothing")
    broken.name = "folder.zip"
    assert "a whole archive" in staff.post(reverse("upload"), {"folder": broken}).content.decode()
    other = io.BytesIO(b"x")
    other.name = "photo.png"
    assert "a table of a study folder" in staff.post(reverse("upload"), {"folder": other}).content.decode()
    settings.UPLOAD_MOST_BYTES = 1_000
    for file in (
        zipped({"study.toml": b"x" * 2_000}),
        zipped({"prompts.jsonl.gz": gzip.compress(b"x" * 2_000)}),
    ):
        assert "MB in all" in staff.post(reverse("upload"), {"folder": file}).content.decode()
