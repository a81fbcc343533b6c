"""What is said of a file on the command line."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Answer

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
