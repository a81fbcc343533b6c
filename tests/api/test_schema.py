"""The schema says what the API does: schemathesis sends what it allows and what it forbids, and checks the answers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from annotate import members
from annotate.config.wsgi import application
from annotate.models import ApiToken, Role
from judging.api.docs import the_schema
from tests.api.test_lists import judge, score
from tests.factories import make_study
from tests.size import sized

# Rows that follow the schema may name a prompt that there is not, or hold what no database stores: that is 422.
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "503"]
            },
        },
    }
)
SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/schema/", application, config=CONFIG)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]  # type: ignore[union-attr]
EXAMPLES = sized(6, 60)
# Where nothing is sent, nothing of it can be wrong.
CASES = [
    pytest.param(operation, mode, id=f"{mode.value} {operation.method.upper()} {operation.path}")
    for mode in GenerationMode
    for operation in OPERATIONS
    if mode.is_positive or operation.query or operation.body
]


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The application would close the connection that the test's transaction is on, as Django's client knows."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def headers(db: None) -> dict[str, str]:
    """Of somebody who may do everything in a study with something of everything."""
    cache.clear()
    study = make_study()
    judge(study, "ann", "bo")
    score(study)
    user = User.objects.create_user("ada", is_staff=True)
    members.add(study, user, Role.OWNER)
    _, secret = ApiToken.make(user, "test", "write", 1)
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_the_api_does_what_the_schema_says(
    operation: Any, mode: GenerationMode, headers: dict[str, str]
) -> None:
    @given(data=st.data())
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def send(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if "{slug}" in operation.path and data.draw(st.integers(0, 3)):
            case.path_parameters["slug"] = "tiny"
        case.call_and_validate(headers=headers)

    send()


def test_drf_spectacular_has_nothing_to_warn_of(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    schema = the_schema()
    text = json.dumps(schema)
    names = re.findall(r'"\$ref": "([^"]+)"', text)
    assert names
    assert {name.removeprefix("#/components/schemas/") for name in names} <= set(
        schema["components"]["schemas"]
    )
