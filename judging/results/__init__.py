"""What the application can say of a study, one folder a result.

RESULTS is the one list: the page, its JSON, the REST endpoint, the export and the tab of a result follow from its
entry. What a result is stands in `judging.results.NAME.result`, which is imported when somebody asks for it.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from annotate.navigation import Link, Page

if TYPE_CHECKING:
    from judging.results.result import Result


@dataclass(frozen=True, slots=True)
class Entry:
    """A result by its name, which is its address, and the tab that shows it within a group of tabs."""

    name: str
    tab: str
    group: str
    computed: bool = True
    """Whether it has options, JSON and a command; if not, it is a page alone."""
    in_list: bool = False
    """Whether the list of studies leads to it."""


RESULTS = (
    Entry("planning", "Planning", "Collect", computed=False),
    Entry("agreement", "Agreement", "Agreement", in_list=True),
    Entry("similarity", "Similarity", "Agreement"),
    Entry("homogeneity", "Homogeneity", "Homogeneity"),
    Entry("audit", "Audit", "Audit", in_list=True),
    Entry("pairs", "Pairs and lists", "Audit"),
    Entry("replication", "Replication", "Audit"),
    Entry("judges", "Judges", "Audit"),
    Entry("responses", "Responses", "Responses", computed=False),
    Entry("report", "Report", "Report", computed=False),
)
TABS = tuple(
    Page(entry.name, entry.tab, entry.group, in_list=entry.in_list, needs_judgments=True) for entry in RESULTS
)
GLANCES = (Page("glance", "At a glance", "Study"),)
LINKS = (Link("methods", "Methods", "header"),)
COMPUTED = tuple(entry.name for entry in RESULTS if entry.computed)


def find(name: str) -> "Result[Any, Any]":
    result: Result[Any, Any] = import_module(f"judging.results.{name}.result").RESULT
    return result
