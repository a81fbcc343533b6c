"""The similarity page, its JSON and its command, on the demo and on real sentences."""

from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotate.models import Study
from judging.folder.scores import load_folder
from judging.results.similarity import report as similarity
from judging.runs import work as scoring
from tests.factories import make_study
from tests.results.commands import json_of

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")

told = partial(json_of, "similarity")


def test_page_and_command_say_the_same(demo: Study, auditor: Client) -> None:
    found = told("demo")
    assert auditor.get("/studies/demo/similarity/", {"format": "json"}).json() == found
    rows = found["measures"]
    assert isinstance(rows, list)
    assert [r["measure"] for r in rows] == ["minilm", similarity.WORDS]
    embedder, words = rows
    assert embedder["spearman"]["low"] < embedder["spearman"]["estimate"] < embedder["spearman"]["high"]
    assert embedder["n_pairs"] == 32
    assert embedder["given_lexical"]["estimate"] is not None
    assert words["given_lexical"]["reason"]
    assert [len(embedder[side]) for side in ("false_alike", "false_different")] == [5, 5]
    assert embedder["calibration"]["noise_floor"] < embedder["calibration"]["rmse"]
    comparisons = found["comparisons"]
    assert isinstance(comparisons, list)
    (comparison,) = comparisons
    assert comparison["p"] == comparison["p_adjusted"]
    html = auditor.get("/studies/demo/similarity/").content.decode()
    assert "Simulated." in html
    assert html.count('class="card read"') == 10
    assert "<svg" in html
    other = auditor.get("/studies/demo/similarity/", {"measure": similarity.WORDS}).content.decode()
    assert "word overlap on similarity" in other
    assert auditor.get("/studies/demo/similarity/", {"measure": "nobody"}).status_code == 404


def test_numbers_in_words_say_simulated(demo: Study) -> None:
    out = StringIO()
    call_command("similarity", "demo", stdout=out)
    assert out.getvalue().startswith("This study is simulated")
    assert "minilm against similarity: Spearman" in out.getvalue()


@pytest.mark.django_db
def test_what_is_missing_is_said(auditor: Client) -> None:
    make_study("bare", kinds=("single",))
    assert "asks how alike two responses are" in auditor.get("/studies/bare/similarity/").content.decode()
    make_study("tiny")
    assert "manage.py score tiny --scorer minilm" in auditor.get("/studies/tiny/similarity/").content.decode()
    assert told("tiny")["measures"] == []
    with pytest.raises(CommandError, match="score tiny --scorer minilm"):
        call_command("similarity", "tiny", stdout=StringIO())
    with pytest.raises(CommandError, match="no study"):
        call_command("similarity", "nobody", stdout=StringIO())


def test_biosses_agrees_with_the_published_correlation(shared: Path, db: None, auditor: Client) -> None:
    """all-MiniLM-L6-v2 has Spearman .816 on BIOSSES in MTEB, on the annotators' mean as here."""
    load_folder(shared / "data" / "biosses")
    study = Study.objects.get(slug="biosses")
    scoring.score(study, "minilm")
    row = similarity.compute(study).rows[0]
    assert row.result.spearman.estimate == pytest.approx(0.816, abs=0.005)
    assert row.result.n_pairs == 100
    # Each prompt is one pair, so nothing can be said within prompts, or of unusualness.
    assert row.result.within_spearman.estimate is None
    assert row.calibration.overstatement.estimate is None
    assert row.calibration.noise_floor is not None
    assert auditor.get("/studies/biosses/similarity/").status_code == 200
