"""Exports in the shapes of other tools: what is in them, what is not, and that our readers take them in again."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from scipy import stats

from annotate.folder import FolderError
from annotate.formats import FORMATS
from annotate.models import Annotator, Answer, Judgment, Prompt, Response, Study
from judging.exports.writers import WRITERS, export, tables, training
from judging.exports.writers.units import units
from judging.folder.reproduction import reproduce
from judging.folder.scores import export_folder, load_folder
from judging.results import COMPUTED, find
from tests.annotate.formats.samples import absolute, brought, jsonl, sample

pytestmark = pytest.mark.django_db

DEMO = Path(__file__).parents[3] / "fixtures" / "demo"


def rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".json":
        found: list[dict[str, Any]] = json.loads(path.read_text())
        return found
    return [json.loads(line) for line in path.read_text().splitlines()]


def votes(slug: str) -> Counter[tuple[str, str | None, float | None, str]]:
    """Who won where and how strongly, without who said it."""
    given = Answer.objects.filter(criterion__study__slug=slug, criterion__kind="preference")
    columns = ("judgment__assignment__item__prompt__text", "response__text", "value", "label")
    return Counter(given.values_list(*columns))


@pytest.fixture
def pairs(tmp_path: Path) -> Study:
    """Three pairs: one won, one undecided, one without a vote."""
    base = {"user_query": "Why?", "response_1": "So."}
    brought(
        jsonl(
            tmp_path / "pairs.jsonl",
            [
                {**base, "response_2": "Because.", "human_labels": [2, 1, 0, -1, 1]},
                {**base, "response_2": "Hm.", "human_labels": [1, -2, 0]},
                {**base, "response_2": "Eh.", "human_labels": [None]},
            ],
        ),
        slug="pairs",
    )
    return Study.objects.get(slug="pairs")


@pytest.fixture
def ratings(tmp_path: Path) -> Study:
    brought(jsonl(tmp_path / "ratings.jsonl", absolute()), slug="ratings")
    return Study.objects.get(slug="ratings")


def test_preferences_carry_margin_share_and_votes_and_come_back(pairs: Study, tmp_path: Path) -> None:
    done = export(pairs, tmp_path / "out", "trl-preference")
    [row] = rows(tmp_path / "out" / "preferences.preference.jsonl")
    assert (row["prompt"], row["chosen"], row["rejected"]) == ("Why?", "So.", "Because.")
    assert (row["margin"], row["vote_share"]) == ((2 + 1 + 0 - 1 + 1) / 5, 3.5 / 5)
    assert row["votes"] == {"chosen_much": 1, "chosen_slightly": 2, "rejected_slightly": 1, "tie": 1}
    assert done.left_out == {training.NO_WINNER: 1, training.NO_VOTE: 1}
    brought(tmp_path / "out" / "preferences.preference.jsonl", slug="back")
    assert votes("back") == votes("pairs") - _others(pairs)


def _others(study: Study) -> Counter[tuple[str, str | None, float | None, str]]:
    """The votes at the undecided pair."""
    given = Answer.objects.filter(criterion__study=study)
    item = given.filter(judgment__assignment__item__item_responses__response__text="Hm.")
    columns = ("judgment__assignment__item__prompt__text", "response__text", "value", "label")
    return Counter(item.values_list(*columns))


def test_rewardbench_comes_back(pairs: Study, tmp_path: Path) -> None:
    export(pairs, tmp_path / "out", "rewardbench")
    [row] = rows(tmp_path / "out" / "rewardbench.preference.jsonl")
    assert (row["chosen"], row["rejected"], row["subset"]) == ("So.", "Because.", "pairs")
    found = brought(tmp_path / "out" / "rewardbench.preference.jsonl", slug="back")
    assert found.reading.format.name == "rewardbench"
    assert votes("back") == {("Why?", "So.", 1, ""): 1}


def test_unpaired_comes_back(ratings: Study, tmp_path: Path) -> None:
    done = export(ratings, tmp_path / "out", "trl-unpaired")
    found = {row["completion"]: row["label"] for row in rows(tmp_path / "out" / "unpaired.quality.jsonl")}
    # Means 4.33, 1.5, 3.5 and 3, the last of which is at the middle.
    assert found == {"Answer 0.": True, "Answer 1.": False, "Answer 2.": True}
    assert done.left_out == {"means at the middle of the scale": 1}
    brought(tmp_path / "out" / "unpaired.quality.jsonl", slug="back")
    back = Answer.objects.filter(criterion__study__slug="back").values_list("response__text", "value")
    assert {text: bool(value) for text, value in back} == found


def test_soft_labels_are_the_distribution(ratings: Study, pairs: Study, tmp_path: Path) -> None:
    export(ratings, tmp_path / "r", "soft-labels")
    found = {row["responses"][0]: row for row in rows(tmp_path / "r" / "soft_labels.quality.jsonl")}
    for row in absolute():
        labels = np.array([v for v in row["human_labels"] if v == v])
        counts = np.bincount(labels.astype(int), minlength=6)[1:]
        told = found[row["response"]]
        assert list(told["counts"].values()) == counts.tolist()
        assert told["mean"] == pytest.approx(labels.mean())
        assert told["entropy_bits"] == pytest.approx(stats.entropy(counts, base=2))
    export(pairs, tmp_path / "p", "soft-labels")
    nobody = rows(tmp_path / "p" / "soft_labels.preference.jsonl")[2]
    assert (nobody["n"], nobody["mean"], nobody["entropy_bits"]) == (0, None, None)
    assert set(nobody["shares"].values()) == {None}


def test_alpaca_annotations_come_back(tmp_path: Path) -> None:
    brought(sample("alpaca-annotations").paths, slug="one")
    export(Study.objects.get(slug="one"), tmp_path / "out", "alpaca-annotations")
    found = brought(tmp_path / "out" / "annotations.preference.json", slug="back")
    assert found.reading.format.name == "alpaca-annotations"

    def given(slug: str) -> set[tuple[Any, ...]]:
        columns = (
            "judgment__assignment__annotator__key",
            "response__text",
            "response__source",
            "value",
            "label",
        )
        return set(Answer.objects.filter(criterion__study__slug=slug).values_list(*columns))

    assert given("back") == given("one")


def test_sts_comes_back_with_its_distribution(tmp_path: Path) -> None:
    lines = [{"sentence1": "A cat.", "sentence2": "A dog.", "score": 2, "scores": [1, 3, 2]}]
    brought(jsonl(tmp_path / "s.jsonl", lines), slug="one")
    export(Study.objects.get(slug="one"), tmp_path / "out", "sts")
    [row] = rows(tmp_path / "out" / "sts.similarity.jsonl")
    assert (row["score"], row["scores"]) == (2, [1, 3, 2])
    brought(tmp_path / "out" / "sts.similarity.jsonl", slug="back")
    values = [
        list(
            Answer.objects.filter(criterion__study__slug=slug).order_by("pk").values_list("value", flat=True)
        )
        for slug in ("one", "back")
    ]
    assert values[0] == values[1] == [1, 3, 2]


def test_crowd_kit_comes_back_into_a_study_with_the_texts(
    ratings: Study, pairs: Study, tmp_path: Path
) -> None:
    for study, criterion, columns in (
        (ratings, "quality", {"task", "worker", "label"}),
        (pairs, "preference", {"worker", "left", "right", "label"}),
    ):
        out = tmp_path / study.slug
        done = export(study, out / "crowdkit", "crowd-kit")
        table = out / "crowdkit" / f"crowdkit.{criterion}.csv"
        assert set(rows(table)[0]) == columns
        export_folder(study, out / "folder")
        for name in ("answers", "annotators"):
            (out / "folder" / f"{name}.jsonl").unlink()
        load_folder(out / "folder", f"{study.slug}-2")
        brought(table, slug=f"{study.slug}-2")
        kept = Answer.objects.filter(criterion__study=study).exclude(response=None)
        given = ("judgment__assignment__annotator__key", "response__text")
        back = Answer.objects.filter(criterion__study__slug=f"{study.slug}-2").values_list(*given)
        assert Counter(back) == Counter(kept.values_list(*given))
        assert (
            sum(done.left_out.values())
            == Answer.objects.filter(criterion__study=study, response=None).count()
        )


def test_wide_csv_comes_back_by_a_mapping(ratings: Study, tmp_path: Path) -> None:
    export(ratings, tmp_path / "out", "r")
    wide = tmp_path / "out" / "wide.quality.csv"
    people = [name for name in rows(wide)[0] if name.startswith("by_")]
    mapping = {
        "prompt": "prompt",
        "response": "response",
        "source": "source",
        "rating.quality": ",".join(people),
    }
    brought(wide, slug="back", mapping=mapping)

    def given(slug: str) -> Counter[Any]:
        found = Answer.objects.filter(criterion__study__slug=slug)
        return Counter(found.values_list("response__text", "value"))

    assert given("back") == given("ratings")
    # Labels that name nobody share a column for the first, the second …; people have a column each.
    assert people == ["by_01", "by_02", "by_03", "by_04"]


def test_wide_csv_has_a_column_for_each_person(pairs: Study, tmp_path: Path) -> None:
    Annotator.objects.filter(study=pairs).update(details={})
    export(pairs, tmp_path / "out", "r")
    found = rows(tmp_path / "out" / "wide.preference.csv")
    people = [name for name in found[0] if name.startswith("by_")]
    assert people == sorted(f"by_{key}" for key in pairs.annotators.values_list("key", flat=True))
    said = [[row[name] for name in people if row[name]] for row in found]
    assert [sorted(cells) for cells in said] == [["-1", "1", "1", "2", "tie"], ["-2", "1", "tie"], []]


def test_long_csv_has_every_answer_and_says_what_counts(ratings: Study, tmp_path: Path) -> None:
    Judgment.objects.filter(pk=Judgment.objects.order_by("pk")[0].pk).update(excluded="too fast")
    export(ratings, tmp_path / "out", "r")
    long = rows(tmp_path / "out" / "long.csv")
    assert len(long) == Answer.objects.count() == 11
    assert [row["excluded"] for row in long].count("too fast") == 1
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["exclusions"] == [{"rule": "too fast", "judgments": 1, "answers": 1}]
    assert manifest["database"]["reconciled"]["answers"] == {"expected": 11, "came": 11}
    # The excluded answer is in none of the wide table's cells.
    cells = [
        v
        for row in rows(tmp_path / "out" / "wide.quality.csv")
        for k, v in row.items()
        if k.startswith("by_") and v
    ]
    assert len(cells) == 10


def test_no_cell_is_a_formula_unless_asked_for_and_folders_stay_inverse(
    ratings: Study, tmp_path: Path
) -> None:
    Prompt.objects.filter(pk=Prompt.objects.order_by("pk")[0].pk).update(text="=HYPERLINK(1)")
    Response.objects.update(source="@model")
    export(ratings, tmp_path / "out", "r")
    responses = rows(tmp_path / "out" / "responses.csv")
    assert responses[0]["prompt"] == "'=HYPERLINK(1)"
    assert responses[0]["source"] == "'@model"
    export(ratings, tmp_path / "raw", "r", escape=False)
    assert rows(tmp_path / "raw" / "responses.csv")[0]["prompt"] == "=HYPERLINK(1)"
    call_command("export_study", "ratings", str(tmp_path / "csv"), "--format", "csv")
    assert load_folder(tmp_path / "csv").new == dict.fromkeys(load_folder(tmp_path / "csv").new, 0)


def test_hugging_face_folder_has_a_card_and_loads_again(pairs: Study, tmp_path: Path) -> None:
    call_command("export_study", "pairs", str(tmp_path / "hf"), "--as", "huggingface")
    card = (tmp_path / "hf" / "README.md").read_text()
    for table in ("prompts", "responses", "items", "annotators", "answers"):
        assert f"config_name: {table}\n  data_files: {table}.parquet" in card
    assert pq.read_table(tmp_path / "hf" / "answers.parquet").num_rows == 8
    load_folder(tmp_path / "hf", "back")
    assert votes("back") == votes("pairs")
    # An earlier export is overwritten, another folder is not.
    call_command("export_study", "pairs", str(tmp_path / "hf"), "--as", "huggingface")
    (tmp_path / "hf" / "mine.txt").write_text("x")
    with pytest.raises(CommandError, match=r"mine\.txt"):
        call_command("export_study", "pairs", str(tmp_path / "hf"), "--as", "huggingface")


def test_rows_that_get_lost_on_the_way_are_found(
    pairs: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "units", lambda criterion: list(units(criterion))[1:])
    with pytest.raises(FolderError, match="3 rows, as in the database, found 2 written or left out"):
        export(pairs, tmp_path / "out", "trl-preference")
    assert not (tmp_path / "out").exists()


def test_an_export_that_the_study_has_nothing_for_says_what_is_missing(
    ratings: Study, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="expected a criterion that this export is made of"):
        call_command("export_study", "ratings", str(tmp_path / "out"), "--as", "sts")
    assert not (tmp_path / "out").exists()


def test_every_number_of_the_tables_comes_out_of_the_exported_folder(
    ratings: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(ratings, tmp_path / "tables", "tables")
    export(ratings, tmp_path / "folder")
    [row, *_] = rows(tmp_path / "tables" / "agreement.csv")
    whole = json.loads((tmp_path / "tables" / "agreement.json").read_text())
    alpha = whole["criteria"][0]["alpha"]
    assert float(row["alpha"]) == alpha["estimate"]
    assert "alpha" in (tmp_path / "tables" / "agreement.tex").read_text()
    call_command("reproduce", str(tmp_path / "folder"), "--tables", str(tmp_path / "tables"))
    assert "values are the same" in capsys.readouterr().out
    assert set(Study.objects.values_list("slug", flat=True)) == {"ratings"}
    alpha["estimate"] += 1e-9
    (tmp_path / "tables" / "agreement.json").write_text(json.dumps(whole))
    done = reproduce(tmp_path / "folder", tmp_path / "tables")
    assert [path for path, _, _ in done.different] == ["agreement.criteria.0.alpha.estimate"]


def test_the_tables_hold_every_result_or_why_there_is_none(ratings: Study, tmp_path: Path) -> None:
    """Only agreement and audit were exported."""
    export(ratings, tmp_path / "tables", "tables")
    there = {path.name for path in (tmp_path / "tables").iterdir()}
    for name in COMPUTED:
        result = find(name)
        record = result.cached_json(ratings, result.options())
        if f"{name}.txt" in there:
            assert (tmp_path / "tables" / f"{name}.txt").read_text() == f"No {name}: {record['reason']}\n"
            continue
        assert json.loads((tmp_path / "tables" / f"{name}.json").read_text()) == record
        for table in result.tables(result.cached(ratings, result.options())):
            written = rows(tmp_path / "tables" / f"{name}-{table.key}.csv")
            assert [list(row) for row in written] == [table.flat_columns] * len(table.records)
            assert f"{name}-{table.key}.tex" in there
    assert {"agreement.json", "audit.txt"} <= there


def test_reproduction_compares_what_the_tables_hold(ratings: Study, tmp_path: Path) -> None:
    export(ratings, tmp_path / "folder")
    (tmp_path / "tables").mkdir()
    with pytest.raises(FolderError, match=r"one of .*audit\.json"):
        reproduce(tmp_path / "folder", tmp_path / "tables")
    whole = find("audit").to_json(ratings, lambda: find("audit").compute(ratings, find("audit").options()))
    (tmp_path / "tables" / "audit.json").write_text(json.dumps(whole | {"reason": "Another one."}))
    done = reproduce(tmp_path / "folder", tmp_path / "tables")
    assert list(done.results) == ["audit"]
    assert [path for path, _, _ in done.different] == ["audit.reason"]
    # A release that says more than the tables' own changes none of their numbers.
    del whole["contrasts"]
    (tmp_path / "tables" / "audit.json").write_text(json.dumps(whole))
    assert reproduce(tmp_path / "folder", tmp_path / "tables").different == []


def test_wide_tables_keep_their_columns() -> None:
    audited = {
        "n_pool": 9, "naive": 0.1, "naive_low": None, "naive_n": 9, "naive_reason": "why",
        "divisive_slope_low_reason": None, "reason": "words",
    }  # fmt: skip
    columns = ["n_pool", "naive", "naive_low", "divisive_slope_low_reason", "reason"]
    assert tables._columns("audit", [audited]) == columns
    agreed: list[dict[str, Any]] = [{"alpha": 0.1, "alpha_n": 3, "alpha_reason": None}]
    assert tables._columns("agreement", agreed) == ["alpha", "alpha_n"]
    undefined = [*agreed, {"alpha": None, "alpha_n": 3, "alpha_reason": "too few"}]
    assert tables._columns("agreement", undefined) == ["alpha", "alpha_n", "alpha_reason"]


def test_lists_in_results_become_columns() -> None:
    """Covariates were dropped from the audit's CSV: nobody saw what was held constant."""
    audited = {
        "scorer": "one",
        "underrating": {"estimate": 0.2, "low": 0.1, "high": 0.3, "p": 0.01},
        "covariates": [
            {"covariate": "log length", "estimate": 0.5, "low": 0.4, "high": 0.6},
            {"covariate": "markdown", "estimate": None, "low": None, "high": None},
        ],
        "curve": [{"measure": 1.0, "expected": 2.0}],
        "notes": ["first", "second"],
        "none": [],
    }
    assert tables._flat(audited) == {
        "scorer": "one",
        "underrating": 0.2,
        "underrating_low": 0.1,
        "underrating_high": 0.3,
        "underrating_p": 0.01,
        "covariates_log_length": 0.5,
        "covariates_log_length_low": 0.4,
        "covariates_log_length_high": 0.6,
        **dict.fromkeys(["covariates_markdown", "covariates_markdown_low", "covariates_markdown_high"]),
        "curve_1_measure": 1.0,
        "curve_1_expected": 2.0,
        "notes": "first; second",
        "none": "",
    }


def test_every_writer_says_what_it_loses_and_is_read_by_a_format_there_is() -> None:
    assert all(w.loses for w in WRITERS.values())
    assert {w.read_as for w in WRITERS.values()} <= {"", "load_study", *FORMATS}


def test_the_readme_names_every_writer() -> None:
    readme = (Path(__file__).parents[3] / "judging" / "exports" / "README.md").read_text()
    assert [name for name in WRITERS if f"`{name}`" not in readme] == []
