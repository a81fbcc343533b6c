"""Every reader by small files in the published shapes, and what must come out of them (`expected.json` beside them).

A new reader without a folder of its own in `fixtures/formats` fails here.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError
from annotate.formats import FORMATS, recognised
from annotate.formats.source import Source

from .samples import NAMES, contents, machine_scores, sample

README = Path(__file__).parents[3] / "annotate" / "formats" / "README.md"
# Formats that nothing but a name or a mapping tells apart from any other table.
NAMED_ONLY = {"mapped", "table"}


def given(name: str) -> dict[str, Any]:
    """What the files of a folder give, as its expected.json has it."""
    one = sample(name)
    try:
        gives = contents(one)
    except FolderError as error:
        gives = {"no study": str(error).splitlines()}
    if FORMATS[one.format].scores and (scores := machine_scores(one)):
        gives["machine_scores"] = scores
    return json.loads(json.dumps(gives))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", NAMES)
def test_a_format_gives_what_it_must(name: str) -> None:
    assert given(name) == sample(name).gives


def test_every_reader_has_a_fixture() -> None:
    assert {sample(name).format for name in NAMES} == set(FORMATS)


@pytest.mark.parametrize("name", NAMES)
def test_a_format_is_recognised_by_its_content(name: str) -> None:
    one = sample(name)
    if one.format not in NAMED_ONLY:
        for path in one.paths:
            assert [f.name for f in recognised([Source(path)])] == [one.format], path.name


def test_formats_whose_files_hold_scores_say_so() -> None:
    scoring = {sample(name).format for name in NAMES if "machine_scores" in sample(name).gives}
    assert scoring == {f.name for f in FORMATS.values() if f.scores}


def test_every_format_says_where_it_was_checked() -> None:
    assert all(f.checked for f in FORMATS.values())


def test_the_list_in_the_readme_is_that_of_the_package() -> None:
    lines = README.read_text().splitlines()
    assert [line for line in lines if line.startswith("| `") and "`--" not in line[:6]] == [
        f.line for f in FORMATS.values()
    ]
