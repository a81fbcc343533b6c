import os
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

SHARED = Path(__file__).parents[2] / "shared"
DEMO = Path(__file__).parents[1] / "fixtures" / "demo"


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
        model = scoring.build("minilm")
        assert isinstance(model, Embedder)
        rows = list(Response.objects.filter(study=study).values_list("key", "text"))
        _embedded.append(Embedded([key for key, _ in rows], model.embed([text for _, text in rows])))
    run = scoring.run_of(study, "minilm", scoring.build("minilm"))
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


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real human judgments and reference material, where they lie beside the project."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: real data cannot be tested")
    return SHARED


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what asks Django for its database: all else is the same there, and was run already."""
    if os.environ.get("TEST_DATABASE") != "postgres":
        return
    stored = [item for item in items if _asks_for_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in stored])
    items[:] = stored


def _asks_for_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})
