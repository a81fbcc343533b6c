"""A panel's own export: whom it rejected does not count, and nobody else changes."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from annotate import pseudonyms, submissions
from annotate.folder import FolderError
from annotate.models import Annotator, Judgment, Study, TrailEntry
from tests.annotate.stages import study_with, submit
from tests.annotate.test_panels import come

pytestmark = pytest.mark.django_db

PROLIFIC = """Submission id,Participant id,Status,Started at,Time taken
s1,one,APPROVED,2026-11-01,61
s2,two,REJECTED,2026-11-01,9
s3,three,RETURNED,2026-11-01,
s4,four,APPROVED,2026-11-01,70
s5,four,REJECTED,2026-11-02,7
s6,five,REJECTED,2026-11-02,7
s7,CONSENT_REVOKED,RETURNED,2026-11-02,
"""


@pytest.fixture
def study() -> Study:
    study = study_with(shape={"seats": 9})
    for person in ("one", "two", "three", "four"):
        submit(come(study, person), study)
    return study


def key(person: str) -> str:
    return pseudonyms.participant("tiny", person)


def counted() -> set[str]:
    return set(Judgment.objects.counted().values_list("assignment__annotator__key", flat=True))


def exported(folder: Path, text: str = PROLIFIC) -> Path:
    path = folder / "prolific_export.csv"
    path.write_text(text)
    return path


def test_the_command_excludes_whom_the_panel_rejected(study: Study, tmp_path: Path) -> None:
    out = StringIO()
    call_command("submissions", "tiny", str(exported(tmp_path)), "--dry-run", stdout=out)
    assert f"{key('two')}: would be excluded (rejected)" in out.getvalue()
    assert Annotator.objects.exclude(excluded="").count() == 0
    for excluded, before in ((1, 0), (0, 1)):
        out = StringIO()
        call_command("submissions", "tiny", str(exported(tmp_path)), stdout=out)
        said = out.getvalue()
        assert "6 submissions: 3 rejected, 2 approved, 1 returned." in said
        assert "1 more name nobody" in said
        assert f"{excluded} excluded; {before} were before; 1 never came here." in said
        assert f"{key('four')}: left as it is" in said
    assert counted() == {key("one"), key("three"), key("four")}
    entry = TrailEntry.objects.get(action="excluded")
    assert entry.details == {"reason": "the panel says: rejected", "judgments": 1}
    call_command(
        "submissions", "tiny", str(exported(tmp_path)), "--exclude", "rejected", "RETURNED", stdout=out
    )
    assert counted() == {key("one"), key("four")}


@pytest.mark.parametrize("around", ["\u00a0", "\u200b", "\ufeff"])
def test_what_nobody_sees_around_an_id_is_no_other_person(study: Study, tmp_path: Path, around: str) -> None:
    path = exported(tmp_path, f"Participant id,Status\n{around}two{around},REJECTED{around}\n")
    assert submissions.read(study, path).people == {key("two"): ["rejected"]}


def test_mechanical_turks_results_are_read_too(study: Study, tmp_path: Path) -> None:
    path = exported(tmp_path, "HITId,WorkerId,AssignmentStatus\nh,two,Rejected\nh,one,Approved\n")
    assert submissions.read(study, path).people == {key("two"): ["rejected"], key("one"): ["approved"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Name,Status\none,REJECTED\n", "Participant id"),
        ("Participant id,Grade\none,REJECTED\n", "Status"),
        ("Participant id,WorkerId,Status\none,two,REJECTED\n", "Participant id and WorkerId"),
        ("Participant id,Status\none,\n", "a status"),
    ],
)
def test_a_file_that_does_not_say_who_and_what_is_refused(
    study: Study, tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(FolderError, match=words):
        submissions.read(study, exported(tmp_path, text))


def test_a_status_that_nobody_has_is_an_error(study: Study, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no submission is “rejectd”"):
        call_command("submissions", "tiny", str(exported(tmp_path)), "--exclude", "rejectd")


def test_the_page_shows_first_and_keeps_no_id(study: Study) -> None:
    desk = Client()
    desk.force_login(User.objects.create_user("root", is_staff=True, is_superuser=True))
    page = "/studies/tiny/submissions/"
    sent = SimpleUploadedFile("export.csv", PROLIFIC.encode())
    looked = desk.post(page, {"file": sent}).content.decode()
    assert "6 submissions of 5 people, 4 of whom came to this study." in looked
    assert "two" not in looked
    assert counted() == {key(person) for person in ("one", "two", "three", "four")}
    read = looked.partition('name="read" value="')[2].partition('"')[0]
    done = desk.post(page, {"read": read, "status": ["rejected"]}, follow=True).content.decode()
    assert "Excluded: 1." in done
    assert key("four") in done
    assert counted() == {key("one"), key("three"), key("four")}
    assert "too old, or another study" in desk.post(page, {"read": read + "x"}, follow=True).content.decode()
    wrong = desk.post(page, {"file": SimpleUploadedFile("export.csv", b"Name\nx\n")})
    assert wrong.status_code == 422
    assert "Participant id" in wrong.content.decode()
