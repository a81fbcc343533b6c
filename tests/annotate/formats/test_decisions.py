"""What judges decided, and who won a battle: known words or a refusal; and no reader reads cells in ways of its own."""

import ast
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError
from annotate.formats import readers

from .samples import records_of, sample, written
from .test_cells import file, remarks

JUDGED = ("mt-bench-judgments", "arena-hard", "judgebench")
DECIDING = ("g1_winner", "g2_winner", "score", "decision")


def with_decisions(name: str, word: object) -> dict[str, Any]:
    """The files of a sample of judges' decisions, each of them another word."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {k: word if k in DECIDING and isinstance(v, str) else changed(v) for k, v in value.items()}

    return {file: changed(rows) for file, rows in sample(name).rows.items()}


@pytest.mark.parametrize("name", JUDGED)
@pytest.mark.parametrize("word", ["A wins", "Model_A", "1", "yes", 1])
def test_a_decision_in_other_words_is_refused(tmp_path: Path, name: str, word: object) -> None:
    paths = written(tmp_path, with_decisions(name, word))
    with pytest.raises(FolderError, match="or nothing where the judge failed"):
        records_of(paths, sample(name).format)


@pytest.mark.parametrize("name", JUDGED)
@pytest.mark.parametrize("word", ["", "error", None])
def test_a_judge_may_fail(tmp_path: Path, name: str, word: object) -> None:
    records = records_of(written(tmp_path, with_decisions(name, word)), sample(name).format)
    assert "made no choice that could be read" in remarks(records)


@pytest.mark.parametrize(
    ("flags", "winner"),
    [
        ((1, 0, 0), "x"),
        (("0", "1.0", ""), "y"),
        ((False, False, True), None),
        ((1, 0, 1), ""),
        ((0, 0, 0), ""),
    ],
)
def test_one_flag_says_who_won(tmp_path: Path, flags: tuple[object, ...], winner: str | None) -> None:
    row = {"id": 1, "model_a": "m", "model_b": "n", "prompt": "Q", "response_a": "x", "response_b": "y"}
    row |= dict(zip(("winner_model_a", "winner_model_b", "winner_tie"), flags, strict=True))
    path = file(tmp_path, [row], "f.jsonl")
    if winner == "":
        with pytest.raises(FolderError, match="or one of winner_model_a, winner_model_b, winner_tie"):
            records_of(path, "arena")
        return
    assert [answer.get("response") for answer in records_of(path, "arena")["answers"]] == [winner]


def test_readers_leave_cells_to_the_one_place_that_reads_them() -> None:
    """What a number, a truth value, a time or JSON in a cell is, no reader says for itself."""
    own = {"json", "ast", "csv", "datetime", "dateutil", "distutils", "yaml"}
    for path in Path(readers.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {
            name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [n.name for n in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
        }
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not imported & own, path.name
        assert not called & {"eval", "open"}, path.name
