"""What is said of a file on the command line."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Annotator, Answer, Prompt
from judging.models import Score

pytestmark = pytest.mark.django_db

ROLES = ["prompt=q", "response_a=one", "response_b=two", "preference=better"]


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    path = tmp_path / "p.csv"
    path.write_text("q,one,two,better\nQ,Oak,Ash,1\nR,Oak,Ash,-1\nS,Oak,Ash,-0.5\n")
    return path


def test_a_code_may_begin_with_a_minus(coded: Path) -> None:
    values = ["1=first", "-1=second_much", "-0.5=second"]
    call_command("import_study", str(coded), "--map", *ROLES, "--values", *values, stdout=StringIO())
    assert list(Answer.objects.order_by("pk").values_list("response__text", "value")) == [
        ("Oak", 1),
        ("Ash", 2),
        ("Ash", 1),
    ]


def test_an_option_that_there_is_not_is_an_error(coded: Path) -> None:
    with pytest.raises(CommandError, match="unrecognized arguments: --valued"):
        call_command("import_study", str(coded), "--map", *ROLES, "--valued", "1=first")


def test_files_with_other_newlines_speak_of_the_same_texts(tmp_path: Path) -> None:
    """Whoever sends them: two annotators of one response, and scores of it."""
    roles = ["prompt=q", "response=a", "annotator=who", "rating.quality=r"]
    for who, newline in (("w1", "\n"), ("w2", "\r\n"), ("w3", "\r")):
        path = tmp_path / f"{who}.csv"
        path.write_bytes(f'q,a,who,r\n"Write{newline}two","line one{newline}line two",{who},4\n'.encode())
        call_command("import_study", str(path), "--slug", "one", "--map", *roles, stdout=StringIO())
    assert [prompt.text for prompt in Prompt.objects.all()] == ["Write\ntwo"]
    assert Annotator.objects.count() == 3
    scores = tmp_path / "s.jsonl"
    scores.write_text('{"prompt": "Write\\r\\ntwo", "response": "line one\\rline two", "score": 0.5}\n')
    call_command(
        "import_scores", "one", str(scores), "--as", "table", "--scorer", "rm", "--yes", stdout=StringIO()
    )
    assert Score.objects.get().value == 0.5
