"""The agreement page, its JSON and its tables, for every kind of answer."""

import csv
import io
import json
import random
import re
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotate.models import Criterion, Study
from judging.folder.scores import load_folder
from judging.frames import tables as frames
from judging.results import agreement as agreements
from judging.results.agreement import tables

PEOPLE, PROMPTS, RESPONSES = 6, 5, 4
CRITERIA = {
    "quality": ("single", 'kind = "rating"\nscale = [1, 5]\nmeasures = "quality"'),
    "ideas": ("single", 'kind = "number"'),
    "preference": ("pair", 'kind = "preference"\nmeasures = "quality"'),
    "similarity": ("pair", 'kind = "similarity"\nscale = [0, 4]\nmeasures = "similarity"'),
    "ranking": ("set", 'kind = "ranking"'),
    "grouping": ("set", 'kind = "grouping"'),
    "odd": ("set", 'kind = "odd_one_out"'),
    "why": ("set", 'kind = "text"'),
}


class Answers:
    """A study in which everybody answers every kind of question, of quality 0 to 3 in each prompt."""

    def __init__(self) -> None:
        self.chance = random.Random(3)
        self.tables: dict[str, list[dict[str, object]]] = {
            name: [] for name in ("prompts", "responses", "items", "answers")
        }
        for p in range(PROMPTS):
            self.add_prompt(f"prompt{p}")

    def add_prompt(self, prompt: str) -> None:
        self.tables["prompts"].append({"prompt_id": prompt, "text": prompt.replace("prompt", "Prompt ")})
        shown = [f"{prompt}-r{r}" for r in range(RESPONSES)]
        self.tables["responses"] += [
            {"response_id": key, "prompt_id": prompt, "text": f"Text {key}", "source": f"source{r}"}
            for r, key in enumerate(shown)
        ]
        self.rate(prompt, shown)
        self.compare(prompt, shown)
        self.order(prompt, shown)

    def item(self, kind: str, prompt: str, shown: list[str]) -> str:
        item = f"{kind}-{len(self.tables['items'])}"
        self.tables["items"].append(
            {"item_id": item, "kind": kind, "prompt_id": prompt, "response_ids": shown}
        )
        return item

    def answer(self, item: str, who: int, criterion: str, **values: object) -> None:
        row = {"item_id": item, "annotator_id": f"p{who}", "criterion": criterion, **values}
        self.tables["answers"].append(row)

    def rate(self, prompt: str, shown: list[str]) -> None:
        for r, key in enumerate(shown):
            item = self.item("single", prompt, [key])
            for who in range(PEOPLE):
                value = min(5, max(1, r + 1 + self.chance.choice([-1, 0, 0, 1])))
                self.answer(item, who, "quality", response_id=key, value=value)
                self.answer(item, who, "ideas", value=r + 1)

    def compare(self, prompt: str, shown: list[str]) -> None:
        for a in range(RESPONSES):
            for b in range(a):
                item = self.item("pair", prompt, [shown[a], shown[b]])
                for who in range(PEOPLE):
                    likes = self.chance.random()
                    chosen = {"response_id": shown[a] if likes < 0.75 else shown[b], "value": 1}
                    tied = {"response_id": None, "value": 0, "label": "tie"}
                    self.answer(item, who, "preference", **(tied if likes > 0.95 else chosen))
                    ends = {"response_id": shown[a], "other_id": shown[b]}
                    self.answer(item, who, "similarity", **ends, value=4 - (a - b))

    def order(self, prompt: str, shown: list[str]) -> None:
        item = self.item("set", prompt, shown)
        for who in range(PEOPLE):
            order = sorted(range(RESPONSES), key=lambda r: -r + self.chance.gauss(0, 0.8))
            for rank, r in enumerate(order, 1):
                self.answer(item, who, "ranking", response_id=shown[r], value=rank)
                group = 1 + (r > 1) if self.chance.random() < 0.9 else 1
                self.answer(item, who, "grouping", response_id=shown[r], value=int(group))
            odd = shown[3 if self.chance.random() < 0.8 else 0]
            self.answer(item, who, "odd", response_id=odd, value=1)
            self.answer(item, who, "why", text="because")


def write(folder: Path, slug: str = "kinds") -> Path:
    criteria = [
        f'[[criterion]]\nkey = "{key}"\non = "{on}"\n{rest}\ntext = "{key}?"\nrequired = false\n'
        for key, (on, rest) in CRITERIA.items()
    ]
    head = f'slug = "{slug}"\ntitle = "Every kind"\nseats = {PEOPLE}\nseed = 1\nsimulated = true\n'
    folder.mkdir()
    (folder / "study.toml").write_text(head + "".join(criteria))
    for name, rows in Answers().tables.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def kinds(db: None, tmp_path: Path) -> Study:
    load_folder(write(tmp_path / "kinds"))
    return Study.objects.get(slug="kinds")


