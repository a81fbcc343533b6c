"""Homogeneity of a study's pool: command, page, map, JSON; and what it says where it can say nothing."""

import json
import re
from datetime import date
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotate.models import Prompt, Response, Study
from judging.frames import pool, taxonomy
from judging.frames import tables as frames
from judging.models import Embedding, ScoreRun
from judging.results.homogeneity.map_chart import projected
from judging.results.homogeneity.report import compute
from judging.results.result import NotComputable
from judging.results.summary.report import report
from judging.runs.work import notes
from judging.stats import cosine_matrix
from tests.factories import make_study
from tests.results.commands import json_of

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")


def embedded(study: Study, width: int = 5) -> ScoreRun:
    """Every response with a vector of its own, the same for the same text."""
    run = ScoreRun.objects.create(study=study, scorer="made-up", version="1")
    rows = []
    for response in Response.objects.filter(study=study):
        rng = np.random.default_rng(list(response.text.encode()))
        vector = (rng.normal(size=width) + 1).astype("<f4")
        rows.append(Embedding(run=run, response=response, vector=vector.tobytes()))
    Embedding.objects.bulk_create(rows)
    return run


def test_the_demo_s_numbers_are_those_of_its_cosines(demo: Study) -> None:
    found = compute(demo)
    frame, vectors = frames.vectors(frames.embedding_run(demo))
    sources = frame["response_id"].map(dict(demo.responses.values_list("pk", "source")))
    within, between, people = [], [], []
    for _, rows in frame.groupby("prompt_id").groups.items():
        cosine, names = cosine_matrix(vectors[rows]), sources.loc[rows].to_numpy()
        np.fill_diagonal(cosine, np.nan)
        order = sorted(set(names))
        block = {(a, b): cosine[np.ix_(names == a, names == b)] for a in order for b in order}
        own = {a: float(np.nanmean(block[a, a])) for a in order if (names == a).sum() > 1}
        within.append(np.mean(list(own.values())) if own else np.nan)
        between.append(np.mean([block[a, b].mean() for a in order for b in order if a < b]))
        people.append(own.get("human", np.nan))
    assert found.all.within.estimate == pytest.approx(np.nanmean(np.array(within)), abs=1e-6)
    assert found.all.between.estimate == pytest.approx(np.nanmean(between), abs=1e-6)
    assert found.people.estimate == pytest.approx(np.nanmean(people), abs=1e-6)
    assert found.random.mean.estimate is not None
    assert found.random.mean.estimate < (found.all.between.estimate or 0)
    assert found.n_responses == sum(s.n_responses for s in found.sources) == 192
    means = [p.mean for p in found.prompts if p.mean is not None]
    assert means == sorted(means, reverse=True)


def test_people_s_answers_stand_beside_and_set_the_threshold(demo: Study) -> None:
    found = compute(demo)
    assert [h.criterion for h in found.humans] == ["similarity", "grouping"]
    grouping = found.humans[1]
    assert grouping.groups is not None
    assert grouping.groups.estimate is not None
    assert grouping.groups.estimate > 1
    assert found.calibrated is not None
    assert found.threshold == found.calibrated.cosine
    assert 0 < found.calibrated.sensitivity <= 1


@pytest.mark.django_db
def test_without_embeddings_page_api_and_command_give_one_reason(auditor: Client) -> None:
    study = make_study()
    with pytest.raises(NotComputable, match=r"manage\.py score tiny --scorer minilm"):
        compute(study)
    with pytest.raises(CommandError, match="Nothing is known yet"):
        call_command("homogeneity", "tiny", stdout=StringIO())
    page = auditor.get("/studies/tiny/homogeneity/")
    assert page.status_code == 200
    assert "Nothing is known yet" in page.content.decode()
    record = json_of("homogeneity", "tiny")
    assert record["reason"].startswith("Nothing is known yet")
    assert (record["sources"], record["all"], record["pools"]) == ([], None, [])
    assert auditor.get("/studies/tiny/homogeneity/?format=json").json() == record
    assert auditor.get("/api/v1/studies/tiny/homogeneity/").json() == record


@pytest.mark.django_db
def test_categories_parameters_and_dates() -> None:
    study = make_study(prompts=4, responses=8, kinds=("single",))
    for n, prompt in enumerate(Prompt.objects.filter(study=study)):
        prompt.category = ["Open-Endedness: Philosophical"] if n % 2 else ["limericks"]
        prompt.save()
    for n, response in enumerate(Response.objects.filter(study=study)):
        response.source = ["gpt-4o-2024-11-20", "other-2025-01", "third"][n % 3]
        response.params = {"temperature": 1.0 if n % 2 else 0.2, "top_p": 0.9}
        if response.source == "third":
            response.params |= {"released": "2023-07-01"}
        response.save()
    embedded(study)
    found = compute(study)
    assert [(g.name, g.n_prompts) for g in found.categories] == [
        ("Open-Endedness", 2),
        ("Open-Endedness: Philosophical", 2),
        ("limericks", 2),
    ]
    assert [g.name for g in found.parameters] == ["temperature = 0.2", "temperature = 1.0", "top_p = 0.9"]
    assert [s.released for s in found.sources] == ["2024-11-20", "2025-01-01", "2023-07-01"]
    assert found.trend.n == 3
    assert found.trend.estimate is not None
    assert found.people.reason == "The pool has no two responses written by people to one prompt."
    assert found.machines is None


