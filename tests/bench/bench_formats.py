"""Exports of a study and of one four times as large hold about as much memory; so does reading other tools' files.

.venv/bin/python -m tests.bench.bench_formats [--items 5000] [--annotators 10]
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.bench.bench_load import make, run

TIMES = 4
# What may grow: lists of ids and of annotators, and Python's own habits.
MOST_GROWTH = 1.35
WRITERS = ("r", "soft-labels", "trl-unpaired", "crowd-kit", "huggingface")


def rows(path: Path, items: int, labels: int) -> None:
    """Ratings in the shape of Infinity-Chat."""
    with path.open("w") as file:
        for i in range(items):
            row = {"user_query": f"Query {i // 15}", "response": f"{i}: " + "Time is a river. " * 20}
            file.write(json.dumps(row | {"human_labels": [(i + k) % 5 + 1 for k in range(labels)]}) + "\n")


def measured(base: Path, items: int, annotators: int) -> dict[str, tuple[float, float]]:
    base.mkdir()
    database = base / "bench.sqlite3"
    (base / "study").mkdir()
    make(base / "study", items, annotators)
    run("migrate", "-v0", database=database)
    run("load_study", str(base / "study"), database=database)
    found = {
        name: run("export_study", "million", str(base / name), "--as", name, database=database)
        for name in WRITERS
    }
    rows(base / "absolute.jsonl", items, annotators)
    dry = ("import_study", str(base / "absolute.jsonl"), "--slug", "other", "--dry-run")
    found["import, dry"] = run(*dry, database=database)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--annotators", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        small = measured(Path(temporary) / "small", options.items, options.annotators)
        large = measured(Path(temporary) / "large", options.items * TIMES, options.annotators)
    worst = 0.0
    for name, (seconds, most) in large.items():
        growth = most / small[name][1]
        # Reading keeps the id of everything it made, to tell what comes again: that may grow.
        worst = worst if name.startswith("import") else max(worst, growth)
        print(
            f"{name}: {small[name][0]:.1f} s and {small[name][1]:.0f} MB, {TIMES} times as much"
            f" {seconds:.1f} s and {most:.0f} MB (× {growth:.2f})",
            flush=True,
        )
    print(f"most growth of an export: × {worst:.2f}, allowed × {MOST_GROWTH}")
    return int(worst > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