@pytest.fixture
def researcher(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("researcher", is_staff=True, is_superuser=True))
    return client


def details_json(slug: str) -> dict[str, dict[str, Any]]:
    out = StringIO()
    call_command("agreement", slug, "--json", stdout=out)
    return {d["criterion"]: d for d in json.loads(out.getvalue())["details"]}


FIGURES = {
    "quality": {
        "variance_item", "variance_annotator", "variance_residual", "dependability_absolute",
        "dependability_relative", "icc_one_way", "icc_one_way_of_mean", "icc1", "icc2", "icc3", "icc1k", "icc2k",
        "icc3k", "kendall_w",
    },
    "preference": {"transitive_within", "transitive_majority", "choice_consistency", "tie"},
    "ranking": {"kendall_w"},
    "grouping": {"adjusted_rand"},
    "odd": {"same_choice"},
}  # fmt: skip


def test_every_kind_shows_what_makes_sense_for_it(kinds: Study) -> None:
    details = details_json("kinds")
    assert list(details) == [key for key in CRITERIA if key != "why"]
    for key, expected in FIGURES.items():
        figures = details[key]["figures"]
        assert isinstance(figures, dict)
        assert set(figures) == expected
        for name, figure in figures.items():
            assert figure["estimate"] is not None, (key, name, figure)
            assert figure["n"] > 0
    assert details["similarity"]["figures"].keys() == FIGURES["quality"]
    assert details["ideas"]["figures"].keys() == FIGURES["quality"] - {"kendall_w"}
    weights = {key: [c["weights"] for c in d["coefficients"]] for key, d in details.items()}
    assert weights["quality"] == weights["ranking"] == ["identity", "ordinal", "linear", "quadratic"]
    assert weights["grouping"] == weights["odd"] == ["identity"]


def test_sources_are_ranked_by_preferences(kinds: Study) -> None:
    sources = details_json("kinds")["preference"]["sources"]
    assert isinstance(sources, list)
    assert {s["source"] for s in sources} == {f"source{r}" for r in range(RESPONSES)}
    # The later response of a pair wins three times in four, so the order is that of the numbers.
    assert sources[0]["source"] == "source3"
    assert sources[-1]["source"] == "source0"
    assert sum(s["worth"] for s in sources) == pytest.approx(1)
    assert sources[0]["strength"]["low"] > 0 > sources[-1]["strength"]["high"]
    assert {s["n"] for s in sources} == {PROMPTS * (RESPONSES - 1) * PEOPLE}


def test_the_interval_for_new_annotators_is_no_narrower_than_need_be(kinds: Study) -> None:
    for entry in agreements.agreement(kinds):
        both = entry.alpha_new_annotators
        assert both.estimate == pytest.approx(entry.alpha.estimate)
        assert both.low is not None or both.reason


def test_the_page_shows_every_detail(kinds: Study, researcher: Client) -> None:
    html = researcher.get("/studies/kinds/agreement/").content.decode()
    for text in (
        "Order of sources", "source3", "Transitive triads of the majority", "Adjusted Rand index",
        "Same response chosen", "Kendall’s W within sets", "Gwet’s AC1, AC2", "Items with the most disagreement",
        "Each annotator", "Alpha, for new annotators too", "Dependability of a mean of 6, level",
    ):  # fmt: skip
        assert text in html, text
    assert re.search(r"\bnan\b", html, re.IGNORECASE) is None
    assert html.count("<h3 id=") == len(CRITERIA) - 1


