"""Planted texts are no part of the pool: no result changes with them, whatever is known of them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotate import planting
from annotate.kinds import ItemKind
from annotate.models import PLANTED, Annotator, Answer, Assignment, Item, Judgment, Study
from judging.models import Embedding, Score, ScoreRun, Verdict
from judging.results import COMPUTED, find
from judging.results.planning.views import _as_it_is
from judging.results.responses.report import every_response
from judging.results.summary.report import content_hash
from judging.runs import batches
from judging.runs.work import build
from tests.results.test_row_order import differences

ROOT = Path(__file__).parents[2]
SIZES = {ItemKind.SINGLE: 1, ItemKind.PAIR: 2, ItemKind.SET: 3}


def plant_and_judge(study: Study) -> list[Item]:
    """Gold and practice items of every kind, in a language of their own, answered, scored and embedded."""
    items = [
        planting.plant(
            study, planting.Plant(role, kind, "Ein Probetext", ["Vogel", "Fisch", ""][:size], {}, "", "de")
        )
        for role in (Item.Role.GOLD, Item.Role.PRACTICE)
        for kind, size in SIZES.items()
    ]
    for item in items:
        _judge(study, item)
    planted = study.responses.filter(source=PLANTED)
    for run in ScoreRun.objects.filter(study=study):
        if stored := run.embeddings.first():
            vector = np.roll(np.frombuffer(bytes(stored.vector), dtype=run.dtype), 7).tobytes()
            Embedding.objects.bulk_create(
                Embedding(run=run, response=r, vector=vector, truncated=True) for r in planted
            )
        else:
            Score.objects.bulk_create(Score(run=run, response=r, value=99.0 + r.pk) for r in planted)
    return items


def _judge(study: Study, item: Item) -> None:
    shown = [link.response for link in item.item_responses.all()]
    for n, annotator in enumerate(Annotator.objects.filter(study=study)[:3], 1):
        seat = Assignment.objects.create(
            study=study, item=item, number=n, annotator=annotator, status=Assignment.Status.SUBMITTED
        )
        judgment = Judgment.objects.create(assignment=seat)
        for criterion in study.criteria.filter(on=item.kind, kind__in=["rating", "grouping"]):
            Answer.objects.bulk_create(
                Answer(judgment=judgment, criterion=criterion, response=r, value=n) for r in shown
            )


@pytest.mark.parametrize("name", COMPUTED)
def test_no_result_changes_with_planted_texts(name: str, demo: Study) -> None:
    result = find(name)
    options = result.options()
    before = result.to_json(demo, lambda: result.compute(demo, options))
    plant_and_judge(demo)
    assert differences(before, result.to_json(demo, lambda: result.compute(demo, options))) == []


def _study_page(study: Study, client: Client) -> list[str]:
    page = client.get(reverse("study", args=[study.slug])).content.decode()
    return re.findall(r"<dt>(?:Prompts|Responses).*?</dd>", page, re.DOTALL)


def _pool_page(study: Study, client: Client) -> object:
    return client.get(reverse("pool", args=[study.slug])).context["page"].paginator.count


# What says something of a study without being one of RESULTS that is computed.
PAGES: dict[str, Callable[[Study, Client], object]] = {
    "responses": lambda study, client: (
        (rows := every_response(study)).table.assign(**rows.scores).to_dict("list")
    ),
    "report's content": lambda study, client: content_hash(study),
    "planning": lambda study, client: _as_it_is(study),
    "the study's page": _study_page,
    "the pool's page": _pool_page,
    "scorers' work": lambda study, client: [
        batches.missing(study, run, build(run.scorer)).pks for run in ScoreRun.objects.filter(scorer="minilm")
    ],
}


@pytest.mark.parametrize("name", PAGES)
def test_no_page_counts_planted_texts(name: str, demo: Study, auditor: Client) -> None:
    before = PAGES[name](demo, auditor)
    assert before or name == "scorers' work"
    plant_and_judge(demo)
    assert str(PAGES[name](demo, auditor)) == str(before)


def test_pages_of_one_prompt_or_response_have_none_for_planted_ones(demo: Study, auditor: Client) -> None:
    text = plant_and_judge(demo)[0].item_responses.get().response
    assert auditor.get(reverse("response", args=["demo", text.pk])).status_code == 404
    assert auditor.get(reverse("prompt-map", args=["demo", text.prompt_id])).status_code == 404


def test_verdicts_on_planted_pairs_are_not_in_the_pool(demo: Study) -> None:
    pair = next(item for item in plant_and_judge(demo) if item.kind == ItemKind.PAIR)
    run = ScoreRun.objects.create(study=demo, scorer="judge")
    Verdict.objects.create(run=run, item=pair)
    Verdict.objects.create(run=run, item=demo.items.filter(kind=ItemKind.PAIR)[0])
    assert Verdict.objects.filter(run=run).in_pool().count() == 1
    assert pair.pk not in set(batches.pairs(demo).values_list("pk", flat=True))


def test_whatever_results_read_of_a_whole_study_is_its_pool() -> None:
    """A query for all prompts or responses of a study says `in_pool`, in every module that says something of it."""
    whole = re.compile(
        r"(study\.(?:responses|prompts)\.(?!rename)|(?:Response|Prompt)\.objects\.filter\(study|\.embeddings|"
        r"(?:Embedding|Score|Verdict)\.objects\.filter\([^)]*run)[^\n]*"
    )
    fingerprint = {"judging/results/cache.py"}  # of rows, whatever they are
    by_key = re.compile(r"pk__in|key__in|response__in=")
    lines = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for folder in ("frames", "results")
        for path in (ROOT / "judging" / folder).rglob("*.py")
        if str(path.relative_to(ROOT)) not in fingerprint
        for match in whole.finditer(path.read_text())
        if "in_pool" not in match[0] and not by_key.search(match[0])
    ]
    assert lines == []
