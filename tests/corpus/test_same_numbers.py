"""A real pool gives the same numbers by way of the database and by way of `corpus`, each embedding for itself."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from annotate.models import Study
from judging.corpus import runs
from judging.corpus.cluster import Cluster
from judging.corpus.pool import Pool
from judging.folder.scores import load_folder
from judging.frames import tables as frames
from judging.models import Embedding, PoolSummary
from judging.results.homogeneity.over_prompts import Homogeneity
from judging.results.homogeneity.report import compute
from judging.stats import Estimate

pytestmark = pytest.mark.django_db

MINILM = runs.Column('"judging.scorers.minilm.MiniLM"', "minilm")
PROMPTS = int(os.environ.get("HANNA_PROMPTS", "3"))
"""Of 96; the stories are long, and all of them take minutes."""


@pytest.fixture
def hanna(shared: Path, tmp_path: Path) -> Path:
    """The study folder, cut down to its first prompts."""
    source, folder = shared / "data" / "hanna", tmp_path / "hanna"
    folder.mkdir()
    (folder / "study.toml").write_bytes((source / "study.toml").read_bytes())
    kept = [row["prompt_id"] for row in lines(source / "prompts.jsonl")][:PROMPTS]
    for name in ("prompts.jsonl", "responses.jsonl.gz", "items.jsonl"):
        with (folder / name.removesuffix(".gz")).open("w") as out:
            out.writelines(json.dumps(row) + "\n" for row in lines(source / name) if row["prompt_id"] in kept)
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return [json.loads(line) for line in text.decode().splitlines()]


def test_hanna_s_numbers_are_the_same_both_ways(hanna: Path, tmp_path: Path, cluster: Cluster) -> None:
    pool = tmp_path / "pool"
    call_command("corpus", "partition", str(hanna), str(pool), partitions=3)
    for step in (runs.embed, runs.unusualness, runs.homogeneity):
        step(Pool(str(pool)), MINILM, cluster)
    load_folder(hanna)
    study = Study.objects.get()
    call_command("score", study.slug, scorer="minilm")
    # Each as if the other was not there: first the database's own, then what load_study brings in from the pool.
    here = frames.pool_unusualness(study).set_index("response_id")["unusualness"]
    whole = compute(study)
    Embedding.objects.all().delete()
    load_folder(hanna, pool=str(pool))
    there = frames.pool_unusualness(study).set_index("response_id")["unusualness"]
    assert frames.measured_pool(study) is not None
    assert len(here) == PROMPTS * 11
    assert there.to_dict() == pytest.approx(here.to_dict(), abs=1e-6)
    summary = PoolSummary.objects.get().homogeneity
    assert summary is not None
    assert_same(summary, whole)


def assert_same(summary: dict[str, Any], whole: Homogeneity) -> None:
    assert (summary["n_prompts"], summary["n_responses"]) == (whole.n_prompts, whole.n_responses)
    assert (summary["truncated"], summary["vendi_n"]) == (whole.truncated, whole.equal_n)
    for name in ("within", "between", "inflated", "excess"):
        same(summary[name], getattr(whole.all, name))
    for name in ("pairs_within", "pairs_between", "cells", "distinct"):
        for told, found in zip(summary[name], getattr(whole.all, name), strict=True):
            same(told, found)
    same(summary["vendi_pool"], whole.mixed_vendi)
    assert summary["random"]["estimate"] == pytest.approx(whole.random.mean.estimate, abs=1e-6)
    assert summary["histogram_between"] == whole.all.histogram_between.tolist()
    assert [s["source"] for s in summary["sources"]] == whole.names
    for told, source in zip(summary["sources"], whole.sources, strict=True):
        same(told["vendi"], source.vendi)
    assert [[None if v is None else round(v, 5) for v in s["to"]] for s in summary["sources"]] == [
        [None if v != v else round(v, 5) for v in row] for row in whole.matrix.mean.tolist()
    ]
    means = {p.key: p.mean for p in whole.prompts}
    assert {p["prompt_id"]: p["mean"] for p in summary["most_alike"]} == pytest.approx(
        {p["prompt_id"]: means[p["prompt_id"]] for p in summary["most_alike"]}, abs=1e-6
    )


def same(told: dict[str, Any], found: Estimate) -> None:
    """Estimate and interval to 1e-6, and what they rest on."""
    assert (told["n"], told["reason"]) == (found.n, found.reason)
    for name in ("estimate", "low", "high"):
        assert told[name] == pytest.approx(getattr(found, name), abs=1e-6), name
