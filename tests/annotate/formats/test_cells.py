"""What cells mean, on small files as people have them: numbers, votes, truth, missing values, ids, times, texts."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError
from annotate.formats import Options, read_scores
from annotate.formats.numbers import decimal_mark, parse
from annotate.formats.values import time, truth

from .samples import records_of

SINGLE = {"prompt": "q", "response": "a", "annotator": "who", "rating.quality": "r"}
PAIR = {"prompt": "q", "response_a": "one", "response_b": "two", "annotator": "who", "preference": "better"}


# Signs without a shape, of every sort that there is: marked in texts, and nobody's meaning in ids.
UNSEEN = "\u200b\ufeff\u200e\u061c\u034f\u115f\u2060\u2800\ufe0f\u180e\u00ad\U000e0041"


def file(folder: Path, content: str | bytes | list[dict[str, Any]], name: str = "f.csv") -> list[Path]:
    path = folder / name
    if isinstance(content, list):
        content = "".join(json.dumps(row) + "\n" for row in content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [path]


def answers(records: dict[str, Any]) -> list[Any]:
    return [row.get("value") for row in records["answers"]]


def remarks(records: dict[str, Any]) -> str:
    return "\n".join(records.get("remarks", ()))


# Votes


def pairs(folder: Path, *votes: str) -> list[Path]:
    rows = [f"A tree?,Oak,Ash,w{n},{vote}" for n, vote in enumerate(votes)]
    return file(folder, "q,one,two,who,better\n" + "\n".join(rows) + "\n")


@pytest.mark.parametrize("code", ["1", "2", "0", "A", "b", "left", "Right", "model_a", "-1", "Oak", "1 > 2"])
def test_a_coded_vote_is_never_guessed(tmp_path: Path, code: str) -> None:
    with pytest.raises(FolderError, match=r"line 2, better: .*a code is not guessed \(--values"):
        records_of(pairs(tmp_path, code), mapping=PAIR)


def test_codes_are_read_as_whoever_imports_says(tmp_path: Path) -> None:
    values = {"1": "first", "2": "second", "3": "both_bad", "2 > 1": "second_much"}
    records = records_of(pairs(tmp_path, "1", "2", "2.0", "3", "2 > 1", ""), mapping=PAIR, values=values)
    assert [row.get("response") for row in records["answers"]] == ["Oak", "Ash", "Ash", None, "Ash"]
    assert [row.get("label", "") for row in records["answers"]] == ["", "", "", "both_bad", ""]
    assert answers(records) == [1, 1, 1, 0, 2]
    assert "'better' was read so: \"1\" as “the first is better” (1)" in remarks(records)


def test_words_that_mean_the_same_everywhere_need_no_explanation(tmp_path: Path) -> None:
    records = records_of(pairs(tmp_path, "first", "second_much", "Tie", "Both bad"), mapping=PAIR)
    assert answers(records) == [1, 2, 0, 0]


# Truth


@pytest.mark.parametrize("value", ["maybe", "", None, 2, "-1", [], "2.0"])
def test_what_is_neither_true_nor_false_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"^"):
        truth(value)


def test_labels_may_be_numbers_and_words(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Q", "completion": f"c{n}", "label": label}
        for n, label in enumerate([1.0, 0.0, True, "False", "no", "1"])
    ]
    assert answers(records_of(file(tmp_path, rows, "f.jsonl"), "trl-unpaired")) == [1, 0, 1, 0, 0, 1]
    with pytest.raises(
        FolderError, match=r'label: expected true or false \(--values VALUE=1\|0\), found "good"'
    ):
        records_of(file(tmp_path, [rows[0] | {"label": "good"}], "g.jsonl"), "trl-unpaired")
    worded = [rows[0] | {"label": "good"}, rows[1] | {"label": "bad"}]
    values = {"good": "1", "bad": "0"}
    assert answers(records_of(file(tmp_path, worded, "w.jsonl"), "trl-unpaired", values=values)) == [1, 0]


def scores(paths: list[Path], **options: Any) -> tuple[list[float | None], list[str]]:
    values: list[float | None] = []

    def take(record: Any) -> None:
        values.append(record.value)

    said = read_scores(paths, "table", Options(scorer="s", **options), take)
    return values, said


def test_every_word_for_no_turns_a_score_round(tmp_path: Path) -> None:
    lines = "".join(
        f"r{n},{n + 1},{word}\n" for n, word in enumerate(("FALSE", "0.0", "no", "0", "yes", "TRUE"))
    )
    values, said = scores(file(tmp_path, "response_id,score,higher_is_better\n" + lines))
    assert values == [-1, -2, -3, -4, 5, 6]
    assert "'higher_is_better' was read so" in "\n".join(said)
    with pytest.raises(FolderError, match="higher_is_better: expected true or false"):
        scores(file(tmp_path, "response_id,score,higher_is_better\nr1,2,perhaps\n"))


@pytest.mark.parametrize(
    ("column", "word", "value"),
    [
        ("higher_is_better", "no", -2),
        ("lower_is_better", "yes", -2),
        ("lower_is_better", "0", 2),
        ("lower_is_better", "", 2),
    ],
)
def test_either_direction_is_known(tmp_path: Path, column: str, word: str, value: float) -> None:
    assert scores(file(tmp_path, f"response_id,score,{column}\nr1,2,{word}\n"))[0] == [value]


def test_one_column_holds_the_scores_of_the_whole_file(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"expected one column of scores .* found score and reward"):
        scores(file(tmp_path, "response_id,score,reward\nr1,1,9\n"))
    rows = [{"response_id": "r1", "score": 1}, {"response_id": "r2", "reward": 2}]
    with pytest.raises(FolderError, match="one column of scores"):
        scores(file(tmp_path, rows, "mixed.jsonl"))


def test_who_wrote_a_response_is_not_the_scorer(tmp_path: Path) -> None:
    path = file(tmp_path, "response_id,model_name,reward\nr1,llama-3,1.5\n")
    with pytest.raises(FolderError, match="the scorer's name"):
        read_scores(path, "table", Options(), lambda record: None)


# Numbers


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["987", "1,002", "12,345"], None),
        (["1,002.5", "12"], "."),
        (["1,002", "0.5"], "."),
        (["1,002", "0,5"], ","),
        (["1.002,5"], ","),
        (["1.5", "0,5"], None),
        (["1.5", "2"], "."),
        (["1e5", "-3"], "."),
        (["12 345,5"], ","),
        (["1.234.567", "1.234"], ","),
        (["0,123", "1,500"], ","),
        (["0.123", "1,500"], "."),
        (["1.234", "2.500"], "."),
    ],
)
def test_the_decimal_mark_is_settled_by_the_whole_column(cells: list[str], mark: str | None) -> None:
    assert decimal_mark(cells) == mark


@pytest.mark.parametrize("value", [0.0, 1.5, -2.25, 987.0, 1002.0, 12345.678, 1e6])
def test_a_number_written_with_either_mark_is_the_number(value: float) -> None:
    point = f"{value:,.3f}"
    comma = point.translate({ord(","): ".", ord("."): ","})
    assert parse(point, ".") == value
    assert parse(comma, ",") == value


def test_thousands_that_could_be_decimals_are_refused_until_somebody_says(tmp_path: Path) -> None:
    path = file(tmp_path, 'response_id,score\nr1,987\nr2,"1,002"\nr3,"12,345"\n')
    with pytest.raises(FolderError, match=r"line 3, score: .*--decimal"):
        scores(path)
    assert scores(path, decimal=".")[0] == [987, 1002, 12345]
    assert scores(path, decimal=",")[0] == [987, 1.002, 12.345]
    values, said = scores(file(tmp_path, 'response_id,score\nr1,"1,002"\nr2,"0,5"\n', "c.csv"))
    assert values == [1.002, 0.5]
    assert "the comma marks decimals" in "\n".join(said)


def test_a_point_marks_thousands_where_the_column_says_so(tmp_path: Path) -> None:
    assert scores(file(tmp_path, "response_id;score\nr1;1.234\nr2;1,5\n"))[0] == [1234, 1.5]
    with pytest.raises(FolderError, match=r"line 3, score: .*--decimal"):
        scores(file(tmp_path, 'response_id,score\nr1,1.5\nr2,"0,5"\n', "both.csv"))


def test_numbers_deep_in_a_row_are_settled_by_all_of_their_field(tmp_path: Path) -> None:
    rows = [{"q": "Q", "a": f"a{n}", "who": "w", "s": {"v": [v]}} for n, v in enumerate(("1,002", "0,5"))]
    mapping = {"prompt": "q", "response": "a", "score.rm": "s.v.0"}
    records = records_of(file(tmp_path, rows, "f.jsonl"), mapping=mapping)
    assert [row["value"] for row in records["scores"]] == [1.002, 0.5]
    with pytest.raises(FolderError, match="--decimal"):
        records_of(file(tmp_path, rows[:1], "g.jsonl"), mapping=mapping)


@pytest.mark.parametrize("value", [float("inf"), 10**400, "1e999", "1,23,456", "45%", "−4", [1, 2], {}])
def test_what_is_no_number_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(FolderError, match="line 1, score: expected a number"):
        scores(file(tmp_path, [{"response_id": "r1", "score": value}], "f.jsonl"))


def test_words_for_nothing_and_truth_in_numbers_are_said(tmp_path: Path) -> None:
    rows = [{"response_id": f"r{n}", "score": value} for n, value in enumerate((True, "NaN", "n/a", 2))]
    values, said = scores(file(tmp_path, rows, "f.jsonl"))
    assert values == [1, None, None, 2]
    assert """read so: true as “1” (1), "NaN" as “missing” (1), "n/a" as “missing” (1)""" in "\n".join(said)


def test_a_meaning_of_another_kind_means_nothing(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="a code is not guessed"):
        records_of(pairs(tmp_path, "x"), mapping=PAIR, values={"x": "3"})


# Missing values, texts and ids


def test_words_for_nothing_are_words_in_texts(tmp_path: Path) -> None:
    rows = [{"prompt": "None", "chosen": "N/A", "rejected": "null"}]
    records = records_of(file(tmp_path, rows, "f.jsonl"))
    assert [row["text"] for row in records["prompts"]] == ["None"]
    assert [row["text"] for row in records["responses"]] == ["N/A", "null"]
    path = file(tmp_path, "q,a,who,r,c\nQ?,x,w1,4,None\nQ?,y,NA,N/A,N/A\nQ?,z,w1,-,\n")
    records = records_of(path, mapping=SINGLE | {"comment": "c"})
    assert [row["text"] for row in records["answers"] if row["criterion"] == "comment"] == ["None", "N/A"]
    assert [row["value"] for row in records["answers"] if row["criterion"] == "quality"] == [4]
    assert {row["annotator_id"] for row in records["answers"]} == {"w1", "NA"}


def test_white_space_around_ids_is_nobody_s_meaning(tmp_path: Path) -> None:
    path = file(tmp_path, "q,a,who,r\nQ,A,ann,4\nQ,B, ann,5\nQ,C,ann ,5\nQ,D,Ann,5\n")
    records = records_of(path, mapping=SINGLE)
    assert {row["annotator_id"] for row in records["answers"]} == {"ann", "Ann"}
    assert "white space around them, which was taken away. (2 times)" in remarks(records)
    assert "'ann' and 'Ann' look alike" in remarks(records)


@pytest.mark.parametrize("around", [" ", "\u00a0", "\u2028", "\t", *UNSEEN])
def test_unseen_characters_around_ids_are_nobody_s_meaning(tmp_path: Path, around: str) -> None:
    rows = [
        {"q": "Q", "a": f"a{n}", "who": who, "r": 4} for n, who in enumerate(("ann", f"{around}ann{around}"))
    ]
    records = records_of(file(tmp_path, rows, "f.jsonl"), mapping=SINGLE)
    assert {row["annotator_id"] for row in records["answers"]} == {"ann"}
    assert "white space around them" in remarks(records)


@pytest.mark.parametrize("name", ["sample", "source", "category"])
def test_names_and_numbers_of_samples_are_read_as_meant(tmp_path: Path, name: str) -> None:
    rows = [
        {"q": "Q", "a": "A", name: value} for value in ((1, "1.0") if name == "sample" else ("m", " m\u200b"))
    ]
    mapping = {"prompt": "q", "response": "a", name: name}
    records = records_of(file(tmp_path, rows, "f.jsonl"), mapping=mapping)
    assert len(records["responses"]) == 1
    if name == "sample":
        with pytest.raises(FolderError, match=r'sample: expected a whole number, found "1\.5"'):
            records_of(file(tmp_path, [rows[0] | {"sample": "1.5"}], "g.jsonl"), mapping=mapping)


@pytest.mark.parametrize(("one", "other"), [("7", "7.0"), ("7", "07"), ("07", "7.00")])
def test_numbers_of_people_that_look_alike_are_said(tmp_path: Path, one: str, other: str) -> None:
    rows = [{"q": "Q", "a": f"a{n}", "who": who, "r": 4} for n, who in enumerate((one, other))]
    said = remarks(records_of(file(tmp_path, rows, "f.jsonl"), mapping=SINGLE))
    assert f"Annotators {one!r} and {other!r} look alike" in said


@pytest.mark.parametrize(
    "other", ["José", "JOSÉ", "jose\u0301", "ｊｏｓé", *(f"jo{sign}sé" for sign in UNSEEN)]
)
def test_people_whose_ids_look_alike_are_said(tmp_path: Path, other: str) -> None:
    rows = [{"q": "Q", "a": f"a{n}", "who": who, "r": 4} for n, who in enumerate(("josé", other))]
    said = remarks(records_of(file(tmp_path, rows, "f.jsonl"), mapping=SINGLE))
    assert "look alike" in said


def test_ids_of_panels_that_look_alike_are_said_by_their_pseudonyms(tmp_path: Path) -> None:
    ids = ("5f1a2b3c4d5e6f7a8b9c0d1e", "5F1A2B3C4D5E6F7A8B9C0D1E")
    rows = [{"q": "Q", "a": f"a{n}", "who": who, "r": 4} for n, who in enumerate(ids)]
    said = remarks(records_of(file(tmp_path, rows, "f.jsonl"), mapping=SINGLE))
    assert "look alike: they are taken for two people" in said
    assert not any(name in said for name in ids)


@pytest.mark.parametrize(
    "name", ["undefined", "null", "[%PROLIFIC_PID%]", "${e://Field/PID}", "{{workerId}}", "%%ID%%"]
)
def test_a_placeholder_judged_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(FolderError, match="expected who judged"):
        records_of(file(tmp_path, [{"q": "Q", "a": "A", "who": name, "r": 4}], "f.jsonl"), mapping=SINGLE)


def test_newlines_are_one_and_the_same(tmp_path: Path) -> None:
    texts = ['"Write\ntwo"', '"Write\r\ntwo"', '"Write\rtwo"']
    lines = "".join(f"{text},x,w{n},4\n" for n, text in enumerate(texts))
    records = records_of(file(tmp_path, f"q,a,who,r\n{lines}"), mapping=SINGLE)
    assert [row["text"] for row in records["prompts"]] == ["Write\ntwo"]
    assert len(records["answers"]) == 3


def test_numbers_are_texts_where_texts_belong(tmp_path: Path) -> None:
    rows = [{"q": "6*7?", "a": 42, "who": 1, "r": 4}, {"q": 2024, "a": 1.5, "who": "1", "r": "4"}]
    records = records_of(file(tmp_path, rows, "f.jsonl"), mapping=SINGLE)
    assert [row["text"] for row in records["responses"]] == ["42", "1.5"]
    assert {row["annotator_id"] for row in records["answers"]} == {"1"}
    assert "holds numbers where texts belong" in remarks(records)


def test_times_that_are_not_understood_are_named(tmp_path: Path) -> None:
    times = ["1717171717000", "31/05/2024 14:05", "2024-05-31 14:05:00+02:00", "1717171717"]
    lines = "".join(f"Q,a{n},w,4,{time}\n" for n, time in enumerate(times))
    records = records_of(file(tmp_path, f"q,a,who,r,t\n{lines}"), mapping=SINGLE | {"submitted_at": "t"})
    given = [row.get("submitted_at") for row in records["answers"]]
    assert given == [
        "2024-05-31T16:08:37+00:00",
        None,
        "2024-05-31T14:05:00+02:00",
        "2024-05-31T16:08:37+00:00",
    ]
    assert """A time in 't' can't be understood, such as "31/05/2024 14:05": left out.""" in remarks(records)


