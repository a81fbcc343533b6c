"""The head of a study's pages, and what leads from the desk to pages of other apps."""

from dataclasses import dataclass
from itertools import groupby

from django import template
from django.urls import reverse

from annotate import navigation
from annotate.models import Role, Study

register = template.Library()


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    here: bool
    pages: "list[Tab]"


@register.simple_tag
def tabs(study: Study, here: str) -> list[Tab]:
    """Groups of the pages that this reader may open; a group leads to its first page."""
    groups = []
    for label, members in groupby(_open_to(study), key=lambda page: page.group):
        pages = [_tab(study, page, here) for page in members]
        groups.append(Tab(label, pages[0].url, any(p.here for p in pages), pages))
    return groups


@register.simple_tag
def pages_in_list(study: Study) -> list[Tab]:
    """The pages of a study that the list of studies leads to."""
    return [_tab(study, page) for page in _open_to(study) if page.in_list]


@register.simple_tag
def glances(study: Study) -> list[Tab]:
    return [_tab(study, page) for page in navigation.glances()]


@register.simple_tag
def links(place: str) -> list[Tab]:
    return [Tab(link.label, reverse(link.name), False, []) for link in navigation.links(place)]


def _open_to(study: Study) -> list[navigation.Page]:
    role = Role(study.your_role)
    return [page for page in navigation.pages() if role.includes(Role(page.least))]


def _tab(study: Study, page: navigation.Page, here: str = "") -> Tab:
    return Tab(page.label, reverse(page.name, args=[study.slug, *page.args]), page.name == here, [])
