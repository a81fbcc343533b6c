"""The methods page is held to the code: a part under templates/judging/methods has an `id` for each name.

Whoever adds a function to judging.stats, or a key to the JSON of a result, says in a part of the page what it is:
`<span id="name">` around the words, or an empty one in the heading, is enough for these tests.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotate.models import Study
from judging import stats
from judging.results import COMPUTED, find
from judging.results.methods import address_of, parts

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")

ROOT = Path(__file__).parents[2]
FUNCTIONS = {name: f for name in stats.__all__ if inspect.isfunction(f := getattr(stats, name))}
# They count, cut or code what a statistic then reads: no formula and no source of their own.
PREPARING = {"co_membership", "cosine_matrix", "source_codes", "value_counts", "words_of"}
# Shown on no page so far. Take a name out when its section is written.
NOT_EXPLAINED_YET = {
    "cluster_unusualness", "cross_rater_moments", "errors_in_variables_slope", "most_underrated",
    "neighbor_unusualness", "perceived_unusualness", "rated_unusualness", "underratings",
}  # fmt: skip
# Names of what is audited or asked stand where keys do.
NOT_KEYS = {"study", "simulated", "scorers", "criteria", "first", "second"}


def text_of_all(client: Client) -> str:
    """Every topic's own part of its page."""
    pages = [client.get(part.address).content.decode() for part in parts()]
    return "".join(page[page.index('<div class="prose methods">') :] for page in pages)


@pytest.fixture
def ids(client: Client) -> list[str]:
    return re.findall(r'\sid="(\w+)"', text_of_all(client))


def results(study: Study) -> list[Any]:
    """What the commands say in JSON."""
    return [find(name).cached_json(study, find(name).options()) for name in COMPUTED]


def keys(found: Any) -> Iterator[str]:
    """Every key of a JSON answer, however deep."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield key
            yield from keys(value)
    if isinstance(found, list):
        for value in found:
            yield from keys(value)


def test_each_id_stands_once(ids: list[str]) -> None:
    assert [name for name in set(ids) if ids.count(name) > 1] == []


def test_each_topic_has_a_page_that_the_contents_lead_to(client: Client) -> None:
    contents = client.get("/methods/").content.decode()
    assert len(parts()) >= 5
    for part in parts():
        assert f'<a href="/methods/{part.fragment}/">{part.title}</a>' in contents
        page = client.get(part.address).content.decode()
        assert f'<h2 id="{part.fragment}">' in page
        for anchor, title in part.sections:
            assert f'<li id="{anchor}"><a href="{part.address}#{anchor}">{title}</a>' in contents
    assert client.get("/methods/no-such/").status_code == 404


def test_every_link_between_topics_arrives(client: Client) -> None:
    links = re.findall(r'href="(?:(/methods/\w+/))?#(\w+)"', text_of_all(client))
    assert any(page for page, _ in links)
    assert [anchor for _, anchor in links if not address_of(anchor)] == []
    assert [anchor for page, anchor in links if page and address_of(anchor) != f"{page}#{anchor}"] == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", COMPUTED)
def test_every_link_of_a_result_to_the_methods_arrives(name: str, auditor: Client, demo: Study) -> None:
    page = auditor.get(f"/studies/demo/{name}/").content.decode()
    links = re.findall(r'href="(/methods/[^"]+)"', page)
    assert links or "Nothing to show." in page
    assert [link for link in links if address_of(link.partition("#")[2]) != link] == []


def test_every_statistic_has_a_section(ids: list[str]) -> None:
    assert sorted(set(FUNCTIONS) - PREPARING - NOT_EXPLAINED_YET - set(ids)) == []


@pytest.mark.django_db
def test_every_key_of_the_results_is_explained(ids: list[str], demo: Study) -> None:
    found = results(demo)
    assert sorted(set(keys(found)) - NOT_KEYS - set(ids)) == []


def test_every_link_to_the_page_arrives(ids: list[str]) -> None:
    linked = {
        fragment
        for page in (ROOT / "templates").rglob("*.html")
        for fragment in re.findall(r"{% url 'methods' %}#(\w+)", page.read_text())
    }
    assert linked <= set(ids)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"source_matrix", "trend", "underratings"}))
def test_docstrings_name_every_parameter_and_result(name: str) -> None:
    text = inspect.getdoc(FUNCTIONS[name]) or ""
    sections = re.findall(r"^(\w+)\n-+$", text, re.MULTILINE)
    assert sections[:2] == ["Parameters", "Returns"], sections
    assert name in PREPARING or {"Notes", "References"} & set(sections), "a formula or a source"
    asked = text.split("Parameters\n", 1)[1].split("Returns\n", 1)[0]
    for parameter in inspect.signature(FUNCTIONS[name]).parameters:
        assert re.search(rf"\b{parameter}\b", asked), parameter
