"""What was measured of a pool on disk, in the database: brought in, written out, and used where it counts."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotate.folder import FolderError, Form
from annotate.models import Study
from judging.corpus import runs
from judging.corpus.cluster import Cluster
from judging.corpus.pool import Pool, write_pool
from judging.folder.scores import export_folder, load_folder, remove_judged
from judging.frames import tables as frames
from judging.models import Embedding, PoolSummary, PoolUnusualness, ScoreRun
from judging.results import audit
from tests.corpus.conftest import rows
from tests.corpus.made import vector
from tests.corpus.test_corpus import MADE, one_machine

pytestmark = pytest.mark.django_db

STUDY = """
slug = "judged"
title = "A part of a larger pool"
seats = 2
simulated = true

[[criterion]]
key = "quality"
on = "single"
kind = "rating"
measures = "quality"
text = "How good?"
scale = [1, 5]
"""
JUDGED = 4
"""Responses of each prompt that are judged."""


def put(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def folder(tmp_path: Path, cluster: Cluster) -> Path:
    """A study folder whose responses are a measured pool, of which items show a part."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    made = rows()
    put(folder / "prompts.jsonl", [{"prompt_id": f"p{p}", "text": f"Question {p}?"} for p in range(7)])
    judged = [r for r in made if int(r["response_id"].partition("-")[2]) < JUDGED]
    items = [
        {"item_id": r["response_id"], "kind": "single", "prompt_id": r["prompt_id"], "response_ids": [r["response_id"]]}
        for r in judged
    ]  # fmt: skip
    put(folder / "items.jsonl", items)
    rng = np.random.default_rng(5)
    answers = [
        {"item_id": r["response_id"], "annotator_id": who, "criterion": "quality", "response_id": r["response_id"],
         "value": int(rng.integers(1, 6))}
        for r in judged for who in ("ann", "ben")
    ]  # fmt: skip
    put(folder / "answers.jsonl", answers)
    put(
        folder / "scores.jsonl",
        [
            {"scorer": "machine", "response_id": r["response_id"], "value": float(rng.normal())}
            for r in judged
        ],
    )
    measure(Pool(str(folder)), cluster, made)
    return folder


def measure(pool: Pool, cluster: Cluster, made: list[dict[str, Any]], partitions: int = 3) -> None:
    write_pool(pool, made, partitions)
    for step in (runs.embed, runs.unusualness, runs.homogeneity):
        step(pool, MADE, cluster)


def test_a_study_holds_what_is_judged_and_the_pool_s_numbers(folder: Path) -> None:
    loaded = load_folder(folder)
    assert loaded.rows["responses"] == loaded.study.responses.count() == 7 * JUDGED
    assert loaded.new["pools"] == 1
    pool = PoolSummary.objects.get(study=loaded.study)
    summary = json.loads((folder / "corpus" / "made" / "summary.json").read_text())
    assert (pool.name, pool.n_responses) == ("made", 84)
    assert pool.homogeneity is not None
    assert pool.homogeneity["within"] == summary["within"]
    found = dict(pool.unusualness.values_list("response__key", "value"))
    expected = one_machine()
    assert found == pytest.approx({key: expected[key] for key in found}, abs=1e-6)
    assert len(found) == 7 * JUDGED


def test_loading_again_changes_nothing(folder: Path) -> None:
    load_folder(folder)
    before = list(PoolUnusualness.objects.values_list())
    again = load_folder(folder)
    assert not any(again.new.values())
    assert list(PoolUnusualness.objects.values_list()) == before


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_an_export_gives_the_same_back(folder: Path, tmp_path: Path, form: str) -> None:
    study = load_folder(folder).study
    export_folder(study, tmp_path / "out", Form(form))
    other = load_folder(tmp_path / "out", slug="again").study
    columns = ("name", "identity", "n_responses", "computed_at", "digest", "homogeneity")
    told = [list(s.pool_summaries.values_list(*columns)) for s in (study, other)]
    assert told[0] == told[1]
    values = ("pool__name", "response__key", "value")
    kept = [
        sorted(PoolUnusualness.objects.filter(pool__study=s).values_list(*values)) for s in (study, other)
    ]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 7 * JUDGED
    export_folder(study, tmp_path / "out", Form(form))


