"""Scores of a made-up study from a file, by `import_scores`: in the study's own shape and as another tool's table.

    python -m tests.bench.bench_scores [--scores 200000]

Budget: 20,000 rows a second, starting the command included.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.bench.bench_load import make, run, write

LEAST = 20_000


def main(n: int) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        folder, database = base / "study", base / "bench.sqlite3"
        folder.mkdir()
        make(folder, n // 5, 1)
        run("migrate", "-v0", database=database)
        run("load_study", str(folder), database=database)
        rows = (
            {"scorer": f"s{s}", "response_id": f"r{i}", "value": (i * 7 + s) % 100 / 10}
            for i in range(n // 5)
            for s in range(5)
        )
        write(base / "scores.jsonl", rows)
        other = (
            json.dumps({"judge": f"t{s}", "response_id": f"r{i}", "score": (i * 7 + s) % 100 / 10})
            for i in range(n // 5)
            for s in range(5)
        )
        (base / "other.jsonl").write_text("\n".join(other))
        slowest = float("inf")
        for label, *more in (
            ["own shape", "scores.jsonl"],
            ["table", "other.jsonl", "--as", "table", "--yes"],
        ):
            file, *options = more
            seconds, most = run("import_scores", "million", str(base / file), *options, database=database)
            slowest = min(slowest, n / seconds)
            print(
                f"{label}: {n / seconds:,.0f} rows a second, at least {LEAST:,}; at most {most:.0f} MB",
                flush=True,
            )
    return int(slowest < LEAST)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--scores", type=int, default=200_000)
    sys.exit(main(parser.parse_args().scores))
