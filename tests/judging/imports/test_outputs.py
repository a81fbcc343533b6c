"""Other tools' outputs, by ids, by prompt and source, by exact words. Field names as in the tools' own files."""

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Prompt, Response, Study
from judging.models import Score, ScoreRun, Verdict
from tests.factories import make_item

WORDS = {"r0": "Good.", "r1": "Bad.", "r2": "Fine.", "r3": "Good."}


@pytest.fixture
def study(db: None) -> Study:
    """One prompt with four responses, two of which say the same; another prompt where one says it too."""
    made = Study.objects.create(slug="tiny", title="Tiny")
    prompt = Prompt.objects.create(study=made, key="q1", text="Why?")
    rows = [
        Response.objects.create(study=made, prompt=prompt, key=key, text=text, source=f"m-{key}")
        for key, text in WORDS.items()
    ]
    other = Prompt.objects.create(study=made, key="q2", text="How?")
    Response.objects.create(study=made, prompt=other, key="o0", text="Fine.", source="m-o0")
    make_item(made, prompt, "pair", "pair", [rows[0], rows[1]])
    return made


def come(form: str, rows: Sequence[Any] | dict[str, Any], tmp_path: Path, *more: str) -> str:
    path = tmp_path / ("file.json" if isinstance(rows, dict) else "file.jsonl")
    lines = json.dumps(rows) if isinstance(rows, dict) else "\n".join(map(json.dumps, rows))
    path.write_text(lines)
    out = StringIO()
    call_command("import_scores", "tiny", str(path), "--as", form, "--yes", *more, stdout=out)
    return out.getvalue()


def scores() -> dict[str, float | None]:
    return dict(Score.objects.order_by("pk").values_list("response__key", "value"))


def verdict() -> Verdict:
    return Verdict.objects.select_related("winner").get()


def test_rewardbench(study: Study, tmp_path: Path) -> None:
    row = {"prompt": "Why?", "text_chosen": "Fine.", "text_rejected": "Bad.", "results": 1}
    out = come(
        "rewardbench", [row | {"scores_chosen": [2.5], "scores_rejected": -1}], tmp_path, "--scorer", "rm"
    )
    assert "2 matched (2 by text); 0 not matched" in out
    assert scores() == {"r2": 2.5, "r1": -1}


def test_rewardbench_as_a_dict_of_columns_with_conversations(study: Study, tmp_path: Path) -> None:
    said = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Bad."}]
    columns = {
        "id": [1, 2],
        "subset": ["s", "s"],
        "model": ["rm", "rm"],
        "text_chosen": ["elsewhere", "elsewhere"],
        "text_rejected": [said, "elsewhere"],
        "scores_chosen": [1, 2],
        "scores_rejected": [0.5, 1],
        "results": [1, 1],
    }
    out = come("rewardbench", columns, tmp_path)
    assert "1 matched (1 by text); 3 not matched" in out
    assert "no response with exactly these words: 'elsewhere'" in out
    assert scores() == {"r1": 0.5}


def test_ids_come_first(study: Study, tmp_path: Path) -> None:
    Response.objects.filter(key="r3").update(key="7:chosen")
    row = {
        "id": 7,
        "model": "rm",
        "text_chosen": "x",
        "text_rejected": "y",
        "scores_chosen": 1,
        "scores_rejected": 0,
    }
    assert "1 matched (1 by id)" in come("rewardbench", [row], tmp_path)
    assert scores() == {"7:chosen": 1}


def test_rewardbench_2(study: Study, tmp_path: Path) -> None:
    row = {"id": "a", "subset": "Ties", "model": "rm", "prompt": "Why?", "num_correct": 1, "results": 1}
    come("rewardbench-2", [row | {"text": ["Good.", "Bad."], "scores": [[1.5], "nan"]}], tmp_path)
    # What two responses say alike, both have the number of.
    assert scores() == {"r0": 1.5, "r3": 1.5, "r1": None}
    assert Score.objects.failed().get().error == "no number: 'nan'"


def test_rm_bench(study: Study, tmp_path: Path) -> None:
    row = {"id": 3, "prompt": "Why?", "chosen": ["Fine.", "x", "y"], "rejected": ["Bad.", "z", "w"]}
    row |= {"score_chosen": [3, 2, 1], "score_rejected": [0, 0, 0]}
    out = come("rm-bench", [row], tmp_path, "--scorer", "rm")
    assert "2 matched (2 by text); 4 not matched" in out
    assert scores() == {"r2": 3, "r1": 0}


@pytest.mark.parametrize(
    ("decisions", "winner", "value", "straight", "swapped"),
    [
        (("A>B", "B>A"), "r0", 1, 1, 1),
        (("A>B", "A>B"), None, 0, 1, -1),
        (("B>A", "A=B"), "r1", 0.5, -1, 0),
    ],
)
def test_judgebench(
    study: Study,
    tmp_path: Path,
    decisions: Any,
    winner: str | None,
    value: float,
    straight: float,
    swapped: float,
) -> None:
    row = {"pair_id": "p", "question": "Why?", "response_A": "Good.", "response_B": "Bad.", "judge_name": "j"}
    come("judgebench", [row | {"judgments": [{"decision": d} for d in decisions]}], tmp_path)
    found = verdict()
    assert (found.winner.key if found.winner else None) == winner
    assert (found.value, found.straight, found.swapped) == (value, straight, swapped)


