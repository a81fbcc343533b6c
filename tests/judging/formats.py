"""Small files in the published shapes of other tools, made for tests: the texts are ours."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from annotate.formats import Options
from judging.imports import Imported, import_study

MUCH_FIRST = "Response 1 is much better than Response 2"
SLIGHTLY_SECOND = "Response 2 is slightly better than Response 1"
SIMILAR = "Response 1 and Response 2 are similar / it's hard to tell which one is better"


def jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def brought(path: Path | list[Path], format: str = "", **options: Any) -> Imported:
    dry_run = options.pop("dry_run", False)
    paths = path if isinstance(path, list) else [path]
    return import_study(paths, format, Options(**{"slug": "in", **options}), dry_run=dry_run)


def absolute(**further: Any) -> list[dict[str, Any]]:
    """Two queries, two responses each, with ragged label lists."""
    labels = [[5, 4, 4], [1, 2], [3, 3, 3, 5], [2, float("nan"), 4]]
    return [
        {"user_query": f"Query {n // 2}?", "response": f"Answer {n}.", "human_labels": row, **further}
        for n, row in enumerate(labels)
    ]
