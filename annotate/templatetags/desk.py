"""The head of a study's pages."""

from dataclasses import dataclass

from django import template
from django.urls import reverse

from annotate.models import Role, Study

register = template.Library()

# Name (what a page calls its `tab`, and its URL), label, and the least role that may open it, by what one is about.
TABS = {
    "Study": [("study", "Study", Role.AUDITOR)],
    "Set up": [
        ("settings", "Settings", Role.RESEARCHER),
        ("criteria", "Criteria", Role.RESEARCHER),
        ("pool", "Pool", Role.RESEARCHER),
        ("items", "Items", Role.RESEARCHER),
        ("leaks", "Leaks", Role.RESEARCHER),
    ],
    "Collect": [
        ("monitor", "Monitor", Role.RESEARCHER),
        ("links", "Links", Role.RESEARCHER),
        ("planning", "Planning", Role.AUDITOR),
    ],
    "Agreement": [
        ("agreement", "Agreement", Role.AUDITOR),
        ("similarity", "Similarity", Role.AUDITOR),
    ],
    "Homogeneity": [("homogeneity", "Homogeneity", Role.AUDITOR)],
    "Audit": [
        ("audit", "Audit", Role.AUDITOR),
        ("pairs", "Pairs and lists", Role.AUDITOR),
        ("replication", "Replication", Role.AUDITOR),
        ("judges", "Judges", Role.AUDITOR),
        ("runs", "Runs", Role.AUDITOR),
    ],
    "Responses": [("responses", "Responses", Role.AUDITOR)],
    "Report": [("report", "Report", Role.AUDITOR)],
    "Export": [
        ("exports", "Export", Role.RESEARCHER),
        ("webhooks", "Webhooks", Role.RESEARCHER),
    ],
    "People": [
        ("members", "Members", Role.OWNER),
        ("trail", "Trail", Role.OWNER),
    ],
}
_FURTHER = {"settings": ["texts"]}


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    here: bool
    pages: "list[Tab]"


@register.simple_tag
def tabs(study: Study, here: str) -> list[Tab]:
    """Groups of the pages that whoever asked may open; a group leads to its first page."""
    role = Role(study.your_role)
    groups = []
    for label, names in TABS.items():
        pages = [
            Tab(page, reverse(name, args=[study.slug, *_FURTHER.get(name, [])]), name == here, [])
            for name, page, least in names
            if role.includes(least)
        ]
        if pages:
            groups.append(Tab(label, pages[0].url, any(p.here for p in pages), pages))
    return groups
