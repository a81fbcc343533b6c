"""Pairs for the study desk that need both sides: by embedding distance, and of equal quality."""

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotate import planting
from annotate.models import Item, Study
from judging.folder.views import distances
from judging.models import Embedding, ScoreRun
from tests.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


def embedded(study: Study) -> ScoreRun:
    """Each prompt's responses at growing angles in a plane."""
    run = ScoreRun.objects.create(study=study, scorer="angles", computed_here=True)
    for n, response in enumerate(study.responses.order_by("pk")):
        angle = 0.01 * 1.7 ** (n % 8)
        vector = np.array([np.cos(angle), np.sin(angle)], dtype="<f4")
        Embedding.objects.create(run=run, response=response, vector=vector.tobytes())
    return run


def test_without_embeddings_the_page_says_how_to_get_them(staff: Client) -> None:
    make_study()
    page = staff.get(reverse("strata", args=["tiny"])).content.decode()
    assert "manage.py score tiny --scorer minilm" in page


def test_pairs_come_equally_from_near_middle_and_far(staff: Client) -> None:
    study = make_study(prompts=2, responses=8, kinds=["single"])
    run = embedded(study)
    path = reverse("strata", args=["tiny"])
    assert staff.post(path, {"each": 9}).status_code == 302
    vectors = {e.response_id: np.frombuffer(bytes(e.vector), "<f4") for e in run.embeddings.all()}
    for prompt in study.prompts.all():
        pairs = Item.objects.filter(prompt=prompt, kind="pair").prefetch_related("item_responses")
        far = [
            float(distances(np.array([vectors[s.response_id] for s in item.item_responses.all()]))[0, 1])
            for item in pairs
        ]
        pool = np.array([vectors[r.pk] for r in prompt.responses.order_by("pk")], dtype=float)
        low, high = np.quantile(distances(pool)[np.triu_indices(8, 1)], [1 / 3, 2 / 3])
        assert [
            sum(d <= low for d in far),
            sum(low < d <= high for d in far),
            sum(d > high for d in far),
        ] == [3, 3, 3]
    assert {item.assignments.count() for item in study.items.filter(kind="pair")} == {3}
    staff.post(path, {"each": 9})
    assert study.items.filter(kind="pair").count() == 36
    assert staff.post(path, {"each": 0}).status_code == 422


def test_pairs_of_equal_quality_are_of_rated_responses(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study(prompts=1, responses=5, kinds=["single"])
    path = reverse("items", args=["tiny"])
    told = staff.post(path, {"how": "equal", "each": 3, "delta": "0.5"}, follow=True)
    assert "collect ratings of single" in told.content.decode()
    pks = list(study.responses.order_by("pk").values_list("pk", flat=True))
    monkeypatch.setattr(
        planting, "mean_ratings", lambda _: dict(zip(pks, [1.0, 1.4, 3.0, 3.5], strict=False))
    )
    staff.post(path, {"how": "equal", "each": 3, "delta": "0.5"})
    shown = [{s.response_id for s in item.item_responses.all()} for item in study.items.filter(kind="pair")]
    assert sorted(map(sorted, shown)) == [[pks[0], pks[1]], [pks[2], pks[3]]]
