"""The replication panel: page, command and JSON; studies in the database, and files in the released shapes."""

import json
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from scipy import stats as scipy_stats

from annotate.models import Answer, Study
from judging.folder.scores import load_folder
from judging.models import Score
from judging.results.replication import report as replication
from judging.stats import Family, replicate_ratings
from judging.stats.core.label_lists import label_counts
from tests.factories import make_study
from tests.results.commands import json_of

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")

PROMPTS, RESPONSES, PAIRS = 8, 6, 5


replication_json = partial(json_of, "replication")


def test_page_and_command_say_the_same(demo: Study, auditor: Client) -> None:
    record = replication_json("demo")
    assert auditor.get("/studies/demo/replication/", {"format": "json"}).json() == record
    assert auditor.get("/api/v1/studies/demo/replication/").json() == record
    panels = record["panels"]
    assert [(p["scorer"], p["criterion"]) for p in panels] == [
        (scorer, criterion)
        for criterion in ("quality", "preference")
        for scorer in ("rm-conventional", "rm-fair", "length")
    ]  # fmt: skip
    assert [len(p["cells"]) for p in panels] == [15 * 4] * 3 + [17 * 4] * 3
    for cell in (c for p in panels for c in p["cells"]):
        assert cell["found"]["n"] > 0 or cell["found"]["reason"]
        for estimate in (cell["found"], cell["null"]):
            assert estimate["low"] is not None or estimate["reason"]
    html = auditor.get("/studies/demo/replication/").content.decode()
    assert "Simulated." in html
    assert html.count('role="img"') == 1
    assert html.count("top 16 %") >= 4
    chosen = {"criterion": "preference", "scorer": "rm-fair", "method": "pearson"}
    other = auditor.get("/studies/demo/replication/", chosen).content.decode()
    assert "rm-fair on preference" in other
    assert "Pearson’s correlation with people on preference" in other
    overview = auditor.get("/studies/demo/replication/", {"overview": ""}).content.decode()
    assert overview.count("?scorer=") == 6
    assert "similar, k = 0.5" in overview
    only = auditor.get(
        "/api/v1/studies/demo/replication/", {"scorer": "rm-fair", "criterion": "quality"}
    ).json()
    assert only["panels"] == [p for p in panels if (p["scorer"], p["criterion"]) == ("rm-fair", "quality")]
    for wrong in ({"scorer": "nobody"}, {"criterion": "beauty"}, {"method": "kendall"}):
        assert auditor.get("/studies/demo/replication/", wrong).status_code == 404


def test_the_widest_cell_equals_scipy_on_rows_read_by_hand(demo: Study) -> None:
    panel = replication.compute(demo, "rm-fair")[0]
    scores = pd.Series(dict(Score.objects.filter(run__scorer="rm-fair").values_list("response_id", "value")))
    rows = Answer.objects.filter(criterion__key="quality", judgment__assignment__item__role="main")
    given = pd.DataFrame(
        list(rows.values_list("response_id", "value")), columns=["response", "value"]
    ).dropna()
    means = given.groupby("response")["value"].mean()
    by_hand = scipy_stats.spearmanr(scores.loc[means.index], means).statistic
    cell = panel.cells[0]
    assert (cell.family, cell.method, cell.scope, cell.found.n) == (
        Family.FULL,
        "spearman",
        "pooled",
        len(means),
    )
    assert cell.found.estimate == pytest.approx(by_hand)


def test_queries_do_not_grow_with_scorers(demo: Study) -> None:
    with CaptureQueriesContext(connection) as made:
        replication.compute(demo)
    assert len(made) <= 20


def test_pandalm_has_a_panel_of_both_judges(shared: Path, db: None, auditor: Client) -> None:
    load_folder(shared / "data" / "pandalm")
    panels = replication.compute(Study.objects.get(slug="pandalm"))
    assert [p.scorer for p in panels] == ["PandaLM-7B", "gpt-3.5-turbo", "length"]
    assert panels[1].n_left_out == 25
    assert panels[0].cells[0].found.n == 999
    assert auditor.get("/studies/pandalm/replication/").status_code == 200


