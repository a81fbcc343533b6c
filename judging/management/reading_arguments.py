"""What both commands that read files of other tools take: how such a file is to be read."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annotate.folder.problems import Problem
    from annotate.formats import Options

LEFT_OUT = "left-out.csv"


def add_to(parser: CommandParser) -> None:
    # A vote of -1 in `--values 1=first -1=second` is a value: no option begins with a digit.
    parser._negative_number_matcher = re.compile(r"-\d")
    parser.add_argument(
        "--map", nargs="+", default=[], metavar="ROLE=COLUMN", help="what columns of a plain table mean"
    )
    parser.add_argument(
        "--values", nargs="+", default=[], metavar="VALUE=MEANING",
        help="what coded votes mean (first, second, first_much, second_much, tie, both_good, both_bad, cannot_tell), "
        "or which number a word stands for",
    )  # fmt: skip
    parser.add_argument(
        "--decimal", choices=[".", ","], default="", help="the decimal mark of numbers in texts"
    )
    parser.add_argument(
        "--scorer", default="", help="the machine whose scores the files hold, if they don't say"
    )
    parser.add_argument(
        "--encoding", default="", help="of files of text; left out: UTF-8, or as it can be told"
    )
    parser.add_argument("--quotes", choices=["cells", "letters"], default="", help="what quotes mean in CSV")
    parser.add_argument(
        "--header", default="", metavar="NAME,NAME", help="the columns of a file without a header"
    )
    parser.add_argument(
        "--skip-bad-rows", nargs="?", const=LEFT_OUT, metavar="FILE",
        help=f"bring in the rows that are right, and write those left out, with reasons, to FILE ({LEFT_OUT})",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only say what would come in")


def options_of(given: dict[str, Any], **further: Any) -> "Options":
    from annotate.formats import Options
    from annotate.formats.options import header_of

    return Options(
        scorer=given["scorer"],
        mapping=_mapping(given["map"]),
        values=_values(given["values"]),
        decimal=given["decimal"],
        encoding=given["encoding"],
        quotes=given["quotes"],
        header=header_of(given["header"]),
        skip_bad_rows=given["skip_bad_rows"] is not None,
        **further,
    )


def _mapping(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"--map: expected ROLE=COLUMN, found {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)


def _values(pairs: list[str]) -> dict[str, str]:
    """What values mean; a value may hold an = itself, as in A>=B."""
    from annotate.formats.numbers import is_plain
    from annotate.formats.votes import MEANINGS

    values = {}
    for pair in pairs:
        value, _, meaning = pair.rpartition("=")
        if not value or (meaning not in MEANINGS and not is_plain(meaning)):
            raise CommandError(f"--values: expected VALUE={'|'.join(MEANINGS)} or a number, found {pair!r}")
        values[value] = meaning
    return values


def write_list(rows: "Sequence[Problem]", target: str) -> str:
    """Write the rows that were left out to a file; what there is to say of it."""
    from judging.imports.bad_rows import table

    Path(target).write_text(table(rows), encoding="utf-8", newline="")
    return f"{len(rows):,} rows were left out; each with its reason: {target}"
