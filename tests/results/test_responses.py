"""Browsing the pool: filters, orders, and one response with everything known of it."""

import re

import pytest
from django.test import Client

from annotate.models import Response, Study
from judging.models import Score, ScoreRun
from judging.results.responses import report as browse
from judging.runs import work as scoring
from tests.factories import make_study

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")


def listed(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'class="text"[^>]*><a href="/studies/\w+/responses/(\d+)/"', html)]


@pytest.mark.parametrize(
    ("sort", "column"),
    [
        ("human", "human"),
        ("unusualness", "unusualness"),
        ("divisiveness", "divisiveness"),
        ("length", "log_length"),
    ],
)
def test_sorting_is_by_what_was_asked(demo: Study, auditor: Client, sort: str, column: str) -> None:
    found = browse.every_response(demo).table.set_index("response_id")
    down = listed(auditor.get("/studies/demo/responses/", {"sort": sort}).content.decode())
    up = listed(auditor.get("/studies/demo/responses/", {"sort": sort, "order": "up"}).content.decode())
    assert len(down) == 50
    assert list(found.loc[down, column]) == sorted(found[column], reverse=True)[:50]
    assert list(found.loc[up, column]) == sorted(found[column])[:50]


def test_scores_and_gaps_are_those_of_the_chosen_scorer(demo: Study, auditor: Client) -> None:
    found = browse.every_response(demo)
    assert found.scorers == ["rm-conventional", "rm-fair", "length"]
    best = Score.objects.filter(run__scorer="rm-fair").order_by("-value")[0]
    html = auditor.get("/studies/demo/responses/", {"scorer": "rm-fair", "sort": "score"}).content.decode()
    assert listed(html)[0] == best.response_id
    gaps = found.table.assign(gap=found.gaps["rm-conventional"])
    # Gaps are residuals within prompts: they sum to nothing.
    assert gaps.groupby("prompt_id")["gap"].mean().abs().max() < 1e-9
    places = browse.chosen(demo, found, browse.Filters("rm-conventional", "gap", True))
    assert gaps["gap"].iloc[places].is_monotonic_decreasing


def test_filters_narrow_the_list_and_stay_on_the_next_page(demo: Study, auditor: Client) -> None:
    html = auditor.get("/studies/demo/responses/", {"source": "human"}).content.decode()
    assert len(listed(html)) == 32
    words = auditor.get("/studies/demo/responses/", {"words": "TODDLER"}).content.decode()
    keys = set(Response.objects.filter(study=demo, text__icontains="toddler").values_list("pk", flat=True))
    assert set(listed(words)) == keys
    first = auditor.get("/studies/demo/responses/", {"ratings": "1", "sort": "human"}).content.decode()
    assert "ratings=1&amp;sort=human&amp;page=2" in first
    second = auditor.get("/studies/demo/responses/", {"sort": "human", "page": "2"}).content.decode()
    assert not set(listed(first)) & set(listed(second))
    none = auditor.get("/studies/demo/responses/", {"ratings": "1000"}).content.decode()
    assert "No response matches" in none


def test_nonsense_counts_as_not_asked(demo: Study, auditor: Client) -> None:
    asked = {"scorer": "nobody", "sort": "<b>", "prompt": "x", "ratings": "-3", "page": "zz"}
    assert len(listed(auditor.get("/studies/demo/responses/", asked).content.decode())) == 50


def test_one_response_with_its_ratings_neighbors_and_scores(demo: Study, auditor: Client) -> None:
    one = demo.responses.get(key="time-metaphor-01")
    html = auditor.get(f"/studies/demo/responses/{one.pk}/").content.decode()
    assert one.text in html
    assert "<h3>quality: mean" in html
    assert len(re.findall(r'class="text"', html)) == 10
    score = Score.objects.get(response=one, run__scorer="rm-fair").value
    assert f"{score:.3f}".replace("-", "\N{MINUS SIGN}") in html


@pytest.mark.django_db
def test_a_pool_without_ratings_and_embeddings_can_be_read_too(auditor: Client) -> None:
    study = make_study()
    run = ScoreRun.objects.create(study=study, scorer="imported", version="1")
    Score.objects.create(run=run, response=study.responses.all()[0], value=None)
    assert len(listed(auditor.get("/studies/tiny/responses/").content.decode())) == 8
    html = auditor.get(f"/studies/tiny/responses/{study.responses.all()[0].pk}/").content.decode()
    assert "Nobody has rated it" in html
    assert "Not embedded yet" in html


@pytest.mark.django_db
def test_length_scored_here_is_the_baseline_and_not_another_scorer(auditor: Client) -> None:
    study = make_study(kinds=("single",))
    scoring.score(study, "length")
    assert browse.every_response(study).scorers == ["length"]
    assert auditor.get("/studies/tiny/responses/").status_code == 200
    run = ScoreRun.objects.create(study=study, scorer="length", version="of a file")
    Score.objects.bulk_create(Score(run=run, response=r, value=1.0) for r in study.responses.all())
    assert browse.every_response(study).scorers == ["length (stored)", "length"]
