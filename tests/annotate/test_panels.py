"""Participants of a panel: known by a keyed hash alone, resumed, visited again, paid."""

import json
import re
from io import StringIO
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.core import serializers
from django.core.management import CommandError, call_command
from django.test import Client

from annotate import invites, pseudonyms
from annotate.folder import Form, export_folder, load_folder
from annotate.folder.study_toml import spec_of
from annotate.models import Annotator, Assignment, Study
from annotate.views.access import invite_path
from tests.annotate.stages import see, step, study_with, submit
from tests.annotate.test_journey import fill, url

pytestmark = pytest.mark.django_db

PID = "5f8d-participant-of-prolific"
SID = "77aa-session-of-prolific"


def link(study: Study, participant: str = PID, session: str = SID) -> str:
    return f"{invite_path(study)}?PROLIFIC_PID={participant}&STUDY_ID=s1&SESSION_ID={session}"


def come(study: Study, participant: str = PID, session: str = SID) -> Client:
    """Open the panel's link and press the button."""
    client = Client()
    client.post(see(client, link(study, participant, session))[0])
    return client


def test_a_pseudonym_is_a_keyed_hash(settings: object) -> None:
    key = pseudonyms.participant("tiny", PID)
    assert re.fullmatch(r"p-[0-9a-f]{16}", key)
    assert key == pseudonyms.participant("tiny", PID)
    assert key != pseudonyms.participant("other", PID)
    assert key.removeprefix("p-") != pseudonyms.visit("tiny", PID).removeprefix("v-")
    settings.PSEUDONYM_KEY = "another"  # type: ignore[attr-defined]
    assert key != pseudonyms.participant("tiny", PID)


def test_the_panels_ids_are_stored_nowhere_and_stay_in_the_first_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    study = study_with(consent="Agree?", break_after=1)
    client = Client()
    response = client.get(link(study))
    seen = [str(response.headers), response.content.decode()]
    where, page = see(client, response["Location"], go="1")
    seen += [response["Location"], where, page]
    seen += see(client, where, agree="yes")
    seen += submit(client, study)
    seen += see(client, step(study, "leave"), go="1")
    seen += [client.cookies.output(), str(client.session.items())]
    rows = [*Annotator.objects.all(), *Assignment.objects.all(), study]
    seen += [serializers.serialize("json", rows), caplog.text.replace(link(study), "")]
    assert Annotator.objects.get().key == pseudonyms.participant(study.slug, PID)
    assert not [text for text in seen if PID in text or SID in text]


def test_the_same_participant_is_the_same_annotator_on_any_device() -> None:
    study = study_with()
    submit(come(study), study)
    second = Client()
    assert "Welcome back" in see(second, link(study))[1]
    come(study)
    come(study, "somebody else")
    assert Annotator.objects.count() == 2


@pytest.mark.parametrize("around", [" ", "\u00a0", "\u200b", "\ufeff", "\u061c"])
def test_what_nobody_sees_around_an_id_makes_no_other_person(around: str) -> None:
    study = study_with()
    come(study, PID)
    come(study, quote(f"{around}{PID}{around}"))
    assert Annotator.objects.get().key == pseudonyms.participant(study.slug, PID)


def test_two_participants_at_one_computer_are_two_annotators() -> None:
    study = study_with()
    client = Client()
    for participant in ("one", "two", "one"):
        client.post(see(client, link(study, participant))[0])
    assert Annotator.objects.count() == 2
    held = fill(client.get(url(study)).content.decode())["assignment"]
    assert Assignment.objects.get(pk=held).annotator == Annotator.objects.get(
        key=pseudonyms.participant(study.slug, "one")
    )


def test_a_reload_and_a_second_press_change_nothing() -> None:
    study = study_with(session_items=2)
    for _ in range(3):
        come(study)
    found = Annotator.objects.get()
    assert (found.session, found.session_start) == (pseudonyms.visit(study.slug, SID), 0)


