"""The demo folder keeps the format, follows from its texts and script, and shows what it is there to show."""

import gzip
import importlib.util
import itertools
import json
import re
import tomllib
from collections import Counter
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from judging.stats import Underrating, Verdict, underrating

DEMO = Path(__file__).parents[3] / "fixtures" / "demo"
MAKERS = (
    r"gpt|claude|anthropic|openai|gemini|google|deepmind|llama|meta ai|mistral|qwen|deepseek|grok|cohere|"
    r"copilot|microsoft|nvidia|bard|as an ai|language model"
)
Row = dict[str, Any]


def rows(folder: Path, name: str) -> list[Row]:
    data = (folder / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def study() -> Row:
    return tomllib.loads((DEMO / "study.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def prompts() -> list[Row]:
    return rows(DEMO, "prompts.jsonl")


@pytest.fixture(scope="module")
def responses() -> list[Row]:
    return rows(DEMO, "responses.jsonl")


@pytest.fixture(scope="module")
def items() -> dict[str, Row]:
    return {item["item_id"]: item for item in rows(DEMO, "items.jsonl")}


@pytest.fixture(scope="module")
def answers() -> list[Row]:
    return rows(DEMO, "answers.jsonl.gz")


@pytest.fixture(scope="module")
def submissions(answers: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """The rows of each submitted item, by item and annotator."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in answers:
        found.setdefault((row["item_id"], row["annotator_id"]), []).append(row)
    return found


@pytest.fixture(scope="module")
def simulate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_simulate", DEMO / "simulate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def again(simulate: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables made once more from the texts."""
    folder = tmp_path_factory.mktemp("demo")
    simulate.main(["--out", str(folder)])
    return folder


def test_the_study_says_it_is_simulated(study: Row) -> None:
    assert study["slug"] == "demo"
    assert study["simulated"] is True
    assert "simulated" in study["consent"]
    assert [(c["key"], c["on"], c["kind"], c["measures"]) for c in study["criterion"]] == [
        ("quality", "single", "rating", "quality"),
        ("originality", "single", "rating", "originality"),
        ("preference", "pair", "preference", "quality"),
        ("similarity", "pair", "similarity", "similarity"),
        ("grouping", "set", "grouping", "similarity"),
    ]
    assert [c["key"] for c in study["criterion"] if not c["required"]] == ["originality"]


def test_prompts_and_responses_keep_the_format(prompts: list[Row], responses: list[Row]) -> None:
    assert len(prompts) >= 16
    assert all(list(p) == ["prompt_id", "text", "language", "category"] for p in prompts)
    assert all(list(r) == ["response_id", "prompt_id", "text", "source", "sample"] for r in responses)
    assert len({p["prompt_id"] for p in prompts}) == len(prompts)
    assert len({r["response_id"] for r in responses}) == len(responses)
    assert Counter(r["prompt_id"] for r in responses) == {p["prompt_id"]: 12 for p in prompts}
    assert len({(r["prompt_id"], r["source"], r["sample"]) for r in responses}) == len(responses)


def test_every_text_is_its_own_and_names_no_maker(prompts: list[Row], responses: list[Row]) -> None:
    texts = [r["text"] for r in responses]
    assert len({re.sub(r"\W+", " ", text).strip().casefold() for text in texts}) == len(texts) >= 16 * 12
    assert all(text and text == text.strip() and len(text.split()) <= 70 for text in texts)
    named = [row for row in prompts + responses if re.search(rf"\b({MAKERS})", row["text"].casefold())]
    assert not named


def test_ids_do_not_give_the_source_away(responses: list[Row]) -> None:
    assert all(re.fullmatch(rf"{r['prompt_id']}-\d\d", r["response_id"]) for r in responses)
    places = pd.DataFrame(responses).assign(place=lambda r: r["response_id"].str[-2:])
    assert places.groupby("source")["place"].nunique().min() > 6


def test_items_refer_to_responses_of_their_prompt(
    prompts: list[Row], responses: list[Row], items: dict[str, Row]
) -> None:
    prompt_of = {r["response_id"]: r["prompt_id"] for r in responses}
    sizes = {"single": 1, "pair": 2, "set": 6}
    for item in items.values():
        assert len(set(item["response_ids"])) == len(item["response_ids"]) == sizes[item["kind"]]
        assert {prompt_of[r] for r in item["response_ids"]} == {item["prompt_id"]}
    assert len(items) == len(rows(DEMO, "items.jsonl"))
    singles = {i["response_ids"][0] for i in items.values() if i["kind"] == "single"}
    assert singles == set(prompt_of)
    assert Counter(i["kind"] for i in items.values()) == {
        "single": len(responses),
        "pair": 2 * len(prompts),
        "set": len(prompts),
    }


def test_twenty_of_twenty_five_seats_are_filled_everywhere(
    study: Row, items: dict[str, Row], submissions: dict[tuple[str, str], list[Row]]
) -> None:
    assert study["seats"] == 25
    assert Counter(item for item, _ in submissions) == dict.fromkeys(items, 20)
    people = {a["annotator_id"] for a in rows(DEMO, "annotators.jsonl")}
    assert {annotator for _, annotator in submissions} == people
    assert people == {f"sim-{n:02d}" for n in range(1, 41)}
    assert len(set(Counter(annotator for _, annotator in submissions).values())) == 1


def test_annotators_judge_whole_prompts(
    items: dict[str, Row], submissions: dict[tuple[str, str], list[Row]]
) -> None:
    seen = Counter((annotator, items[item]["prompt_id"]) for item, annotator in submissions)
    assert set(seen.values()) == {12 + 2 + 1}


def test_answers_are_the_rows_their_kind_asks_for(
    study: Row, items: dict[str, Row], submissions: dict[tuple[str, str], list[Row]]
) -> None:
    check = {
        "rating": check_ratings,
        "preference": check_preference,
        "similarity": check_similarity,
        "grouping": check_grouping,
    }
    for (item_id, _), given in submissions.items():
        item = items[item_id]
        asked = [c for c in study["criterion"] if c["on"] == item["kind"]]
        assert {row["criterion"] for row in given} == {c["key"] for c in asked}
        for criterion in asked:
            own = [row for row in given if row["criterion"] == criterion["key"]]
            check[criterion["kind"]](own, item["response_ids"], criterion)


def check_ratings(given: list[Row], ids: list[str], criterion: Row) -> None:
    low, high = criterion["scale"]
    assert [row["response_id"] for row in given] == ids
    for row in given:
        assert (row["value"] is None and not criterion["required"]) or row["value"] in range(low, high + 1)


def check_preference(given: list[Row], ids: list[str], _criterion: Row) -> None:
    [row] = given
    if row["value"] == 0:
        assert row["response_id"] is None
        assert row["label"] in {"tie", "both_good", "both_bad", "cannot_tell"}
    else:
        assert row["response_id"] in ids
        assert row["value"] in (1, 2)
        assert "label" not in row


def check_similarity(given: list[Row], ids: list[str], criterion: Row) -> None:
    [row] = given
    assert [row["response_id"], row["other_id"]] == ids
    assert row["value"] in range(criterion["scale"][0], criterion["scale"][1] + 1)


def check_grouping(given: list[Row], ids: list[str], _criterion: Row) -> None:
    assert [row["response_id"] for row in given] == ids
    piles = {row["value"] for row in given}
    assert piles == set(range(1, len(piles) + 1))


def test_a_few_optional_answers_are_open(answers: list[Row]) -> None:
    left = [row["value"] is None for row in answers if row["criterion"] == "originality"]
    assert 0.005 < np.mean(left) < 0.03


def test_what_was_shown_is_one_order_of_the_item(
    items: dict[str, Row], submissions: dict[tuple[str, str], list[Row]]
) -> None:
    for (item_id, _), given in submissions.items():
        assert sorted(given[0]["shown"]) == sorted(items[item_id]["response_ids"])
        for column in ("shown", "opened_at", "submitted_at", "active_ms"):
            assert len({str(row[column]) for row in given}) == 1


def test_sides_of_pairs_are_balanced(
    items: dict[str, Row], submissions: dict[tuple[str, str], list[Row]]
) -> None:
    pairs = pd.DataFrame(
        [
            (item, annotator, given[0]["shown"] == items[item]["response_ids"])
            for (item, annotator), given in submissions.items()
            if items[item]["kind"] == "pair"
        ],
        columns=["item", "annotator", "straight"],
    )
    assert set(pairs.groupby("item")["straight"].mean()) == {0.5}
    assert pairs.groupby("annotator")["straight"].mean().between(0.4, 0.6).all()


def test_times_are_utc_and_no_annotator_is_in_two_places(
    submissions: dict[tuple[str, str], list[Row]],
) -> None:
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for (_, annotator), given in submissions.items():
        opened, done = (datetime.fromisoformat(given[0][c]) for c in ("opened_at", "submitted_at"))
        assert given[0]["opened_at"].endswith("Z")
        assert 0 < given[0]["active_ms"] <= (done - opened).total_seconds() * 1000
        spans.setdefault(annotator, []).append((opened, done))
    for own in spans.values():
        own.sort()
        assert all(first[1] <= then[0] for first, then in itertools.pairwise(own))


def test_scores_cover_every_response_and_say_they_are_simulated(responses: list[Row]) -> None:
    scores = rows(DEMO, "scores.jsonl")
    ids = [r["response_id"] for r in responses]
    assert [(s["scorer"], s["response_id"]) for s in scores] == [
        (scorer, r) for scorer in ("rm-fair", "rm-conventional") for r in ids
    ]
    assert {s["version"] for s in scores} == {"simulated-1"}


def test_the_script_makes_the_committed_tables(again: Path, answers: list[Row]) -> None:
    for name in ("items.jsonl", "annotators.jsonl"):
        assert rows(again, name) == rows(DEMO, name)
    new = rows(again, "answers.jsonl.gz")
    given = ("response_id", "value", "label")
    assert [strip(row, given) for row in new] == [strip(row, given) for row in answers]
    same = [a == b for a, b in zip(new, answers, strict=True)]
    assert np.mean(same) >= 0.995  # processors differ in the last digit, and a rating may sit on an edge
    old, made = pd.DataFrame(rows(DEMO, "scores.jsonl")), pd.DataFrame(rows(again, "scores.jsonl"))
    pd.testing.assert_frame_equal(old.drop(columns="value"), made.drop(columns="value"))
    np.testing.assert_allclose(made["value"], old["value"], rtol=0, atol=0.01)


def strip(row: Row, columns: tuple[str, ...]) -> Row:
    """What a row says apart from these columns; a preference may lose its label with its strength."""
    keep_response = row["criterion"] != "preference"
    return {k: v for k, v in row.items() if k not in columns or (k == "response_id" and keep_response)}


def test_equal_runs_are_equal_bytes(simulate: ModuleType, tmp_path: Path) -> None:
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        simulate.write_rows(tmp_path / name, [{"text": "νόστος"}])
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()


@pytest.fixture(scope="module")
def found(simulate: ModuleType, responses: list[Row], answers: list[Row]) -> dict[str, Underrating]:
    """The audit of each scorer against the quality ratings."""
    pool = pd.DataFrame(responses)
    vectors = simulate.embed(pool["text"].tolist())
    pool["unusualness"] = simulate.unusualness(vectors @ vectors.T, pool["prompt_id"])
    pool["log_length"] = np.log(pool["text"].str.len())
    ratings = pd.DataFrame([a for a in answers if a["criterion"] == "quality"])
    ratings = ratings.merge(pool[["response_id", "prompt_id"]])
    scores = pd.DataFrame(rows(DEMO, "scores.jsonl")).rename(columns={"value": "score"})
    return {
        str(scorer): underrating(
            ratings,
            pool.merge(own[["response_id", "score"]]),
            covariates=["log_length"],
            unusualness_reliability=1,
        )
        for scorer, own in scores.groupby("scorer")
    }


def test_the_audit_convicts_the_conventional_scorer(found: dict[str, Underrating]) -> None:
    result = found["rm-conventional"]
    assert result.verdict is Verdict.UNDERRATES
    assert result.underrating.low is not None
    assert result.underrating.high is not None
    assert 0.1 < result.underrating.low < 0.3 < result.underrating.high


def test_the_audit_acquits_the_fair_scorer_and_the_naive_slope_does_not(
    found: dict[str, Underrating],
) -> None:
    result = found["rm-fair"]
    assert result.verdict is Verdict.NO_UNDERRATING
    assert result.underrating.low is not None
    assert result.underrating.high is not None
    assert result.underrating.low < 0 < result.underrating.high < 0.3
    assert result.naive.low is not None
    assert result.naive.low > 0


def test_the_audit_is_well_identified(found: dict[str, Underrating]) -> None:
    for result in found.values():
        assert result.strength is not None
        assert result.strength > 6
        assert not result.borderline