def test_items_and_annotators_come_as_tables(kinds: Study, researcher: Client) -> None:
    answer = researcher.get("/studies/kinds/agreement/quality/items.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert answer["Content-Type"].startswith("text/csv")
    assert len(rows) == PROMPTS * RESPONSES
    for row in rows:
        assert sum(float(row[f"share_{v}"]) for v in range(1, 6)) == pytest.approx(1)
        assert float(row["mean_low"]) <= float(row["mean"]) <= float(row["mean_high"])
    assert rows[0]["item"] == "single-0"
    assert rows[0]["response"] == "prompt0-r0"
    people = list(csv.DictReader(io.StringIO(
        researcher.get("/studies/kinds/agreement/quality/annotators.csv").content.decode()
    )))  # fmt: skip
    assert [row["annotator"] for row in people] == [f"p{n}" for n in range(PEOPLE)]
    pairs = researcher.get("/studies/kinds/agreement/grouping/items.csv").content.decode().splitlines()
    assert pairs[0].startswith("item,response,other,n,count_0,count_1,share_0,share_1,entropy_bits")
    assert len(pairs) == 1 + PROMPTS * RESPONSES * (RESPONSES - 1) // 2
    assert researcher.get("/studies/kinds/agreement/why/items.csv").status_code == 404
    assert researcher.get("/studies/kinds/agreement/nothing/items.csv").status_code == 404


def test_the_command_writes_the_same_tables(kinds: Study, researcher: Client, tmp_path: Path) -> None:
    call_command("agreement", "kinds", "--tables", str(tmp_path / "out"), stdout=StringIO())
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"quality-items.csv", "quality-annotators.csv", "grouping-items.csv"} <= names
    assert "why-items.csv" not in names
    page = researcher.get("/studies/kinds/agreement/quality/items.csv").content
    assert (tmp_path / "out" / "quality-items.csv").read_bytes() == page
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="--tables"):
        call_command("agreement", "kinds", "--tables", str(tmp_path / "file" / "x"), stdout=StringIO())


def test_odd_one_out_counts_the_same_choice(kinds: Study) -> None:
    """The share of pairs of annotators who chose the same response, counted by hand."""
    answers = frames.answers(Criterion.objects.get(study=kinds, key="odd"))
    shares = []
    for _, part in answers.groupby("item_id"):
        chosen = part["response_id"].to_numpy()
        same = np.equal.outer(chosen, chosen)
        shares.append(same[np.triu_indices(len(chosen), 1)].mean())
    figure = details_json("kinds")["odd"]["figures"]["same_choice"]
    assert figure["estimate"] == pytest.approx(np.mean(shares))


def test_repeats_show_how_far_somebody_agrees_with_himself(db: None, tmp_path: Path) -> None:
    folder = write(tmp_path / "again", "again")
    with (folder / "items.jsonl").open("a") as items, (folder / "answers.jsonl").open("a") as answers:
        for n in range(2):
            items.write(json.dumps({
                "item_id": f"again{n}", "kind": "single", "prompt_id": "prompt0", "role": "repeat",
                "response_ids": [f"prompt0-r{n}"], "repeat_of": f"single-{n}",
            }) + "\n")  # fmt: skip
            row = {"item_id": f"again{n}", "annotator_id": "p0", "criterion": "quality"}
            answers.write(json.dumps(row | {"response_id": f"prompt0-r{n}", "value": 5}) + "\n")
    load_folder(folder)
    quality = Criterion.objects.get(study__slug="again", key="quality")
    before = {e.criterion.key: e.n_answers for e in agreements.agreement(quality.study)}
    assert before["quality"] == PROMPTS * RESPONSES * PEOPLE, "repeats count for nothing else"
    found = tables.annotators(quality)
    assert found is not None
    table = found.set_index("annotator")
    assert table["n_repeats"].tolist() == [2, 0, 0, 0, 0, 0]
    assert table["repeat_agreement"].iloc[0] <= 0.5
    assert (table["n"] == PROMPTS * RESPONSES).all()


def test_numbers_of_any_size_do_not_break_the_page(kinds: Study, researcher: Client) -> None:
    """A count of ideas may be anything; a matrix over all values that were given would not fit."""
    ideas = Criterion.objects.get(study=kinds, key="ideas")
    for n, answer in enumerate(ideas.answers.order_by("pk")):
        answer.value = 1e9 * (n % PEOPLE) + n
        answer.save(update_fields=["value"])
    found = {e.criterion.key: e for e in agreements.agreement(kinds)}["ideas"]
    assert found.alpha.estimate is not None
    assert found.alpha_new_annotators.estimate is None
    assert "More than 50 different numbers" in str(found.alpha_new_annotators.reason)
    assert researcher.get("/studies/kinds/agreement/").status_code == 200
    head = researcher.get("/studies/kinds/agreement/ideas/items.csv").content.decode().splitlines()[0]
    assert head == "item,n,mean,mean_low,mean_high,variance,bimodality"


def test_the_brief_agreement_has_the_numbers_of_the_whole(demo: Study) -> None:
    whole, brief = agreements.agreement(demo), agreements.in_brief(demo)
    assert brief
    for entry, part in zip(whole, brief, strict=True):
        assert (part.criterion, part.level, part.n_items) == (entry.criterion, entry.level, entry.n_items)
        assert (part.n_annotators, part.n_answers) == (entry.n_annotators, entry.n_answers)
        assert (part.alpha, part.reliability_of_mean) == (entry.alpha, entry.reliability_of_mean)
