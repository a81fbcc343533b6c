"""Pages of other apps are reached through what they bring: `annotate` names no address of `judging`."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from annotate import navigation
from annotate.models import Membership, Role
from judging import urls as judging_urls
from judging.results import RESULTS
from tests.factories import make_study

ROOT = Path(__file__).parents[2]
NAMES = {pattern.name for pattern in judging_urls.urlpatterns}
NAMED = re.compile(r"""(?:\burl\s+|\b(?:reverse|redirect|resolve_url)\(\s*)["']([\w-]+)["']""")


def test_annotate_names_no_address_of_judging() -> None:
    templates = [p for p in (ROOT / "templates").rglob("*.html") if "judging" not in p.parts]
    modules = [p for p in (ROOT / "annotate").rglob("*.py") if "config" not in p.parts]
    assert len(templates) > 30
    assert len(modules) > 60
    named = {(p.name, name) for p in (*templates, *modules) for name in NAMED.findall(p.read_text())}
    assert {("studies.html", "study"), ("desk_criteria.py", "criteria")} <= named
    assert [(file, name) for file, name in sorted(named) if name in NAMES] == []


def test_no_module_of_annotate_holds_a_tab_of_judging() -> None:
    assert {page.name for page in navigation.TABS} & NAMES == set()


def test_every_result_has_its_tab_where_its_entry_says() -> None:
    tabs = {page.name: (page.label, page.group) for page in navigation.pages()}
    assert {e.name: (e.tab, e.group) for e in RESULTS}.items() <= tabs.items()


def test_tabs_stand_in_the_order_of_their_groups() -> None:
    pages = navigation.pages()
    assert list(dict.fromkeys(page.group for page in pages)) == settings.TAB_GROUPS
    assert [page.name for page in pages if page.group == "Collect"] == ["monitor", "links", "planning"]
    assert [page.name for page in pages if page.group == "Audit"] == [
        "audit", "pairs", "replication", "judges", "runs",
    ]  # fmt: skip
    assert len({page.name for page in pages}) == len(pages)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.AUDITOR, ["agreement", "audit"]),
        (Role.RESEARCHER, ["monitor", "agreement", "audit"]),
    ],
)
def test_the_list_of_studies_leads_to_what_a_role_may_open(
    client: Client, role: Role, shown: list[str]
) -> None:
    study, user = make_study(), User.objects.create_user("somebody")
    Membership.objects.create(study=study, user=user, role=role)
    client.force_login(user)
    html = client.get("/studies/").content.decode()
    assert re.findall(rf'href="/studies/{study.slug}/([\w-]+)/"', html) == shown
    assert '<a href="/methods/">Methods</a>' in html


@pytest.mark.django_db
def test_without_judging_the_desk_has_pages_of_its_own(client: Client, settings: Settings) -> None:
    settings.TABS, settings.LINKS = ["annotate.navigation.TABS"], []
    make_study()
    client.force_login(User.objects.create_superuser("owner"))
    html = client.get("/studies/tiny/").content.decode()
    assert 'href="/studies/tiny/members/"' in html
    assert "/audit/" not in html
    assert "/methods/" not in html
