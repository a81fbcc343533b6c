"""New prompts, sources and samples in a pool that is there: nothing old is computed again, nothing is lost."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command

from judging.corpus import runs
from judging.corpus.adding import Added, add_to_pool
from judging.corpus.cluster import Cluster
from judging.corpus.pool import Pool, PoolError
from judging.stats import unusualness
from tests.corpus.conftest import rows
from tests.corpus.made import vector
from tests.corpus.test_corpus import MADE, results

NEW = [
    *rows(prompts=2, each=2, start=12),  # samples
    {"response_id": "s9", "prompt_id": "p3", "text": "By somebody new.", "source": "s9"},
    *(
        {"response_id": f"q{i}", "prompt_id": "quite new", "text": f"New {i}.", "source": "s1"}
        for i in range(3)
    ),
]


def bytes_of(pool: Pool) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in Path(pool.url).rglob("*") if p.is_file()}


def test_only_what_is_added_is_computed_and_all_is_right(pool: Pool, cluster: Cluster) -> None:
    for step in (runs.embed, runs.unusualness, runs.homogeneity):
        step(pool, MADE, cluster)
    assert add_to_pool(pool, NEW) == Added(8, 0, 3)
    runs.check(pool, cluster)
    # Texts that another response has word for word are not embedded again.
    known = {r["text"] for r in rows()}
    assert runs.embed(pool, MADE, cluster).computed == sum(r["text"] not in known for r in NEW)
    # Two prompts of 14, one of 13, one of 3.
    assert runs.unusualness(pool, MADE, cluster).computed == 44
    frame = pd.DataFrame([*rows(), *NEW])
    vectors = np.array([vector(t) for t in frame["text"]])
    expected = pd.Series(unusualness(vectors, frame["prompt_id"].to_numpy()), index=frame["response_id"])
    found = results(pool, "unusualness").set_index("response_id")["unusualness_made"]
    pd.testing.assert_series_equal(found, expected[found.index], check_names=False, rtol=0, atol=1e-6)
    assert len(found) == 92
    # Another source is another matrix of sources for every prompt.
    assert runs.homogeneity(pool, MADE, cluster).computed == 92


def test_adding_again_changes_nothing(pool: Pool) -> None:
    add_to_pool(pool, NEW)
    before = bytes_of(pool)
    assert add_to_pool(pool, NEW) == Added(0, 8, 0)
    assert bytes_of(pool) == before


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"response_id": "r1-1", "prompt_id": "p1", "text": "Another.", "source": "s1"},
            r"text: expected 'Answer 1 to 1.' as the pool has for 'r1-1', found 'Another.'",
        ),
        (
            {"response_id": "r1-1", "prompt_id": "p2", "text": "Answer 1 to 1.", "source": "s1"},
            r"prompt_id: expected 'p1' as the pool has for 'r1-1', found 'p2'",
        ),
        (NEW[0], r"response_id: expected each id once, found 'r0-12' again"),
    ],
)
def test_what_contradicts_is_named_and_nothing_changed(pool: Pool, row: dict[str, str], said: str) -> None:
    before = bytes_of(pool)
    with pytest.raises(PoolError, match=said):
        add_to_pool(pool, [*NEW, row])
    assert bytes_of(pool) == before


def test_the_command_adds_a_folder_s_responses(pool: Pool, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "responses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in NEW))
    out = StringIO()
    call_command("corpus", "partition", str(folder), pool.url, add=True, stdout=out)
    assert out.getvalue().startswith("8 responses added in 3 partitions, 0 were there → ")
