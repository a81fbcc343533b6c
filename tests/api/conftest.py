from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from annotate import members
from annotate.models import ApiToken, Role, Study
from tests.factories import make_study

Asks = Callable[..., APIClient]


@pytest.fixture
def study(db: None) -> Study:
    return make_study()


def token_client(user: User, scope: str = "write") -> APIClient:
    _, secret = ApiToken.make(user, "test", scope, 30)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def asks(study: Study) -> Asks:
    """A client with a token of somebody who has this role in the study."""

    def client(role: Role | None = Role.OWNER, scope: str = "write", **kwargs: Any) -> APIClient:
        user, _ = User.objects.get_or_create(username=f"{role}-{study.slug}", defaults=kwargs)
        if role is not None:
            members.add(study, user, role)
        return token_client(user, scope)

    return client
