"""Loads a made-up study of a million answers into SQLite and exports it; fails at 600 MB of resident memory.

.venv/bin/python -m tests.bench.bench_load [--items 40000] [--annotators 25] [--format jsonl] [--gzip]
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_MB = 600
STUDY = """
slug = "million"
title = "A million answers"
seats = {annotators}
seed = 1

[[criterion]]
key = "quality"
on = "single"
kind = "rating"
measures = "quality"
text = "How good is it?"
scale = [1, 5]
"""


def make(folder: Path, items: int, annotators: int) -> None:
    (folder / "study.toml").write_text(STUDY.format(annotators=annotators))
    prompts = max(1, items // 100)
    write(folder / "prompts.jsonl", ({"prompt_id": f"p{p}", "text": f"Prompt {p}"} for p in range(prompts)))
    texts = ("Time is a river. " * 20, "Time is a thief. " * 20)
    responses = (
        {
            "response_id": f"r{i}",
            "prompt_id": f"p{i % prompts}",
            "text": f"{i}: {texts[i % 2]}",
            "source": "made-up",
        }
        for i in range(items)
    )
    write(folder / "responses.jsonl", responses)
    rows = (
        {"item_id": f"i{i}", "kind": "single", "prompt_id": f"p{i % prompts}", "response_ids": [f"r{i}"]}
        for i in range(items)
    )
    write(folder / "items.jsonl", rows)
    answers = (
        {
            "item_id": f"i{i}",
            "annotator_id": f"a{(i + k) % (2 * annotators)}",
            "criterion": "quality",
            "response_id": f"r{i}",
            "value": (i * 7 + k * 3) % 5 + 1,
            "submitted_at": "2026-11-22T10:00:00Z",
            "active_ms": 9000 + k,
        }
        for i in range(items)
        for k in range(annotators)
    )
    write(folder / "answers.jsonl.gz", answers)


def write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def run(*command: str, database: Path) -> tuple[float, float]:
    """Seconds of a management command, and the most MB it held."""
    environment = {**os.environ, "DEBUG": "1", "DATABASE_URL": f"sqlite:///{database}"}
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "manage.py", *command], cwd=ROOT, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--annotators", type=int, default=25)
    parser.add_argument("--format", default="jsonl")
    parser.add_argument("--gzip", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        folder, out, database = base / "study", base / "out", base / "bench.sqlite3"
        folder.mkdir()
        make(folder, options.items, options.annotators)
        run("migrate", "-v0", database=database)
        worst = 0.0
        form = ["--format", options.format, *(["--gzip"] if options.gzip else [])]
        for label, *command in (
            ["load", "load_study", str(folder)],
            ["export", "export_study", "million", str(out), *form],
            ["load again", "load_study", str(out)],
        ):
            seconds, most = run(*command, database=database)
            worst = max(worst, most)
            print(f"{label}: {seconds:.1f} s; at most {most:.0f} MB", flush=True)
    return int(worst >= MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