def test_a_study_without_labels_says_why(db: None, auditor: Client) -> None:
    make_study("bare", kinds=("set",))
    assert "needs a rating of the quality" in auditor.get("/studies/bare/replication/").content.decode()
    make_study("asked", kinds=("single", "pair"))
    assert "Nobody has rated" in auditor.get("/studies/asked/replication/").content.decode()
    assert "Nobody has rated" in auditor.get("/studies/asked/replication/?overview").content.decode()
    assert replication_json("asked")["panels"] == []
    with pytest.raises(CommandError, match="Nobody has rated"):
        call_command("replication", "asked", stdout=StringIO())
    with pytest.raises(CommandError, match="no study"):
        call_command("replication", "none", stdout=StringIO())


def released() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Made rows in the released shapes: ragged lists with gaps; columns that are missing from one file."""
    rng = np.random.default_rng(4)
    absolute, pairwise, scores = [], [], []
    for p in range(PROMPTS):
        quality = rng.normal(3.3, 0.7, RESPONSES)
        texts = [f"Made answer {r} to query {p}." for r in range(RESPONSES)]
        for r, text in enumerate(texts):
            labels = np.clip(np.round(quality[r] + rng.normal(0, 1, rng.integers(23, 27))), 1, 5).tolist()
            labels[0] = float("nan") if r == 0 else labels[0]
            row = {"user_query": f"Made query {p}?", "response": text, "human_labels": labels}
            absolute.append(row if r else row | {"human_labels": json.dumps([*labels[1:], None])})
            scores.append(
                {"prompt": f"Made query {p}?", "response": text, "score": quality[r] + rng.normal(0, 0.5)}
            )
        for k in range(PAIRS):
            margin = quality[k] - quality[k + 1]
            labels = np.clip(np.round(margin + rng.normal(0, 1, 25)), -2, 2).astype(int).tolist()
            pairwise.append(
                {
                    "user_query": f"Made query {p}?", "response_1": texts[k], "response_2": texts[k + 1],
                    "human_labels": labels, "form_id": p + 1, "question_id": f"Q{k + 1}",
                }
            )  # fmt: skip
    return absolute, pairwise, scores


def test_whoever_has_the_released_files_gets_the_panel(tmp_path: Path, auditor: Client) -> None:
    """By commands only, as README says it; and the numbers are those of the files read without the database."""
    absolute, pairwise, scores = released()
    pd.DataFrame([r | {"human_labels": str(r["human_labels"])} for r in absolute]).to_csv(
        tmp_path / "absolute.csv", index=False
    )
    pd.DataFrame(pairwise).to_parquet(tmp_path / "pairwise.parquet")
    pd.DataFrame(scores).to_csv(tmp_path / "scores.csv", index=False)
    quiet = {"stdout": StringIO()}
    slug = ["--slug", "hivemind"]
    call_command("import_study", str(tmp_path / "absolute.csv"), "--as", "infinity-absolute", *slug, **quiet)
    call_command(
        "import_study", str(tmp_path / "pairwise.parquet"), "--as", "infinity-pairwise", *slug, **quiet
    )
    call_command(
        "import_scores", "hivemind", str(tmp_path / "scores.csv"), "--as", "table", "--scorer", "rm", "--yes", **quiet
    )  # fmt: skip
    panels = {(p["scorer"], p["criterion"]): p for p in replication_json("hivemind")["panels"]}
    assert list(panels) == [
        ("rm", "quality"), ("length", "quality"), ("rm", "preference"), ("length", "preference"),
    ]  # fmt: skip
    assert panels["rm", "quality"]["n_judged"] == PROMPTS * RESPONSES
    assert panels["rm", "preference"]["n_judged"] == PROMPTS * PAIRS
    # The file itself, without the database.
    counts = label_counts([r["human_labels"] for r in absolute], range(1, 6))
    by_hand = replicate_ratings(
        counts,
        [1.0, 2.0, 3.0, 4.0, 5.0],
        [r["user_query"] for r in absolute],
        [r["score"] for r in scores],
        rng=np.random.default_rng(replication.SEED),
    )
    for cell, found in zip(by_hand, panels["rm", "quality"]["cells"], strict=True):
        assert found["found"]["n"] == cell.found.n
        assert found["found"]["estimate"] == pytest.approx(cell.found.estimate)
    assert panels["rm", "preference"]["cells"][0]["found"]["estimate"] > 0.3
    html = auditor.get("/studies/hivemind/replication/").content.decode()
    assert "rm on quality" in html or "length on quality" in html
