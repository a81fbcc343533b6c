"""Every format by a small file in its published shape: recognised, taken in whole, or refused whole."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotate import formats
from annotate.folder import FolderError
from annotate.folder.load import check_folder
from annotate.formats import FORMATS, Options, read_scores
from annotate.models import Annotator, Answer, Item, Prompt, Response, Study
from judging.folder.scores import Scores
from judging.models import Score, Verdict

from .samples import NAMES, brought, jsonl, sample, written

# Those that are read without further words.
ALONE = [
    name
    for name in NAMES
    if not (sample(name).options or sample(name).into) and sample(name).format != "table"
]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ALONE)
def test_a_format_comes_in_whole_and_once(name: str) -> None:
    done = brought(sample(name).paths)
    assert done.reading.format.name == sample(name).format
    gives = sample(name).gives
    for table in ("prompts", "responses", "items", "answers", "scores"):
        assert done.new.get(table, 0) == len(gives.get(table, ())), table
    again = brought(sample(name).paths)
    assert not any(again.new.values())


@pytest.mark.django_db
def test_a_machine_s_vote_is_a_verdict_and_a_person_s_an_answer(tmp_path: Path) -> None:
    files = sample("alpaca-annotations").paths
    brought(files)
    assert Verdict.objects.get().winner == Response.objects.get(text="One")
    assert {a.key for a in Annotator.objects.all()} == {"annotator-3", "annotator-4", "annotator-5"}
    # Who imports may say that all are people, or all machines.
    brought(files, slug="people", voters="people")
    assert Annotator.objects.filter(study__slug="people").count() == 4
    machines = brought(files, slug="machines", voters="machines")
    assert (machines.new.get("answers", 0), machines.new["scores"]) == (0, 4)


@pytest.mark.django_db
def test_repeated_votes_are_named_and_the_first_is_kept(tmp_path: Path) -> None:
    found = brought(sample("alpaca-annotations").paths)
    assert any(
        "the first answer was kept" in remark and "a.json, line " in remark
        for remark in found.reading.remarks
    )
    given = Answer.objects.filter(judgment__assignment__annotator__key="annotator-3")
    assert [answer.response.text for answer in given if answer.response] == ["One"]


@pytest.mark.django_db
def test_a_pair_met_in_the_other_order_is_the_same_item(tmp_path: Path) -> None:
    base = {"instruction": "I?", "dataset": "d"}
    one, two = {"output_1": "One", "output_2": "Two"}, {"output_1": "Two", "output_2": "One"}
    rows = [
        {**base, **one, "annotator": 1, "preference": 1},
        {**base, **two, "annotator": 2, "preference": 2},
    ]
    brought(jsonl(tmp_path / "a.jsonl", rows))
    assert Item.objects.count() == 1
    assert {answer.response.text for answer in Answer.objects.all() if answer.response} == {"One"}


@pytest.mark.django_db
def test_both_turns_of_mt_bench_and_both_games_of_arena_hard(tmp_path: Path) -> None:
    brought(sample("mt-bench").paths, slug="mt")
    prompts = set(Prompt.objects.filter(study__slug="mt").values_list("text", flat=True))
    assert prompts == {"Q1", "Q1\n\n⸻\n\nQ2"}
    brought(sample("arena-hard").paths, slug="ah")
    verdict = Verdict.objects.get(run__study__slug="ah")
    # In the first game the baseline is A, so B>>A is much better for bee; the second game is a tie.
    assert (verdict.winner, verdict.value) == (Response.objects.get(study__slug="ah", source="bee"), 0.5)


@pytest.mark.django_db
def test_what_a_judge_left_out_is_no_vote(tmp_path: Path) -> None:
    files = dict(sample("arena-hard").rows)
    [judged] = files["judged.jsonl"]
    files["judged.jsonl"] = [judged | {"games": [{"score": None}, {"score": "A>B"}]}]
    found = brought(written(tmp_path / "ah", files), slug="ah")
    # One order alone would hold the judge's liking for a side.
    assert any("no choice that could be read" in remark for remark in found.reading.remarks)
    assert not Verdict.objects.exists()
    base = {"instruction": "I?", "output_1": "A", "output_2": "B", "generator_1": "x", "generator_2": "y"}
    failed = brought(jsonl(tmp_path / "v.jsonl", [{**base, "annotator": 1, "preference": -1}]), slug="al")
    assert "answers" not in failed.new


@pytest.mark.django_db
def test_names_of_people_are_replaced(tmp_path: Path) -> None:
    found = brought(sample("label-studio").paths)
    keys = set(Annotator.objects.values_list("key", flat=True))
    assert "12" in keys
    assert not any("@" in key for key in keys)
    assert any("pseudonyms" in remark for remark in found.reading.remarks)


@pytest.mark.django_db
def test_a_mean_of_people_is_no_judgment(tmp_path: Path) -> None:
    found = brought(sample("sts").paths)
    assert {c.kind for c in Study.objects.get().criteria.all()} == {"number"}
    assert any("not as a judgment" in remark for remark in found.reading.remarks)


@pytest.mark.django_db
def test_machine_ratings_are_scores(tmp_path: Path) -> None:
    brought(sample("ultrafeedback").paths)
    found = dict(Score.objects.values_list("run__scorer", "value"))
    assert found == {
        "ultrafeedback/overall_score": 7.5, "ultrafeedback/fine-grained_score": 4.25,
        "ultrafeedback/honesty": 4, "ultrafeedback/rating": 5,
    }  # fmt: skip


@pytest.mark.django_db
def test_plain_tables_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_bytes(
        "Frage;Antwort;Modell;Güte;Wer\nWarum?;Darum.;eule;4;anna\nWarum?;Darum.;eule;5;ben\n".encode(
            "cp1252"
        )
    )
    mapping = {
        "prompt": "Frage",
        "response": "Antwort",
        "source": "Modell",
        "rating.quality": "Güte",
        "annotator": "Wer",
    }
    found = brought(path, mapping=mapping)
    assert found.reading.format.name == "mapped"
    assert set(Answer.objects.values_list("value", flat=True)) == {4, 5}
    assert set(Annotator.objects.values_list("key", flat=True)) == {"anna", "ben"}
    assert any("Windows-1252" in remark for remark in found.reading.remarks)


@pytest.mark.django_db
def test_wide_tables_have_a_column_a_person(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("q,a,r1,r2,note\nWhy?,So.,3,,x\nWhy?,Because.,5,4,\n")
    found = brought(path, mapping={"prompt": "q", "response": "a", "rating": "r1,r2"})
    given = Answer.objects.values_list("judgment__assignment__annotator__key", "value")
    assert sorted(given) == [("r1", 3), ("r1", 5), ("r2", 4)]
    assert [field.name for field in found.reading.unused] == ["note"]


@pytest.mark.django_db
def test_pairs_in_plain_tables_with_words_numbers_and_lists(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"q": "Why?", "x": "So.", "y": "Because.", "v": "Both bad", "s": [4, None, 2]},
        {"q": "Why?", "x": "So.", "y": "Hm.", "v": -2, "s": "[1, 1]"},
    ]
    brought(
        jsonl(tmp_path / "p.jsonl", rows),
        mapping={"prompt": "q", "response_a": "x", "response_b": "y", "preference": "v", "similarity": "s"},
        values={"-2": "second_much"},
    )
    labels = Answer.objects.filter(criterion__key="preference").order_by("pk").values_list("label", "value")
    assert list(labels) == [("both_bad", 0), ("", 2)]
    alike = Answer.objects.filter(criterion__key="similarity").values_list("value", flat=True)
    assert Counter(alike) == {1: 2, 2: 1, 4: 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (
            {"prompt": "q", "response": "b"},
            'p.csv, line 1: expected columns of p.csv for response: one of a, q, r, found "b"',
        ),
        ({"prompt": "q", "colour": "a"}, "a role of prompt, prompt_id"),
        (
            {"prompt": "q", "response": "a", "rating": "r"},
            "p.csv, line 3, r: expected a whole number from 1 to 5",
        ),
        ({"prompt": "q", "response": "a", "rating": "r", "scale": "5"}, "scale: expected LOW,HIGH"),
        ({"response_a": "a", "prompt": "q"}, "a column for response_b"),
    ],
)
def test_a_mapping_that_does_not_fit_says_so(tmp_path: Path, mapping: dict[str, str], said: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text("q,a,r\nWhy?,So.,1\nWhy?,Hm.,7\n")
    with pytest.raises(FolderError) as error:
        brought(path, mapping=mapping)
    assert said in str(error.value)
    assert not Study.objects.exists()


@pytest.mark.django_db
def test_crowd_kit_is_read_into_the_study_that_has_the_texts(tmp_path: Path) -> None:
    brought(sample("infinity-absolute").paths, slug="texts")
    keys = list(Response.objects.order_by("pk").values_list("key", flat=True))
    rows = [{"task": keys[0], "worker": "w1", "label": "4"}, {"task": keys[1], "worker": "w2", "label": "2"}]
    with pytest.raises(FolderError, match="a study with one rating on a single"):
        brought(jsonl(tmp_path / "c.jsonl", rows), slug="none")
    found = brought(jsonl(tmp_path / "c.jsonl", rows), slug="texts")
    assert {t: n for t, n in found.new.items() if n} == {"answers": 2, "annotators": 2, "judgments": 2}
    with pytest.raises(FolderError, match=r"c\.jsonl, line 1, task: expected a response_id of the study"):
        brought(jsonl(tmp_path / "c.jsonl", [{"task": "?", "worker": "w", "label": 1}]), slug="texts")


@pytest.mark.django_db
def test_texts_that_are_there_are_found_again_by_their_words(tmp_path: Path) -> None:
    brought(sample("alpaca-outputs").paths, slug="one")
    Prompt.objects.update(key="mine")
    Response.objects.filter(text="O1").update(key="first")
    base = {"instruction": "I?", "generator_1": "g1", "generator_2": "g2", "annotator": 1, "preference": 1}
    found = brought(jsonl(tmp_path / "v.jsonl", [{**base, "output_1": "O1", "output_2": "O2"}]), slug="one")
    assert {t: n for t, n in found.new.items() if n} == {
        "items": 1,
        "answers": 1,
        "annotators": 1,
        "judgments": 1,
    }
    assert Answer.objects.get().response == Response.objects.get(key="first")
    said = "Found in the study by their words: 1 prompts and 2 responses; not there yet: 0 prompts and 0 responses."
    assert said in found.reading.remarks


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats(width=16) | st.sampled_from(
        ["", "a", "tie", "model_a", "A>>B", "[1, 2]", "{}", "\ud800", "\x00", "nan", "x" * 300, "2026-01-01",
         "1,002", "0,5", "undefined", "\ufeff\u200b", "Human: a\n\nAssistant: b", "[{'role': 'user', 'content': 'a'}]",
         "['a' 'b']", "['nan', nan]", '[{"rating": 4}]', "@@ID@@", "\u061cann", "['x"]
    ) | st.sampled_from([10**400, float("inf"), float("nan"), 20240531, 1e18]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["role", "from", "content", "parts", "text", "response", "pref", "value", "score", "turns",
             "category", "type", "input", "tool_calls", "function_call", "functionCall", "messages",
             "system", "author", "rating", "number", "selected", "choices", "text_a", "Rating", "of no use"]),
        inner,
        max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_row_makes_a_reader_fall_over(name: str, tmp_path: Path, data: st.DataObject) -> None:
    """Rows of the right fields with anything in them are read whole, or refused with places."""
    files = sample(name).rows
    broken: dict[str, Any] = {}
    for file, rows in files.items():
        originals = rows if isinstance(rows, list) else [rows]
        drawn = [
            {**row, **data.draw(st.dictionaries(st.sampled_from(sorted(row)), VALUES, max_size=2))}
            for row in originals
        ]
        broken[file.replace(".csv", ".jsonl")] = drawn if isinstance(rows, list) else drawn[0]
    paths = written(tmp_path, broken)
    _read_or_refused(paths, sample(name).format)
    if FORMATS[sample(name).format].scores:
        with suppress(FolderError):
            read_scores(paths, sample(name).format, Options(scorer="s"), lambda record: None)


def _read_or_refused(paths: list[Path], name: str, **options: Any) -> None:
    refused = _refusal(paths, name, Options(slug="fuzz", **options))
    if refused is None:
        return
    assert refused.problems
    assert all(p.expected and p.found for p in refused.problems)
    # Told of the files that were given, never of the folder made of them.
    assert all(p.file in {path.name for path in paths} for p in refused.problems), refused.problems


def _refusal(paths: list[Path], name: str, options: Options) -> FolderError | None:
    try:
        with formats.read(paths, name, options) as reading:
            try:
                check_folder(reading.folder, parts=[Scores()])
            except FolderError as error:
                return reading.origin(error)
    except FolderError as error:
        return error
    return None


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    content=st.binary(max_size=200),
    form=st.sampled_from(["json", "jsonl", "csv", "parquet", "arrow", "json.gz"]),
)
def test_no_bytes_make_a_reader_fall_over(tmp_path: Path, content: bytes, form: str) -> None:
    path = tmp_path / f"any.{form}"
    path.write_bytes(content)
    _read_or_refused([path], "infinity-eval")
    _read_or_refused([path], "mapped", mapping={"prompt": "a"})


def test_a_file_of_no_known_format_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"colour": "red"}]))
    with pytest.raises(
        FolderError, match=r"expected the columns of a known format, or a mapping of columns .*, found colour"
    ):
        _raise(path)


def _raise(path: Path) -> None:
    with formats.read([path]):
        pass
