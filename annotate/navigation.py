"""The tabs of a study's pages and the links beside them. Settings list who brings some: TABS and LINKS."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

OWNER, RESEARCHER, AUDITOR = (
    "owner",
    "researcher",
    "auditor",
)  # as in models.Role, which apps cannot import so early


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a study: `name` is that of its address, which takes the study's slug and `args`."""

    name: str
    label: str
    group: str
    least: str = AUDITOR
    """The least role that may open it."""
    args: tuple[str, ...] = ()
    place: int = 0
    """A page of a lower place stands before others of its group."""
    in_list: bool = False
    """Whether the list of studies leads to it."""
    needs_judgments: bool = False
    """Whether there is nothing on it as long as nobody has judged."""


@dataclass(frozen=True, slots=True)
class Link:
    """A page of no study: `place` is where its link stands."""

    name: str
    label: str
    place: str


TABS = (
    Page("study", "Study", "Study"),
    Page("settings", "Settings", "Set up", RESEARCHER, ("texts",)),
    Page("criteria", "Criteria", "Set up", RESEARCHER),
    Page("pool", "Pool", "Set up", RESEARCHER),
    Page("items", "Items", "Set up", RESEARCHER),
    Page("leaks", "Leaks", "Set up", RESEARCHER),
    Page("links", "Links", "Collect", RESEARCHER),
    Page("members", "Members", "People", OWNER),
    Page("trail", "Trail", "People", OWNER),
)


def pages() -> list[Page]:
    """In the order of their groups, and in each of their places."""
    brought = [page for source in settings.TABS for page in import_string(source)]
    return sorted(brought, key=lambda page: (settings.TAB_GROUPS.index(page.group), page.place))


def glances() -> list[Page]:
    """Parts of a study's own page that come after it."""
    return [page for source in settings.GLANCES for page in import_string(source)]


def links(place: str) -> list[Link]:
    return [link for source in settings.LINKS for link in import_string(source) if link.place == place]
