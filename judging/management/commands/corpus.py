"""A pool too large for one machine's memory: see judging/corpus."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.folder.problems import FolderError, Problem, Problems
from annotate.folder.rows import ResponseRow, read
from annotate.folder.tables import find_tables
from annotate.unseen import BLANK
from judging.corpus import runs
from judging.corpus.adding import add_to_pool
from judging.corpus.check import Checked
from judging.corpus.cluster import Cluster, ClusterError
from judging.corpus.pool import Pool, PoolError, write_pool

STEPS: dict[str, Callable[[Pool, runs.Column, Cluster], runs.Ran]] = {
    "embed": runs.embed,
    "unusualness": runs.unusualness,
    "homogeneity": runs.homogeneity,
}


class Command(BaseCommand):
    help = "Embed and measure a Parquet pool on this machine's cores, or on a Dask cluster by its scheduler's address."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        partition = actions.add_parser(
            "partition", help="write a study folder's responses as a partitioned pool"
        )
        partition.add_argument("folder", help="a study folder, whose responses table may have any format")
        partition.add_argument("pool", help="where to write the pool: a folder, or any URL that fsspec knows")
        partition.add_argument("--partitions", type=int, default=64)
        partition.add_argument(
            "--add",
            action="store_true",
            help="add new responses to an existing pool, in its partitions",
        )
        for name in STEPS:
            step = actions.add_parser(name)
            step.add_argument("pool", help="a folder with `responses/*.parquet`, or its URL")
            step.add_argument(
                "--scheduler", default="", help="address of a Dask scheduler, such as tcp://host:8786"
            )
            step.add_argument("--workers", type=int, help="processes on this machine; default: its cores")
            step.add_argument("--scorer", default="minilm", help="an embedder from the setting SCORERS")
            step.add_argument("--as", dest="name", help="name of the column; default: the embedder's")

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            if action == "partition":
                self._partition(options)
            else:
                self._step(action, options)
        except (PoolError, FolderError, ClusterError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; results so far are kept, and the same command continues") from None

    def _partition(self, options: dict[str, Any]) -> None:
        if options["partitions"] < 1:
            raise CommandError("--partitions: expected 1 or more")
        pool, folder = Pool(options["pool"]), Path(options["folder"])
        if options["add"]:
            added = add_to_pool(pool, _responses(folder))
            self.stdout.write(
                f"{added.new:,} responses added in {added.partitions:,} partitions, {added.there:,} were there → "
                f"{pool.url}"
            )
            return
        written = write_pool(pool, _responses(folder), options["partitions"])
        self.stdout.write(f"{written:,} responses in {len(pool.partitions()):,} partitions → {pool.url}")

    def _step(self, action: str, options: dict[str, Any]) -> None:
        if options["scorer"] not in settings.SCORERS:
            raise CommandError(
                f"there is no scorer named {options['scorer']!r}; there are {', '.join(settings.SCORERS)}"
            )
        column = runs.Column(
            json.dumps(settings.SCORERS[options["scorer"]]), options["name"] or options["scorer"]
        )
        pool = Pool(options["pool"])
        pool.partitions()
        with Cluster(options["scheduler"], options["workers"]) as cluster:
            self.stderr.write(f"Dashboard: {cluster.client.dashboard_link}")
            if action == "embed":
                self._name_blank(runs.check(pool, cluster, BLANK))
            ran = STEPS[action](pool, column, cluster)
        self.stdout.write(
            f"{action} {column.name}: {ran.responses:,} responses in {ran.partitions:,} partitions, "
            f"{ran.computed:,} computed now, in {ran.seconds:,.1f} s"
        )

    def _name_blank(self, checked: list[Checked]) -> None:
        """In the words of a run over the database."""
        if n := sum(one.blank for one in checked):
            first = next(one.first_blank for one in checked if one.blank)
            self.stdout.write(
                f"{n:,} responses are empty or hold nothing to be seen (first: {first}). They are embedded as they are."
            )


def _responses(folder: Path) -> Iterator[dict[str, Any]]:
    """The responses of a study folder; any bad row ends it, and names all that are bad so far."""
    problems = Problems()
    if not folder.is_dir():
        raise FolderError([Problem(str(folder), None, "", "a study folder", "nothing")])
    with problems.gathered():
        tables = find_tables(folder, problems)
        if "responses" not in tables:
            problems.add("responses", None, "", "a table of responses", "nothing")
            return
        for _line, row in read(tables["responses"], ResponseRow, problems):
            if not problems.count:
                yield _stored(row)


def _stored(row: ResponseRow) -> dict[str, Any]:
    record = row.model_dump(include={"response_id", "prompt_id", "text", "source", "sample"})
    return record | {"params": None if row.params is None else json.dumps(row.params, ensure_ascii=False)}