def test_a_pool_elsewhere_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pool").mkdir()
    for name in ("responses", "corpus"):
        (folder / name).rename(tmp_path / "pool" / name)
    put(folder / "responses.jsonl", [r for r in rows() if int(r["response_id"].partition("-")[2]) < JUDGED])
    out = StringIO()
    call_command("load_study", str(folder), pool=f"file://{tmp_path / 'pool'}", stdout=out, stderr=out)
    assert PoolUnusualness.objects.count() == 7 * JUDGED


def test_a_grown_pool_takes_the_place_of_the_older(folder: Path, cluster: Cluster) -> None:
    study = load_folder(folder).study
    for path in (folder / "responses").iterdir():
        path.unlink()
    (folder / "responses").rmdir()
    PoolSummary.objects.update(computed_at="2026-01-01T00:00:00Z")
    measure(Pool(str(folder)), cluster, rows(each=15))
    again = load_folder(folder)
    assert (again.new["pools"], again.new["unusualness"]) == (1, 7 * JUDGED)
    pool = PoolSummary.objects.get(study=study)
    assert pool.n_responses == 105
    frame = pd.DataFrame(rows(each=15))
    vectors = np.array([vector(t) for t in frame["text"]])
    first = next(p for p in pool.unusualness.select_related("response") if p.response.key == "r2-1")
    others = frame[(frame["prompt_id"] == "p2") & (frame["response_id"] != "r2-1")].index
    own = vectors[frame["response_id"] == "r2-1"][0]
    assert first.value == pytest.approx(1 - np.mean(vectors[others] @ own), abs=1e-6)


def test_the_older_pool_is_refused(folder: Path) -> None:
    load_folder(folder)
    PoolSummary.objects.update(computed_at="2100-01-01T00:00:00Z")
    with pytest.raises(FolderError, match="differs from what is stored"):
        load_folder(folder)


def break_text(folder: Path) -> None:
    """The study has another text than the pool measured."""
    put(folder / "responses.jsonl", [r | {"text": "Another."} for r in rows()])


def break_count(folder: Path) -> None:
    path = next((folder / "responses").glob("*.parquet"))
    pd.read_parquet(path).iloc[:-1].to_parquet(path)


def break_steps(folder: Path) -> None:
    path = folder / "corpus" / "made" / "unusualness.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"embeddings_sha256": "another"}))


def break_measured(folder: Path) -> None:
    for name in ("unusualness.json", "summary.json"):
        (folder / "corpus" / "made" / name).unlink()


def break_unusualness(folder: Path) -> None:
    next((folder / "corpus" / "made" / "unusualness").glob("*.parquet")).unlink()


