"""What was read as what, and what is left out, stands on the page of every reader before anything is stored."""

import html
import io
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from annotate.formats import FORMATS, Options, read_scores
from annotate.models import Answer, Response, Study
from judging.imports.forms import CHOICES
from judging.models import Score
from tests.annotate.formats.samples import NAMES, Sample, brought, sample

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, settings: Settings, tmp_path: Path) -> Client:
    settings.WORK_DIR = tmp_path / "work"
    client.force_login(User.objects.create_superuser("ines"))
    return client


def fields(one: Sample) -> dict[str, object]:
    """The options of a sample as the page's form takes them."""
    mapping = dict(one.options.get("mapping", {}))
    roles = {role: mapping.pop(role) for role in list(mapping) if role in dict(CHOICES)}
    pairs = [(column, role) for role, named in roles.items() for column in named.split(",")]
    return {
        "slug": "mine",
        "voters": "auto",
        "format": one.format,
        "look": "1",
        "scorer": one.options.get("scorer", ""),
        "column": [column for column, _ in pairs],
        "role": [role for _, role in pairs],
        "further": " ".join(f"{role}={column}" for role, column in mapping.items()),
    }


def stored() -> tuple[int, int, int]:
    return Response.objects.count(), Answer.objects.count(), Score.objects.count()


@pytest.mark.parametrize("name", [name for name in NAMES if sample(name).format != "table"])
def test_the_page_says_what_answers_were_read_as(staff: Client, name: str) -> None:
    one = sample(name)
    if one.into:
        brought(sample(one.into).paths, slug="mine")
    before = stored()
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in one.paths]
    staff.post("/desk/import/", {"sent": files})
    page = html.unescape(staff.post("/desk/import/look/", fields(one)).content.decode())
    remarks = [remark for remark in one.gives["remarks"] if not remark.startswith("Taken for")]
    assert remarks
    assert [remark for remark in remarks if remark not in page] == []
    assert stored() == before


@pytest.mark.parametrize("name", [name for name in NAMES if FORMATS[sample(name).format].scores])
def test_the_page_says_what_scores_were_read_as(staff: Client, name: str) -> None:
    one = sample(name)
    study = Study.objects.create(slug="mine", title="Mine")
    said = read_scores(one.paths, one.format, Options(**one.options | {"scorer": "s"}), lambda record: None)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path in one.paths:
            file.write(path, path.name)
    sent = SimpleUploadedFile("f.zip", archive.getvalue())
    look = f"/studies/{study.slug}/runs/files/look/"
    staff.post(f"/studies/{study.slug}/runs/files/", {"sent": sent, "format": one.format, "scorer": "s"})
    page = html.unescape(staff.post(look, fields(one) | {"scorer": "s"}).content.decode())
    assert [remark for remark in said if remark not in page] == []
    assert not Score.objects.exists()
