import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from annotate.models import Study
from tests.demo import copy_in, own_results_from_the_first_write, put_aside

CI = bool(os.environ.get("CI"))
# No example fails because a machine is slow; in CI the same examples come every time.
PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile(
    "offbeat", hypothesis.settings(PATIENT, derandomize=True, database=None) if CI else PATIENT
)
hypothesis.settings.load_profile("offbeat")

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def _demo_aside(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        put_aside()


@pytest.fixture(scope="module", autouse=True)
def _tables_as_they_are(request: pytest.FixtureRequest) -> None:
    """Rows of tests that were rolled back take room, and a load's ANALYZE among them finds that tables are empty.

    PostgreSQL then plans for empty tables: a query of a hundred judgments took ten minutes.
    """
    if os.environ.get("TEST_DATABASE") == "postgres":
        request.getfixturevalue("django_db_setup")
        with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
            cursor.execute("VACUUM (SKIP_LOCKED)")


@pytest.fixture
def demo(_demo_aside: None, db: None) -> Iterator[Study]:
    """The demo study, loaded and embedded as `make run` does it."""
    study = copy_in()
    with own_results_from_the_first_write():
        yield study


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
    """On PostgreSQL only what asks Django for its database and may depend on which one it is."""
    if os.environ.get("TEST_DATABASE") != "postgres":
        return
    repeated = [item for item in items if _asks_for_database(item) and not _same_on_both(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in repeated])
    items[:] = repeated


def _asks_for_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})


def _same_on_both(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("any_database")
    if marker is not None and not marker.args:
        raise pytest.UsageError(f"{item.nodeid}: any_database needs a reason")
    return marker is not None