def varied() -> Study:
    """A pool with every column that homogeneity can be told by: two kinds of prompt, dates, settings, people."""
    study = make_study(prompts=4, responses=12, kinds=("single",))
    for n, prompt in enumerate(Prompt.objects.filter(study=study).order_by("pk")):
        prompt.category = ["brainstorming" if n % 2 else "poems"]
        prompt.save()
    sources = ["gpt-4o-2024-11-20", "other-2025-01", "third", "human"]
    for n, response in enumerate(Response.objects.filter(study=study).order_by("pk")):
        response.source = sources[n % 4]
        settings = {"temperature": 1.0 if n % 8 < 4 else 0.2, "top_p": 0.9, "min_p": 0.1}
        dated = {"released": "2023-07-01"} if response.source == "third" else {}
        if response.source != "human":
            response.params = settings | dated
        response.save()
    embedded(study)
    return study


def test_the_page_tells_likeness_by_every_column_that_the_study_has(auditor: Client) -> None:
    study = varied()
    html = auditor.get("/studies/tiny/homogeneity/").content.decode()
    for name in ("temperature = 0.2", "temperature = 1.0", "top_p = 0.9", "min_p = 0.1"):
        assert f'<th scope="row">{name}</th>' in html
    for category in ("poems", "brainstorming"):
        assert category in html.split("Categories of prompts</h2>")[1]
    assert 'id="figure-generations"' in html
    assert re.search(r"Rank correlation of date and similarity[^<]*<?[^>]*>?.*3", html)
    for label in ("Two machines, same prompt", "Two people, same prompt", "Different prompts, any source"):
        shown = html.split(f"<dt>{label}</dt><dd>")[1].split("</dd>")[0]
        assert re.match(r"−?0\.\d\d", shown), (label, shown)
    assert 'human<br><span class="quiet">people</span>' in html
    found = report(study)
    assert {f.key for f in found.figures} | {found.lead.key if found.lead else ""} >= {
        "generations",
        "sources",
        "cosines",
    }
    sheets = {sheet.key: sheet for sheet in found.sheets}
    assert [row[0] for row in sheets["alike-parameters"].rows][:2] == ["min_p = 0.1", "temperature = 0.2"]
    assert {row[0] for row in sheets["alike-categories"].rows} >= {"poems"}


def test_what_the_study_does_not_have_is_not_made_up(auditor: Client) -> None:
    embedded(make_study(prompts=3, responses=4, kinds=("single",)))
    html = auditor.get("/studies/tiny/homogeneity/").content.decode()
    assert "Sampling parameters" not in html
    assert "Categories of prompts" not in html
    assert "figure-generations" not in html
    assert "A source is dated by <code>released</code>" in html
    assert "Two people" not in html
    assert "Different prompts, any source" in html


@pytest.mark.django_db
def test_what_is_not_embedded_is_counted_and_words_are_compared_all_the_same() -> None:
    study = make_study(prompts=2, responses=4, kinds=("single",))
    Response.objects.filter(study=study, key__endswith="-0").update(
        source="another", text="The very same words."
    )
    Response.objects.filter(study=study, key__endswith="-1").update(text="the very same words")
    run = embedded(study)
    run.embeddings.all()[0].delete()
    found = compute(study)
    assert found.n_missing == 1
    another = next(s for s in found.sources if s.name == "another")
    assert another.duplicates.estimate == 1.0
    assert another.longest_run.estimate == 4.0
    assert found.prompts[0].runs[0][1] == "the very same words"
    assert compute(study, words=False).words_left_out


def test_command_and_json_say_the_same(demo: Study, auditor: Client) -> None:
    out = StringIO()
    call_command("homogeneity", "demo", "--json", stdout=out, stderr=StringIO())
    by_command = json.loads(out.getvalue())
    assert auditor.get("/studies/demo/homogeneity/?format=json").json() == by_command
    assert by_command["all"]["within"]["n"] == 16
    assert by_command["simulated"] is True
    text = StringIO()
    call_command("homogeneity", "demo", stdout=text, stderr=StringIO())
    assert "simulated" in text.getvalue()
    assert "mean nothing beside another embedder's" in text.getvalue()


