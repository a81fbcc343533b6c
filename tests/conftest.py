import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


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