def test_a_visit_ends_after_its_items_and_a_new_session_begins_another() -> None:
    study = study_with(session_items=2, completion_codes={"finished": "FIN"}, shape={"responses": 5})
    client = come(study)
    assert [submit(client, study)[0] for _ in range(2)] == [url(study), step(study, "end")]
    found = Annotator.objects.get()
    assert (found.outcome, found.session_start) == ("finished", 0)
    where, page = see(come(study), url(study))  # the same visit again
    assert (where, "FIN" in page) == (step(study, "end"), True)
    assert "Do more" not in page
    client = come(study, session="a new one")
    found.refresh_from_db()
    assert (found.stage, found.session_start) == ("work", 2)
    assert [submit(client, study)[0] for _ in range(2)] == [url(study), step(study, "end")]
    assert Assignment.objects.submitted().count() == 4


def test_whoever_comes_from_no_panel_may_do_another_round() -> None:
    study = study_with(session_items=2, shape={"responses": 5})
    client = Client()
    client.post(invite_path(study))
    submit(client, study)
    page = submit(client, study)[1]
    assert "There is more to do" in page
    assert see(client, step(study, "resume"), go="1")[0] == url(study)
    assert Annotator.objects.get().session_start == 2


def test_a_screened_out_participant_stays_so_in_a_new_session() -> None:
    study = study_with(checks=[{"text": "?", "options": ["a", "b"], "right": 0}], check_tries=1)
    see(come(study), step(study, "check"), q0="1", tries="0")
    assert see(come(study, session="new"), url(study))[0] == step(study, "end")


def test_other_panels_have_other_names() -> None:
    study = study_with(panel_names={"participant": "workerId", "session": "assignmentId"})
    client = Client()
    where, _ = see(client, f"{invite_path(study)}?workerId=W1&assignmentId=A1")
    client.post(where)
    found = Annotator.objects.get()
    assert (found.key, found.session) == (
        pseudonyms.participant(study.slug, "W1"),
        pseudonyms.visit(study.slug, "A1"),
    )
    assert see(Client(), link(study))[0] == link(study)  # Prolific's names mean nothing here


@pytest.mark.parametrize("names", [{}, {"participant": ""}])
def test_a_study_of_no_panel_ignores_parameters(names: dict[str, str]) -> None:
    study = study_with(panel_names=names)
    client = Client()
    client.post(see(client, f"{link(study)}&=x")[0])
    assert Annotator.objects.get().key.startswith("a-")


def test_the_researcher_finds_people_again() -> None:
    study = study_with()
    come(study)
    out = StringIO()
    call_command("pseudonym", study.slug, PID, "nobody", stdout=out)
    lines = [line.split("\t") for line in out.getvalue().splitlines()]
    assert lines == [
        [PID, Annotator.objects.get().key, "work"],
        ["nobody", pseudonyms.participant(study.slug, "nobody"), "never came"],
    ]
    with pytest.raises(CommandError, match="There is no study 'nix'"):
        call_command("pseudonym", "nix", PID)


def test_a_forged_name_names_nobody() -> None:
    study = study_with()
    client = Client()
    client.post(f"{invite_path(study)}?as={json.dumps(['p-0000000000000000', ''])}")
    assert Annotator.objects.get().key.startswith("a-")


NOBODY = [
    *(
        "",
        " ",
        "\u200b",
        "{{%PROLIFIC_PID%}}",
        "{{PROLIFIC_PID}}",
        "${workerId}",
        "${e://Field/PROLIFIC_PID}",
    ),
    *("[ID]", "<id>", "%PID%", "|ID|", "$ID", "@@ID@@", "~~pid~~", "WORKER_ID_NOT_AVAILABLE"),
    *("undefined", "null", "None", "NaN", "[object Object]", "N/A", "(null)", "-"),
    *("PROLIFIC_PID", "SESSION_ID", "participant id", "XXXX", "0000"),
]


@pytest.mark.parametrize("given", NOBODY)
def test_a_placeholder_is_no_person(given: str) -> None:
    study = study_with()
    for _stranger in range(2):
        client = Client()
        response = client.get(invite_path(study), {"PROLIFIC_PID": given, "SESSION_ID": SID})
        assert response.status_code == 400
        assert "open the study from there" in response.content.decode()
        address = f"{invite_path(study)}?{urlencode({'PROLIFIC_PID': given})}"
        assert client.post(address).status_code == 400
        assert not client.cookies.get(f"annotator-{study.slug}")
    assert Annotator.objects.count() == 0
    assert invites.turned_away(study) == 4


