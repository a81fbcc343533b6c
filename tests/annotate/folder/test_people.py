"""Who judged, in a study folder: nobody is a placeholder, and nobody is known by an id of a panel."""

from pathlib import Path

import pytest

from annotate import pseudonyms
from annotate.folder import FolderError, load_folder
from annotate.folder.people import People, known_as
from annotate.models import Annotator, Judgment, Prompt, Response

from .small import Tables, small, write_folder

pytestmark = pytest.mark.django_db

PANEL_IDS = (
    "5f3c1a2b4d5e6f7a8b9c0d1e",
    "A1B2C3D4E5F6G7",
    "ann@example.org",
    "0123456789ABCDEF0123456789abcdef",
)


def renamed(name: str) -> Tables:
    """The small study, with another name for ann wherever a table names her."""
    tables = small()
    for table in ("annotators", "answers"):
        for row in tables[table]:
            if row["annotator_id"] == "ann":
                row["annotator_id"] = name
    return tables


@pytest.mark.parametrize(
    "name",
    [
        "{{%PROLIFIC_PID%}}",
        "[%PROLIFIC_PID%]",
        "${e://Field/PROLIFIC_PID}",
        "%%ID%%",
        "%7B%7BPID%7D%7D",
        "undefined",
        "null",
        " ",
        "",
    ],
)
@pytest.mark.parametrize("table", ["annotators", "answers"])
def test_a_placeholder_is_nobody(tmp_path: Path, name: str, table: str) -> None:
    tables = renamed(name)
    if table == "answers":
        del tables["annotators"]
    with pytest.raises(
        FolderError, match=rf"{table}\.jsonl, line 1, annotator_id: expected (who judged|an id)"
    ):
        load_folder(write_folder(tmp_path / "in", tables))
    assert not Annotator.objects.exists()


@pytest.mark.parametrize("name", PANEL_IDS)
def test_an_id_of_a_panel_becomes_a_pseudonym_in_every_table(tmp_path: Path, name: str) -> None:
    loaded = load_folder(write_folder(tmp_path / "in", renamed(name)))
    assert set(Annotator.objects.values_list("key", flat=True)) == {
        pseudonyms.participant("small", name),
        *("bob",),
    }
    assert "1 annotator id looks like an e-mail address" in str(loaded)
    # Once more: the same person, and nothing new.
    again = load_folder(tmp_path / "in")
    assert not any(again.new.values())
    assert Judgment.objects.count() == loaded.new["judgments"]


def test_who_is_stored_under_such_an_id_stays_one_person(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", renamed(PANEL_IDS[0]))
    with known_as(People(unchanged=True)):
        load_folder(folder)
    assert not any(load_folder(folder).new.values())
    assert set(Annotator.objects.values_list("key", flat=True)) == {PANEL_IDS[0], "bob"}


def test_who_is_called_as_nobody_is_said(tmp_path: Path) -> None:
    loaded = load_folder(write_folder(tmp_path / "in", renamed("NA")))
    assert "Annotators called as nobody is, 'NA', were each taken for one person." in str(loaded)


def test_what_nobody_sees_around_names_is_nobody_s_meaning(tmp_path: Path) -> None:
    """Sources and categories too; and what was stored before that rule is what comes in now."""
    tables = small()
    tables["responses"][0]["source"] = "\ufeffllm\u00a0"
    tables["prompts"][0]["category"] = [" prose\u200b"]
    folder = write_folder(tmp_path / "in", tables)
    load_folder(folder)
    assert Response.objects.order_by("pk").first().source == "llm"  # type: ignore[union-attr]
    assert Prompt.objects.order_by("pk").first().category == ["prose"]  # type: ignore[union-attr]
    Response.objects.filter(source="llm").update(source="llm ")
    assert not any(load_folder(folder).new.values())
