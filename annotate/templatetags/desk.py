"""The head of a study's pages."""

from django import template
from django.urls import reverse

from annotate.models import Role, Study

register = template.Library()

# Name (what a page calls its `tab`, and its URL), label, and the least role that may open it.
TABS = [
    ("study", "Study", Role.AUDITOR),
    ("settings", "Settings", Role.RESEARCHER),
    ("criteria", "Criteria", Role.RESEARCHER),
    ("pool", "Pool", Role.RESEARCHER),
    ("items", "Items", Role.RESEARCHER),
    ("leaks", "Leaks", Role.RESEARCHER),
    ("monitor", "Monitor", Role.RESEARCHER),
    ("runs", "Runs", Role.AUDITOR),
    ("agreement", "Agreement", Role.AUDITOR),
    ("homogeneity", "Homogeneity", Role.AUDITOR),
    ("similarity", "Similarity", Role.AUDITOR),
    ("audit", "Audit", Role.AUDITOR),
    ("judges", "Judges", Role.AUDITOR),
    ("responses", "Responses", Role.AUDITOR),
    ("report", "Report", Role.AUDITOR),
    ("planning", "Planning", Role.AUDITOR),
    ("exports", "Export", Role.RESEARCHER),
    ("members", "Members", Role.OWNER),
    ("trail", "Trail", Role.OWNER),
]
_FURTHER = {"settings": ["texts"]}


@register.simple_tag
def tabs(study: Study) -> list[tuple[str, str, str]]:
    """Name, label and address of the pages that whoever asked may open."""
    role = Role(study.your_role)
    return [
        (name, label, reverse(name, args=[study.slug, *_FURTHER.get(name, [])]))
        for name, label, least in TABS
        if role.includes(least)
    ]