def test_alpaca_eval(study: Study, tmp_path: Path) -> None:
    row = {
        "instruction": "Why?",
        "output_1": "Bad.",
        "generator_1": "a",
        "output_2": "Good.",
        "generator_2": "b",
    }
    come("alpaca-eval", [row | {"annotator": "weighted", "preference": 1.8, "raw_completion": "M"}], tmp_path)
    found = verdict()
    assert found.winner is not None
    assert (found.winner.key, found.raw) == ("r0", "M")
    assert found.value == pytest.approx(0.6)
    assert (found.straight, found.swapped) == (None, None)


def test_alpaca_eval_without_a_preference_is_no_tie(study: Study, tmp_path: Path) -> None:
    row = {
        "instruction": "Why?",
        "output_1": "Bad.",
        "output_2": "Good.",
        "annotator": "w",
        "preference": None,
    }
    assert "1 without a number" in come("alpaca-eval", [row], tmp_path)
    assert Verdict.objects.usable().count() == 0
    assert verdict().error.startswith("no preference")


def test_mt_bench_pairs_and_grades(study: Study, tmp_path: Path) -> None:
    pair = {"question_id": "q1", "model_1": "m-r1", "model_2": "m-r0", "judge": ["gpt", "pair-v2"], "turn": 1}
    out = come("mt-bench", [pair | {"g1_winner": "model_2", "g2_winner": "tie"}], tmp_path)
    assert "1 matched (1 by prompt and source)" in out
    found = verdict()
    # The file's first response is the pair's second: its first game shows that one first, so it is the swapped one.
    assert (found.winner and found.winner.key, found.straight, found.swapped) == ("r0", 0, 1)
    grade = {"question_id": "q1", "model": "m-r2", "judge": ["gpt", "single-v1"], "user_prompt": "…"}
    rows = [grade | {"score": 8, "turn": 1, "judgment": "[[8]]"}, grade | {"score": -1, "turn": 2}]
    come("mt-bench", rows, tmp_path)
    assert dict(Score.objects.values_list("run__scorer", "value")) == {"gpt": 8, "gpt turn 2": None}


def test_arena_hard(study: Study, tmp_path: Path) -> None:
    row = {"uid": "q1", "judge": "gpt", "model": "m-r1", "baseline": "m-r0"}
    come("arena-hard", [row | {"games": [{"score": "A>>B"}, {"score": "B>A"}]}], tmp_path)
    found = verdict()
    assert (found.winner and found.winner.key, found.value) == ("r0", 0.75)
    assert (found.straight, found.swapped) == (1, 0.5)


def test_a_table_with_another_direction_and_ambiguous_words(study: Study, tmp_path: Path) -> None:
    rows = [
        {
            "user_query": "Why?",
            "response": "Fine.",
            "conversation_perplexity": 3.5,
            "higher_is_better": False,
        },
        {"response": "Fine.", "conversation_perplexity": 3.5},
        {"response_id": "r1", "conversation_perplexity": "1e2"},
    ]
    out = come("table", rows, tmp_path, "--scorer", "ppl")
    assert "2 matched" in out
    assert "these words answer several prompts" in out
    assert scores() == {"r2": -3.5, "r1": 100}


def test_windows_spreadsheets_are_read(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("response_id;value;comment\nr0;1.5;caf\xe9\n".encode("cp1252"))
    call_command(
        "import_scores", "tiny", str(path), "--as", "table", "--scorer", "s", "--yes", stdout=StringIO()
    )
    assert scores() == {"r0": 1.5}


def test_nothing_is_stored_before_it_is_wanted(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_text('{"response_id": "r0", "value": 1, "scorer": "s"}\n')
    out = StringIO()
    call_command("import_scores", "tiny", str(path), "--as", "table", "--dry-run", stdout=out)
    assert "1 matched (1 by id); 0 not matched" in out.getvalue()
    with pytest.raises(CommandError, match="To store what matches: --yes"):
        call_command("import_scores", "tiny", str(path), "--as", "table", stdout=StringIO())
    assert ScoreRun.objects.count() == 0


def test_twice_the_same_is_stored_once_and_another_number_is_refused(study: Study, tmp_path: Path) -> None:
    row = {"response_id": "r0", "value": 1, "scorer": "s"}
    come("table", [row, row], tmp_path)
    assert "0 stored" in come("table", [row], tmp_path)
    with pytest.raises(
        CommandError,
        match=r'(?s)two that differ.*line 1, "Good\.": 2 here, and 1 stored before.*Nothing was stored',
    ):
        come("table", [row | {"value": 2}, {"response_id": "r1", "value": 5, "scorer": "s"}], tmp_path)
    assert scores() == {"r0": 1}


@pytest.mark.parametrize(
    ("form", "row", "told"),
    [
        (
            "rewardbench-2",
            {"text": ["a"], "scores": [1, 2]},
            "line 1, scores: expected as many scores as texts, which are 1, found 2",
        ),
        (
            "judgebench",
            {"judgments": [{}], "response_A": "a", "response_B": "b"},
            "expected a list of 2, found",
        ),
        ("table", {"value": 1, "scorer": "s"}, "expected a column response_id or response, found neither"),
        ("table", {"value": 1, "response_id": "r0"}, r"the scorer's name \(--scorer\), found none"),
        ("arena-hard", {"uid": "q1", "model": "m", "baseline": "n", "games": "x"}, "expected a list"),
    ],
)
def test_what_can_not_be_read_is_named_by_line(
    study: Study, tmp_path: Path, form: str, row: dict[str, Any], told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        come(form, [row], tmp_path)
    with pytest.raises(CommandError, match="There is no format"):
        come("nonsense", [row], tmp_path)
