"""The head of a study's pages, and what leads from the desk to pages of other apps."""

from dataclasses import dataclass
from itertools import groupby

from django import template
from django.urls import reverse

from annotate import navigation, setup_steps
from annotate.models import Assignment, Role, Study

register = template.Library()

# What a draft shows as steps.
SET_UP = ("Study", "Set up")
STEPS = ("pool", "criteria", "items", "settings", "study")


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    here: bool
    pages: "list[Tab]"
    done: bool = False


@register.simple_tag
def tabs(study: Study, here: str) -> list[Tab]:
    """Groups of the pages that this reader may open; a group leads to its first page.

    Of a draft that nobody has judged, those with something on them, beside the steps that set it up.
    """
    groups, pages = [], _open_to(study)
    if _is_untried(study):
        shown = [p for p in pages if not p.needs_judgments or p.name == here]
        pages = [p for p in shown if p.group not in SET_UP or (here not in STEPS and p.name == here)]
    for label, members in groupby(pages, key=lambda page: page.group):
        inner = [_tab(study, page, here) for page in members]
        groups.append(Tab(label, inner[0].url, any(tab.here for tab in inner), inner))
    return groups


def _is_untried(study: Study) -> bool:
    return (
        study.status == Study.Status.DRAFT and not Assignment.objects.submitted().filter(study=study).exists()
    )


@register.simple_tag
def steps(study: Study, here: str) -> list[Tab]:
    """The steps that set a draft up, for whoever may."""
    if study.status != Study.Status.DRAFT or not Role(study.your_role).includes(Role.RESEARCHER):
        return []
    return [
        Tab(step.label, step.url, step.page == here, [], done=step.done) for step in setup_steps.steps(study)
    ]


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