@pytest.mark.parametrize(
    "given",
    [PID, "5f1a2b3c4d5e6f7a8b9c0d1e", "A2XJ5M9QK1V7RT", "7", "0", "nobody", "jo@example.org", "o'brien"],
)
def test_whatever_a_panel_calls_somebody_is_a_person(given: str) -> None:
    study = study_with()
    come(study, quote(given))
    assert Annotator.objects.get().key == pseudonyms.participant(study.slug, given)


def test_a_panels_link_that_names_nobody_lets_nobody_in() -> None:
    study = study_with()
    assert Client().get(f"{invite_path(study)}?STUDY_ID=s1&SESSION_ID=77").status_code == 400
    assert Client().get(f"{link(study, 'one')}&PROLIFIC_PID=two").status_code == 400
    where, _ = see(Client(), f"{invite_path(study)}?PROLIFIC_PID={{{{x}}}}&PROLIFIC_PID=one")
    assert "as=" in where


def test_visits_that_the_panel_does_not_tell_apart_are_one() -> None:
    study = study_with(session_items=2)
    come(study, session="{{%SESSION_ID%}}")
    assert Annotator.objects.get().session == ""


def test_a_study_may_take_nobody_but_a_panels_people() -> None:
    study = study_with(panel_required=True)
    client = Client()
    response = client.get(invite_path(study))
    assert (response.status_code, client.post(invite_path(study)).status_code) == (400, 400)
    assert "open the study from there" in response.content.decode()
    known = come(study)
    assert "Welcome back" in see(known, invite_path(study))[1]
    assert Annotator.objects.get().key == pseudonyms.participant(study.slug, PID)


def test_what_a_study_requires_goes_with_its_folder(tmp_path: Path) -> None:
    study = study_with(panel_required=True)
    export_folder(study, tmp_path / "out", Form("jsonl"))
    assert "required = true" in (tmp_path / "out" / "study.toml").read_text()
    load_folder(tmp_path / "out", slug="again")
    again = Study.objects.get(slug="again")
    assert again.panel_required
    assert spec_of(again).panel == spec_of(study).panel


PANEL_IDS = [
    "5f1a2b3c4d5e6f7a8b9c0d1e",  # Prolific
    "5F1A2B3C4D5E6F7A8B9C0D1E",
    "A2XJ5M9QK1V7RT",  # Mechanical Turk
    "AABCDEFGHIJKLM",
    "0A1B2C3D4E5F60718293A4B5C6D7E8F9",  # Connect
    "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    "R_3fGhT56kLm0aXyZ",  # Qualtrics
    "jo@example.org",
]


@pytest.mark.parametrize("name", PANEL_IDS)
def test_a_panels_id_in_a_file_becomes_a_pseudonym(name: str, tmp_path: Path) -> None:
    """Whatever panel it is of, and the same as for a person who comes by the panel's link."""
    path = tmp_path / "ratings.csv"
    path.write_text(f"q,a,who,r\nQ,A,{name},4\nQ,A,ann,2\n")
    roles = ["prompt=q", "response=a", "annotator=who", "rating.quality=r"]
    call_command(
        "import_study", str(path), "--as", "mapped", "--slug", "files", "--map", *roles, stdout=StringIO()
    )
    assert set(Annotator.objects.values_list("key", flat=True)) == {
        pseudonyms.participant("files", name),
        "ann",
    }


@pytest.mark.parametrize("name", ["{{%PROLIFIC_PID%}}", "${workerId}", "[ID]", "%PID%", "@@ID@@", "**PID**"])
def test_a_placeholder_in_a_file_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text(f"q,a,who,r\nQ,A,ann,4\nQ,A,{name},2\n")
    roles = ["prompt=q", "response=a", "annotator=who", "rating.quality=r"]
    with pytest.raises(CommandError, match=r"ratings\.csv.*3.*placeholder"):
        call_command("import_study", str(path), "--as", "mapped", "--map", *roles)


@pytest.mark.parametrize(
    "name",
    ["ann", "annotator-12", "P07", "Annika", "worker_3", "a-1f2e3d4c5b", "NA", "None", "12", "c#", "#1"],
)
def test_an_ordinary_name_stays(name: str) -> None:
    assert not pseudonyms.is_panel_id(name)
    assert not pseudonyms.is_template(name)
