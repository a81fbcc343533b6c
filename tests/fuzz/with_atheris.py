"""Coverage-guided fuzzing of the readers by atheris, beside CI: `pip install atheris`, then

    DEBUG=1 python -m tests.fuzz.with_atheris table -max_total_time=600
    DEBUG=1 python -m tests.fuzz.with_atheris archive|folder|foreign …

What breaks a reader is written to `crash-…`; put it into `tests/fuzz/test_mutations.py`.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import atheris

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.config.settings")

with atheris.instrument_imports(
    include=["annotate.folder", "annotate.formats", "zipfile", "tarfile", "csv", "json"]
):
    import django

    django.setup()
    from tests.fuzz import targets

SAMPLES = targets.samples()


def table(data: Any) -> None:
    form = targets.FORMS[data.ConsumeIntInRange(0, len(targets.FORMS) - 1)]
    targets.table(f"any.{form}", data.ConsumeBytes(sys.maxsize))


def archive(data: Any) -> None:
    name = ("a.zip", "a.tar", "a.tar.gz")[data.ConsumeIntInRange(0, 2)]
    targets.archive(name, data.ConsumeBytes(sys.maxsize))


def folder(data: Any) -> None:
    """One file of a valid folder is replaced."""
    name = sorted(targets.FOLDER)[data.ConsumeIntInRange(0, len(targets.FOLDER) - 1)]
    targets.study_folder(targets.FOLDER | {name: data.ConsumeBytes(sys.maxsize)})


def foreign(data: Any) -> None:
    name = sorted(SAMPLES)[data.ConsumeIntInRange(0, len(SAMPLES) - 1)]
    format, files = SAMPLES[name]
    file = sorted(files)[data.ConsumeIntInRange(0, len(files) - 1)]
    targets.foreign(files | {file: data.ConsumeBytes(sys.maxsize)}, format)


TARGETS: dict[str, Callable[[Any], None]] = {f.__name__: f for f in (table, archive, folder, foreign)}


def main() -> None:
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"one of {', '.join(TARGETS)}, then options of libFuzzer")

    def once(content: bytes) -> None:
        TARGETS[name](atheris.FuzzedDataProvider(content))

    atheris.Setup(sys.argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