@pytest.mark.parametrize(
    "value", [12345, 0, -1, 45443.5, "45443.5", True, 10**30, float("inf"), {}, "1.7e9", "May"]
)
def test_what_is_no_time_of_a_judgment_is_none(value: object) -> None:
    """A number of another clock would be a time of 1970."""
    assert time(value) is None


@pytest.mark.parametrize("unit", [1, 1000, 10**6, 10**9])
@pytest.mark.parametrize("form", [int, float, str, Decimal])
def test_seconds_since_1970_in_any_unit(unit: int, form: Any) -> None:
    assert time(form(1717171717 * unit)) == "2024-05-31T16:08:37+00:00"


def test_times_that_nobody_understands_are_said_once(tmp_path: Path) -> None:
    lines = "".join(f"Q,a{n},w,4,{n}/5/2024\n" for n in range(1, 9))
    said = remarks(
        records_of(file(tmp_path, f"q,a,who,r,t\n{lines}"), mapping=SINGLE | {"submitted_at": "t"})
    )
    assert """A time in 't' can't be understood, such as "1/5/2024": left out. (8 times)""" in said
    assert said.count("can't be understood") == 1


def test_languages_are_tags(tmp_path: Path) -> None:
    path = file(tmp_path, "q,a,who,r,l\nQ,A,w,1,English\nR,B,w,1,zh_CN\nS,C,w,1,Arabic\n")
    records = records_of(path, mapping=SINGLE | {"language": "l"})
    assert [row["language"] for row in records["prompts"]] == ["en", "zh-CN", "ar"]
    with pytest.raises(FolderError, match=r'language: expected a language tag .* found "Elvish tongue"'):
        records_of(file(tmp_path, "q,a,who,r,l\nQ,A,w,1,Elvish tongue\n"), mapping=SINGLE | {"language": "l"})


