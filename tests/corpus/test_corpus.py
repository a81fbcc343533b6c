"""A pool over partitions and workers gives what one machine gives, once, and says what is wrong with its input."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from annotate.unseen import BLANK, is_blank
from judging.corpus import runs
from judging.corpus.cluster import Cluster, ClusterError
from judging.corpus.measured import measured, unusualness_of
from judging.corpus.pool import MEASURED, SUMMARY, Pool, PoolError, partition_of, write_pool
from judging.corpus.steps import vectors_of
from judging.stats import (
    pair_similarity,
    prompt_similarity,
    random_pairs,
    source_codes,
    source_matrix,
    unusualness,
)
from tests.corpus.conftest import rows
from tests.corpus.made import vector

SOURCES = ["s0", "s1", "s2"]
MADE = runs.Column('"tests.corpus.made.Made"', "made")


def results(pool: Pool, step: str, name: str = "made") -> pd.DataFrame:
    folder = Path(pool.path("corpus", name, step))
    return pd.concat([pd.read_parquet(p) for p in sorted(folder.glob("*.parquet"))], ignore_index=True)


def one_machine() -> pd.Series:
    frame = pd.DataFrame(rows())
    vectors = np.array([vector(t) for t in frame["text"]])
    return pd.Series(unusualness(vectors, frame["prompt_id"].to_numpy()), index=frame["response_id"])


@pytest.mark.parametrize("partitions", [1, 2, 5])
def test_unusualness_is_the_same_over_any_partitions(
    tmp_path: Path, cluster: Cluster, partitions: int
) -> None:
    pool = Pool(str(tmp_path / "pool"))
    write_pool(pool, rows(), partitions)
    runs.embed(pool, MADE, cluster)
    runs.unusualness(pool, MADE, cluster)
    found = results(pool, "unusualness").set_index("response_id")["unusualness_made"]
    pd.testing.assert_series_equal(found, one_machine()[found.index], check_names=False, rtol=0, atol=1e-6)
    assert len(found) == len(rows())


@pytest.mark.parametrize("partitions", [1, 4])
def test_homogeneity_is_that_of_one_machine(tmp_path: Path, cluster: Cluster, partitions: int) -> None:
    pool = Pool(str(tmp_path / "pool"))
    write_pool(pool, rows(), partitions)
    runs.embed(pool, MADE, cluster)
    runs.homogeneity(pool, MADE, cluster)
    found = pool.read_json(pool.path("corpus", "made", SUMMARY))
    assert found is not None
    frame = pd.DataFrame(rows())
    one = [
        prompt_similarity(
            np.array([vector(t) for t in part["text"]]), source_codes(list(part["source"]), SOURCES), 3
        )
        for _, part in frame.groupby("prompt_id")
    ]
    expected = pair_similarity(one)
    for name in ("within", "between", "inflated", "excess"):
        told = [found[name][part] for part in ("estimate", "low", "high", "n")]
        whole = getattr(expected, name)
        assert told == pytest.approx([whole.estimate, whole.low, whole.high, whole.n], abs=1e-6)
    assert found["random"]["estimate"] == pytest.approx(random_pairs(one).mean.estimate, abs=1e-6)
    matrix = source_matrix(one)
    assert np.array([s["to"] for s in found["sources"]]) == pytest.approx(matrix.mean, abs=1e-6)
    assert found["histogram_between"] == expected.histogram_between.tolist()
    assert (found["n_prompts"], found["n_responses"], found["vendi_n"]) == (7, 84, 4)


def test_homogeneity_measures_again_only_what_changed(pool: Pool, cluster: Cluster) -> None:
    runs.embed(pool, MADE, cluster)
    assert runs.homogeneity(pool, MADE, cluster).computed == 84
    assert runs.homogeneity(pool, MADE, cluster).computed == 0
    name = f"part-{partition_of('p3', 3):05d}.parquet"
    new = {"response_id": "r3-new", "prompt_id": "p3", "text": "Something quite new.", "source": "s1"}
    grown = pd.concat([pd.read_parquet(pool.partition_path(name)), pd.DataFrame([new])], ignore_index=True)
    grown.to_parquet(pool.partition_path(name))
    runs.embed(pool, MADE, cluster)
    assert runs.homogeneity(pool, MADE, cluster).computed == 13


def test_a_second_run_changes_nothing(pool: Pool, cluster: Cluster) -> None:
    first = [runs.embed(pool, MADE, cluster), runs.unusualness(pool, MADE, cluster)]
    files = {
        p: (p.stat().st_mtime_ns, p.read_bytes()) for p in Path(pool.path("corpus")).rglob("*") if p.is_file()
    }
    second = [runs.embed(pool, MADE, cluster), runs.unusualness(pool, MADE, cluster)]
    assert [r.computed for r in first] == [84, 84]
    assert [r.computed for r in second] == [0, 0]
    assert files == {
        p: (p.stat().st_mtime_ns, p.read_bytes()) for p in Path(pool.path("corpus")).rglob("*") if p.is_file()
    }


def test_what_is_added_is_all_that_is_computed(pool: Pool, cluster: Cluster) -> None:
    runs.embed(pool, MADE, cluster)
    runs.unusualness(pool, MADE, cluster)
    name = f"part-{partition_of('p3', 3):05d}.parquet"
    new = {"response_id": "r3-new", "prompt_id": "p3", "text": "Something quite new.", "source": "s9"}
    grown = pd.concat([pd.read_parquet(pool.partition_path(name)), pd.DataFrame([new])], ignore_index=True)
    grown.to_parquet(pool.partition_path(name))
    # One text is new; one prompt's pool has changed, so its thirteen responses are measured anew.
    assert runs.embed(pool, MADE, cluster).computed == 1
    assert runs.unusualness(pool, MADE, cluster).computed == 13
    assert len(results(pool, "unusualness")) == 85


def test_measuring_before_embedding_says_what_to_run(pool: Pool, cluster: Cluster) -> None:
    with pytest.raises(PoolError, match="run `corpus embed` first"):
        runs.unusualness(pool, MADE, cluster)
    runs.embed(pool, MADE, cluster)
    grown = [*rows(), {"response_id": "x", "prompt_id": "p0", "text": "More.", "source": "s"}]
    for path in Path(pool.path("responses")).iterdir():
        path.unlink()
    Path(pool.path("responses")).rmdir()
    write_pool(pool, grown, 3)
    with pytest.raises(PoolError, match="has changed since it was embedded"):
        runs.unusualness(pool, MADE, cluster)


def test_another_model_under_the_same_name_is_refused(pool: Pool, cluster: Cluster) -> None:
    runs.embed(pool, MADE, cluster)
    with pytest.raises(PoolError, match=r"another model \(model differ\).*--as"):
        runs.embed(pool, runs.Column('"tests.corpus.made.Other"', "made"), cluster)
    assert runs.embed(pool, runs.Column('"tests.corpus.made.Other"', "other"), cluster).computed == 84
    assert results(pool, "embeddings", "other").shape == results(pool, "embeddings").shape


def test_vectors_come_back_as_they_were(pool: Pool, cluster: Cluster) -> None:
    runs.embed(pool, MADE, cluster)
    texts = {r["response_id"]: r["text"] for r in rows()}
    for name in pool.partitions():
        table = pool.read(pool.path("corpus", "made", "embeddings", name))
        expected = np.array([vector(texts[i]) for i in table["response_id"].to_pylist()])
        np.testing.assert_array_equal(vectors_of(table), expected)


def break_split(pool: Pool) -> None:
    other = f"part-{(partition_of('p0', 3) + 1) % 3:05d}.parquet"
    frame = pd.read_parquet(pool.partition_path(other))
    frame.loc[1, "prompt_id"] = "p0"
    frame.to_parquet(pool.partition_path(other))


def break_text(pool: Pool) -> None:
    frame = pd.read_parquet(pool.partition_path("part-00001.parquet"))
    frame.loc[4, "text"] = None
    frame.to_parquet(pool.partition_path("part-00001.parquet"))


def break_repeat(pool: Pool) -> None:
    first, second = (pool.partition_path(f"part-0000{n}.parquet") for n in (0, 1))
    frame = pd.read_parquet(second)
    frame.loc[2, "response_id"] = str(pd.read_parquet(first)["response_id"][3])
    frame.to_parquet(second)


def break_repeat_within(pool: Pool) -> None:
    path = pool.partition_path("part-00002.parquet")
    frame = pd.read_parquet(path)
    frame.loc[5, "response_id"] = str(frame["response_id"][0])
    frame.to_parquet(path)


def break_column(pool: Pool) -> None:
    path = pool.partition_path("part-00000.parquet")
    pq.write_table(pq.read_table(path).drop_columns(["source"]), path)


def break_type(pool: Pool) -> None:
    path = pool.partition_path("part-00000.parquet")
    table = pq.read_table(path)
    numbers = pa.array(range(table.num_rows))
    pq.write_table(table.set_column(2, "text", numbers), path)


def break_short(pool: Pool) -> None:
    path = Path(pool.partition_path("part-00002.parquet"))
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            break_split,
            r"part-0000\d.parquet, row 2, prompt_id: expected a prompt whole in one partition, found 'p0'",
        ),
        (break_text, r"part-00001.parquet, row 5, text: expected a text, found nothing"),
        (
            break_repeat,
            r"part-00001.parquet, row 3, response_id: expected each id once, found 'r.*', as in part-00000",
        ),
        (
            break_repeat_within,
            r"part-00002.parquet, row 6, response_id: expected each id once, found one a second",
        ),
        (
            break_column,
            r"part-00000.parquet, source: expected the columns response_id, prompt_id, text, source",
        ),
        (break_type, r"part-00000.parquet, text: expected text, found int64"),
        (break_short, r"part-00002.parquet: expected a whole Parquet file, found "),
    ],
)
def test_bad_input_is_named_before_any_work(
    pool: Pool, cluster: Cluster, wrong: Callable[[Pool], None], said: str
) -> None:
    wrong(pool)
    with pytest.raises(PoolError, match=said):
        runs.check(pool, cluster)
    assert list(Path(pool.path("corpus")).iterdir()) == []


def test_good_input_is_found_good(pool: Pool, cluster: Cluster) -> None:
    assert sum(c.responses for c in runs.check(pool, cluster)) == 84


def test_a_pool_that_is_none_says_so(tmp_path: Path, cluster: Cluster) -> None:
    with pytest.raises(PoolError, match="expected a folder responses of Parquet files, found none"):
        runs.check(Pool(str(tmp_path)), cluster)


def test_a_scheduler_that_is_none_says_so(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("judging.corpus.cluster.CONNECT", "1s")
    with (
        Cluster("tcp://127.0.0.1:9") as nowhere,
        pytest.raises(ClusterError, match="expected a Dask scheduler"),
    ):
        runs.check(pool, nowhere)


def test_a_pool_lies_wherever_fsspec_reaches() -> None:
    """In fsspec's own memory, which workers share that are threads of this process."""
    # Its dashboard takes any port: the usual one may be in use.
    local = LocalCluster(n_workers=2, processes=False, dashboard_address="127.0.0.1:0")
    pool = Pool("memory://somewhere/pool")
    with local, Cluster(local.scheduler_address) as cluster:
        write_pool(pool, rows(), 3)
        runs.check(pool, cluster)
        assert runs.embed(pool, MADE, cluster).computed == 84
        runs.unusualness(pool, MADE, cluster)
        runs.homogeneity(pool, MADE, cluster)
        assert runs.homogeneity(pool, MADE, cluster).computed == 0
    (column,) = measured(pool)
    found = {key: value for key, _, value in unusualness_of(pool, column, ["r2-1", "r6-11"])}
    assert found == pytest.approx(one_machine()[["r2-1", "r6-11"]].to_dict(), abs=1e-6)
    assert column.homogeneity is not None
    assert not [name for name in pool.fs.find(pool.path()) if "/." in name]


