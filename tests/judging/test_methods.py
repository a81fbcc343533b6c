"""The methods page is held to the code: add a part under templates/judging/methods with an `id` for each name."""

import re

import pytest
from django.test import Client

from judging.methods import parts


@pytest.fixture
def ids(client: Client) -> list[str]:
    return re.findall(r'id="(\w+)"', client.get("/methods/").content.decode())


def test_each_id_stands_once(ids: list[str]) -> None:
    assert [name for name in set(ids) if ids.count(name) > 1] == []


def test_each_part_is_in_the_contents(client: Client) -> None:
    html = client.get("/methods/").content.decode()
    assert len(parts()) >= 5
    for part in parts():
        assert f'<a href="#{part.fragment}">{part.title}</a>' in html
        assert f'<h2 id="{part.fragment}">' in html