def test_a_path_leads_into_objects_and_lists(tmp_path: Path) -> None:
    rows = [
        {
            "input": {"messages": [{"role": "user", "content": "Q"}]},
            "output": {"role": "assistant", "content": "A"},
            "scores": [{"name": "q", "value": 4}],
        }
    ]
    mapping = {"prompt": "input.messages", "response": "output", "score.q": "scores.0.value"}
    records = records_of(file(tmp_path, rows, "f.jsonl"), mapping=mapping)
    assert (records["prompts"][0]["text"], records["responses"][0]["text"]) == ("Q", "A")
    assert records["scores"] == [{"response": "A", "scorer": "q", "value": 4}]


def test_a_rating_of_a_pair_is_a_similarity_where_whoever_imports_says_so(tmp_path: Path) -> None:
    result = {"from_name": "sim", "to_name": "text1,text2", "type": "rating", "value": {"rating": 4}}
    task = {"id": 1, "data": {"text_1": "A", "text_2": "B"}}
    rows = [task | {"annotations": [{"id": 5, "completed_by": 3, "result": [result]}]}]
    path = file(tmp_path, json.dumps(rows), "f.json")
    with pytest.raises(FolderError, match=r"a rating of one response, or .* --map similarity=sim"):
        records_of(path)
    for format in ("", "label-studio"):
        records = records_of(path, format, mapping={"similarity": "sim"})
        assert [(row["criterion"], row["other"], row["value"]) for row in records["answers"]] == [
            ("sim", "B", 4)
        ]