def test_the_page_ranks_prompts_and_draws_figures_with_their_data(demo: Study, auditor: Client) -> None:
    html = auditor.get("/studies/demo/homogeneity/").content.decode()
    assert html.count('<figure class="plot"') == 2
    assert 'type="application/json"' in html
    assert '<table class="results" id="table-sources">' in html.split('id="figure-sources"')[1]
    assert html.index("time") > 0
    assert "No response is paired with itself" in html


def test_the_map_shows_all_and_compares_two(demo: Study, auditor: Client) -> None:
    prompt = demo.prompts.get(key="time-metaphor")
    one, other = prompt.responses.all()[:2]
    path = f"/studies/demo/homogeneity/{prompt.pk}/"
    html = auditor.get(path).content.decode()
    assert html.count('type="radio" name="a"') == prompt.responses.count()
    pinned = auditor.get(path, {"part": "pinned", "a": str(one.pk), "b": str(other.pk)}).content.decode()
    assert one.text in pinned
    assert auditor.get(path, {"part": "texts"}).json() == {
        str(r.pk): r.text if len(r.text) <= 280 else r.text[:279].rstrip() + "…"
        for r in prompt.responses.all()
    }
    rows = auditor.get(path, {"part": "csv"}).content.decode().splitlines()
    assert rows[0] == "response,source,first component,second component,human mean,ratings"
    assert len(rows) == 1 + prompt.responses.count()
    assert auditor.get(path, {"part": "picture"})["Content-Type"] == "image/svg+xml"
    assert "Cosine of the two" in pinned
    assert "<html" not in pinned
    assert "Cosine of the two" in auditor.get(path, {"a": str(one.pk), "b": str(other.pk)}).content.decode()
    assert "Cosine of the two" not in auditor.get(path, {"a": str(one.pk), "b": "x'"}).content.decode()


def test_categories_of_infinity_chat() -> None:
    assert sum(len(leaves) or 1 for leaves in taxonomy.TOP.values()) == 17
    assert len(taxonomy.TOP) == 6
    assert taxonomy.labels(["problem solving", "Problem_Solving", "humor"]) == [
        "Information-Seeking",
        "Information-Seeking: Problem Solving",
        "humor",
    ]
    assert taxonomy.labels(["creative content generation"]) == ["Creative Content Generation"]


@pytest.mark.parametrize(
    ("source", "params", "expected"),
    [
        ("gpt-4o-2024-11-20", {}, date(2024, 11, 20)),
        ("claude-3-5-sonnet-20241022", {}, date(2024, 10, 22)),
        ("qwen-2025-01", {}, date(2025, 1, 1)),
        ("quill-2", {"released": "2026-02-03"}, date(2026, 2, 3)),
        ("model-2024-13-01", {}, None),
        ("quill-2048", {}, None),
    ],
)
def test_dates_of_sources(source: str, params: dict[str, str], expected: date | None) -> None:
    assert pool.release(source, params) == expected


def test_names_of_people() -> None:
    assert [pool.is_human(s) for s in ("human", "Human 3", "human-b", "humanoid", "gpt")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("shape", [(1, 8), (2, 8), (40, 8), (6, 1)])
def test_the_map_s_axes_are_the_singular_vectors(shape: tuple[int, int]) -> None:
    vectors = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    points, shares = projected(vectors)
    centered = vectors.astype(float) - vectors.mean(axis=0, dtype=float)
    left, singular, _ = np.linalg.svd(centered, full_matrices=False)
    expected = np.abs(left * singular)[:, :2]
    assert np.abs(points)[:, : expected.shape[1]] == pytest.approx(expected, abs=1e-6)
    total = (singular**2).sum()
    assert shares[0] == pytest.approx(singular[0] ** 2 / total if total else 0.0)


@pytest.mark.django_db
def test_means_over_two_prompts_stand_on_two_prompts() -> None:
    """Resampled, two prompts are themselves or their mean: what lies between them is no interval of 95 %."""
    embedded(make_study("two", prompts=2, responses=6))
    out = StringIO()
    call_command("homogeneity", "two", stdout=out)
    lines = [
        line for line in out.getvalue().splitlines() if line.startswith(("Same source", "Different sources"))
    ]
    assert len(lines) == 2
    for line in lines:
        assert "undefined" in line or re.search(r"\d \(Only two prompts: .*\), n = 2 prompts$", line)


@pytest.mark.django_db
def test_empty_texts_are_counted_aloud() -> None:
    study = make_study("hollow", prompts=3, responses=4)
    blank = [r.pk for r in study.responses.all()[:3]]
    for pk, text in zip(blank, ("", " \n", "\u200b"), strict=True):
        Response.objects.filter(pk=pk).update(text=text)
    run = embedded(study)
    assert compute(study).n_blank == 3
    assert notes(run) == ["3 responses are empty or hold nothing to be seen. They are scored as they are."]
    out = StringIO()
    call_command("homogeneity", "hollow", stdout=out)
    assert "3 responses; they count." in out.getvalue()