def break_partition(folder: Path) -> None:
    path = next((folder / "responses").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            break_text,
            r'corpus/made, response_id: expected the text that the study has for "r.*", found another',
        ),
        (
            break_count,
            r"made: expected the 83 responses that are there, found 84 measured; run `corpus embed`",
        ),
        (
            break_steps,
            r"made: expected homogeneity and unusualness of the same embeddings, found them of different",
        ),
        (break_measured, r"nothing is measured yet; run `corpus unusualness`"),
        (break_unusualness, r"expected a pool that `corpus` has measured"),
        (break_partition, r"part-0000\d.parquet: expected a whole parquet file with responses"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_loaded(folder: Path, wrong: Any, said: str) -> None:
    wrong(folder)
    with pytest.raises(FolderError, match=said):
        load_folder(folder)
    assert not Study.objects.exists()


def test_bad_tables_are_named(folder: Path, tmp_path: Path) -> None:
    export_folder(load_folder(folder).study, tmp_path / "out")
    values = tmp_path / "out" / "unusualness.jsonl"
    lines = values.read_text().splitlines()
    bad = [
        {"embedder": "nobody", "response_id": "r0-0", "value": 0.5},
        {"embedder": "made", "response_id": "not-there", "value": 0.5},
        {"embedder": "made", "response_id": "r0-1", "value": 7},
        json.loads(lines[0]),
    ]
    values.write_text("\n".join([*lines, *(json.dumps(row) for row in bad)]) + "\n")
    with pytest.raises(FolderError) as error:
        load_folder(tmp_path / "out", slug="again")
    said = str(error.value)
    n = len(lines)
    assert f'unusualness.jsonl, line {n + 1}, embedder: expected an embedder of pools, found "nobody"' in said
    assert f"line {n + 2}, response_id: expected a response_id of responses" in said
    assert f"line {n + 3}, value: expected a number from 0 to 2, or null, found 7" in said
    assert f"line {n + 4}, response_id: expected one value for each embedder and response" in said


def embed_here(study: Study) -> ScoreRun:
    run = ScoreRun.objects.create(study=study, scorer="here", version="1")
    Embedding.objects.bulk_create(
        Embedding(run=run, response=r, vector=vector(r.text).tobytes()) for r in study.responses.all()
    )
    return run


def test_the_audit_is_against_the_pool_and_says_so(folder: Path, client: Client) -> None:
    study = load_folder(folder).study
    sources = audit.sources(study)
    assert "over 84 responses on disk" in sources.by
    assert "neighbors" not in {u.name for u in sources.available}
    frame = frames.pool_unusualness(study).set_index("response_id")["unusualness"]
    expected = one_machine()
    keys = dict(study.responses.values_list("pk", "key"))
    assert frame.to_dict() == pytest.approx({pk: expected[keys[pk]] for pk in frame.index}, abs=1e-6)
    client.force_login(User.objects.create_superuser("auditor"))
    page = client.get(f"/studies/{study.slug}/audit/").content.decode()
    assert "made, over 84 responses on disk, 20" in page
    assert client.get(f"/studies/{study.slug}/report/").status_code == 200


def test_own_embeddings_count_where_the_pool_is_no_larger_and_older(folder: Path) -> None:
    study = load_folder(folder).study
    pool = PoolSummary.objects.get(study=study)
    run = embed_here(study)
    # Larger than what is embedded here.
    assert frames.measured_pool(study) == pool
    assert "neighbors" in {u.name for u in audit.sources(study).available}
    PoolSummary.objects.update(n_responses=7 * JUDGED)
    assert frames.measured_pool(study) is None
    assert audit.sources(study).by == "here"
    PoolSummary.objects.update(computed_at="2100-01-01T00:00:00Z")
    assert frames.measured_pool(study) == pool
    run.embeddings.all().delete()
    assert frames.measured_pool(study) == pool


def test_the_homogeneity_page_shows_the_pool_labelled(folder: Path, client: Client) -> None:
    study = load_folder(folder).study
    client.force_login(User.objects.create_superuser("auditor"))
    url = f"/studies/{study.slug}/homogeneity/"
    page = client.get(url).content.decode()
    when = PoolSummary.objects.get().computed_at
    assert f"Whole pool, 84 responses to 7 prompts by 3 sources, on disk, computed {when:%Y-%m-%d}" in page
    assert 'data-chart="spec-cosines-on-disk-' in page
    told = client.get(url, {"format": "json"}).json()
    assert told["pools"][0]["n_responses"] == 84
    assert told["pools"][0]["homogeneity"]["within"]["n"] == 7
    assert "run `manage.py score" in told["reason"]
    embed_here(study)
    page = client.get(url).content.decode()
    assert "All 28 responses to 7 prompts" in page
    assert "Whole pool, 84 responses" in page
    assert client.get(url, {"format": "json"}).json()["pools"][0]["embedder"] == "made"


def test_the_command_tells_the_pool(folder: Path) -> None:
    load_folder(folder)
    out = StringIO()
    call_command("homogeneity", "judged", stdout=out, stderr=StringIO())
    assert "84 responses to 7 prompts by 3 sources; cosines of made" in out.getvalue()


def test_removing_leaves_nothing(folder: Path) -> None:
    study = load_folder(folder).study
    remove_judged(study)
    assert not PoolSummary.objects.exists()
    assert not PoolUnusualness.objects.exists()
    load_folder(folder, replace=True)
    assert PoolSummary.objects.count() == 1
