from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from judging.corpus.cluster import Cluster
from judging.corpus.pool import Pool, write_pool


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with Cluster(workers=2) as made:
        yield made


def rows(prompts: int = 7, each: int = 12, start: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "response_id": f"r{p}-{i}",
            "prompt_id": f"p{p}",
            "text": f"Answer {i % 9} to {p}.",
            "source": f"s{i % 3}",
        }
        for p in range(prompts)
        for i in range(start, start + each)
    ]


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    made = Pool(str(tmp_path / "pool"))
    write_pool(made, rows(), partitions=3)
    return made
