from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotate.models import Response, Study
from judging.folder.scores import load_folder
from judging.models import Embedding
from judging.runs import work as scoring
from judging.scorers import Embedder, Embeddings

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"


@dataclass(frozen=True, slots=True)
class Embedded:
    """The demo's texts as the real embedder sees them, computed once a test run."""

    keys: list[str]
    result: Embeddings


@pytest.fixture(scope="session")
def _embedded() -> list[Embedded]:
    return []


@pytest.fixture
def demo(db: None, _embedded: list[Embedded]) -> Study:
    """The demo study, loaded and embedded as `make run` does it."""
    load_folder(DEMO)
    study = Study.objects.get(slug="demo")
    if not _embedded:
        model = scoring.made("minilm")
        assert isinstance(model, Embedder)
        rows = list(Response.objects.filter(study=study).values_list("key", "text"))
        _embedded.append(Embedded([key for key, _ in rows], model.embed([text for _, text in rows])))
    run = scoring.run_of(study, "minilm", scoring.made("minilm"))
    pk_of = dict(Response.objects.filter(study=study).values_list("key", "pk"))
    kept = _embedded[0]
    Embedding.objects.bulk_create(
        Embedding(run=run, response_id=pk_of[key], vector=vector.astype("<f4").tobytes())
        for key, vector in zip(kept.keys, kept.result.vectors, strict=True)
    )
    return study


@pytest.fixture
def auditor(client: Client, db: None) -> Client:
    """Somebody who may see every study."""
    client.force_login(User.objects.create_superuser("auditor"))
    return client