def test_a_pool_that_was_not_written_to_its_end_is_refused_and_written_anew(
    tmp_path: Path, cluster: Cluster
) -> None:
    pool = Pool(str(tmp_path / "pool"))
    write_pool(pool, rows(prompts=2), 2)
    # As a kill in the middle leaves it.
    Path(pool.path("responses", "_unfinished")).touch()
    with pytest.raises(PoolError, match="not written to its end; run `corpus partition` again"):
        runs.check(pool, cluster)
    write_pool(pool, rows(), 3)
    assert sum(c.responses for c in runs.check(pool, cluster)) == 84
    with pytest.raises(PoolError, match="expected nothing there yet, found a data set"):
        write_pool(pool, rows(), 3)


def test_empty_texts_are_counted_by_the_rule_of_the_pages(tmp_path: Path, cluster: Cluster) -> None:
    pool, made = Pool(str(tmp_path / "pool")), rows(prompts=2)
    for row, text in zip(made, ("", " \n", "\u200b\ufeff", "\u2800"), strict=False):
        row["text"] = text
    write_pool(pool, made, 2)
    checked = runs.check(pool, cluster, BLANK)
    assert sum(one.blank for one in checked) == sum(is_blank(row["text"]) for row in made) == 4
    assert [one.first_blank.endswith(", row 1") for one in checked if one.blank] == [True]
    assert sum(one.blank for one in runs.check(pool, cluster)) == 0


def test_the_summary_keeps_its_date_until_it_says_something_else(pool: Pool, cluster: Cluster) -> None:
    for step in (runs.embed, runs.unusualness, runs.homogeneity):
        step(pool, MADE, cluster)
    paths = [Path(pool.path("corpus", "made", name)) for name in (SUMMARY, MEASURED)]
    before = [path.read_text() for path in paths]
    runs.unusualness(pool, MADE, cluster)
    runs.homogeneity(pool, MADE, cluster)
    assert [path.read_text() for path in paths] == before


def test_writing_a_pool_is_all_or_nothing(tmp_path: Path) -> None:
    pool = Pool(str(tmp_path / "pool"))
    bad = [*rows(), {"response_id": "x", "prompt_id": "p0", "text": None, "source": "s"}]
    with pytest.raises((pa.ArrowException, ValueError)):
        write_pool(pool, bad, 3)
    assert list((tmp_path / "pool").iterdir()) == []
