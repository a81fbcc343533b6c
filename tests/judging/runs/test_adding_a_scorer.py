"""The README's section is followed to the letter: its module, its setting, its command."""

import re
import sys
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from annotate.models import Response
from judging.models import Score, ScoreRun
from judging.runs import work as scoring
from judging.scorers import Scorer
from tests.factories import make_study

README = (Path(__file__).parents[3] / "judging" / "scorers" / "README.md").read_text()


@pytest.mark.django_db
def test_the_readme_adds_a_scorer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    section = README.split("## Adding a scorer")[1].split("\n## ")[0]
    module_text, setting = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    path = re.search(r"`(judging/scorers/\w+\.py)`", section)
    assert path is not None
    name = path[1].removesuffix(".py").replace("/", ".")
    module = ModuleType(name)
    exec(module_text, module.__dict__)
    monkeypatch.setitem(sys.modules, name, module)
    settings.SCORERS = dict(settings.SCORERS)
    exec(setting, {"SCORERS": settings.SCORERS})
    assert isinstance(scoring.build("exclaim"), Scorer)

    make_study(prompts=1, responses=3, kinds=["single"])
    Response.objects.filter(key="secret-model-0-1").update(text="Hear! Hear!")
    out = StringIO()
    call_command("score", "tiny", "--scorer", "exclaim", stdout=out, stderr=StringIO())
    assert "scored 3 responses" in out.getvalue()
    assert dict(Score.objects.values_list("response__key", "value"))["secret-model-0-1"] == -4
    assert ScoreRun.objects.get().identity == {"model": "exclamation marks", "weight": 2.0}


def test_the_readme_names_every_class_there_is() -> None:
    from importlib import import_module

    table = README.split("| class, after `judging.scorers.` | what |")[1].split("\n\n")[0]
    for row in table.splitlines()[2:]:
        first, *more = re.findall(r"`([\w.]+)`", row.split("|")[1])
        module, _, _ = first.rpartition(".")
        for named in (first, *(module + other for other in more)):
            place, _, kind = named.rpartition(".")
            assert hasattr(import_module(f"judging.scorers.{place}"), kind)
