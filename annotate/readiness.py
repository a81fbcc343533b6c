"""Open issues of a study before annotators see it, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from annotate.expected import by_criterion
from annotate.kinds import Measure, Trait, kind_of, names_of
from annotate.leaks import Leak, excerpts, leaks
from annotate.models import Annotator, Criterion, Item, Response, Study

# How an item kind is called in a sentence.
CALLED = {"single": "one response", "pair": "a pair", "set": "a set"}


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """`url` is where it is fixed; issues that do not `stop` are hints."""

    text: str
    url: str
    stops: bool = True


def open_issues(study: Study) -> list[OpenIssue]:
    return [*_content(study), *_audit(study), *_checks(study), *_check_items(study), *_panel(study)]


def _page(study: Study, name: str, *args: str) -> str:
    return reverse(name, args=[study.slug, *args])


def field_of_measure(study: Study, *traits: Trait) -> str:
    """Where somebody says what a criterion with any of these traits measures, or adds one."""
    criterion = study.criteria.filter(kind__in=names_of(*traits)).order_by("measures", "position").first()
    if criterion is None:
        return _page(study, "new-criterion")
    return f"{reverse('criterion', args=[study.slug, criterion.pk])}#id_measures"


def _audit(study: Study) -> Iterator[OpenIssue]:
    """What the audit can start from: people's say on quality."""
    criteria = list(study.criteria.all())
    if criteria and not any(_says_quality(criterion) for criterion in criteria):
        text = "No criterion measures quality, so no scorer can be audited. What a criterion measures is a field of it."
        yield OpenIssue(text, field_of_measure(study, "rates"), stops=False)


def _says_quality(criterion: Criterion) -> bool:
    kind = kind_of(criterion)
    return criterion.measures == Measure.QUALITY or kind.prefers or (kind.ranks and not criterion.measures)


def _content(study: Study) -> Iterator[OpenIssue]:
    kinds = set(study.criteria.order_by().values_list("on", flat=True))
    items = set(study.items.filter(withheld=False).order_by().values_list("kind", "role").distinct())
    if not kinds:
        yield OpenIssue("There are no criteria, so nothing would be asked.", _page(study, "criteria"))
    if not any(role == Item.Role.MAIN for _, role in items):
        yield OpenIssue("There are no items, so nothing would be shown.", _page(study, "items"))
    for kind in sorted({kind for kind, _ in items} - kinds) if kinds else ():
        yield OpenIssue(
            f"No criterion asks about {CALLED[kind]}, but there are such items.", _page(study, "criteria")
        )
    for kind in sorted(kinds - {kind for kind, _ in items}) if items else ():
        text = f"A criterion asks about {CALLED[kind]}, but there are no such items."
        yield OpenIssue(text, _page(study, "items"), stops=False)
    if not study.instructions.strip():
        yield OpenIssue("There are no instructions.", _page(study, "settings", "texts"), stops=False)


def _checks(study: Study) -> Iterator[OpenIssue]:
    for number, check in enumerate(study.checks or [], 1):
        options, right = check.get("options") or [], check.get("right")
        if not isinstance(right, int) or not 0 <= right < len(options):
            text = f"Question {number} on the instructions has no right answer, so nobody could pass it."
            yield OpenIssue(text, _page(study, "settings", "journey"))


def _check_items(study: Study) -> Iterator[OpenIssue]:
    checked = list(study.items.filter(role__in=["gold", "practice"]).values_list("key", "role", "expected"))
    for key, role, expected in checked:
        if not by_criterion(expected):
            text = f"The {role} item {key} has no expected answer, so it can't be passed or failed."
            yield OpenIssue(text, _page(study, "items"), stops=role == Item.Role.GOLD)
    if [role for _, role, _ in checked].count("gold") == 1:
        text = "There is only one gold item. One failed check is no reason to exclude anyone: add at least one more."
        yield OpenIssue(text, _page(study, "items"), stops=False)


def _panel(study: Study) -> Iterator[OpenIssue]:
    if study.completion_codes and not study.completion_codes.get(Annotator.Outcome.FINISHED):
        text = "There are completion codes, but none for those who finish."
        yield OpenIssue(text, _page(study, "settings", "panel"))


@dataclass(frozen=True, slots=True)
class LeakingResponse:
    response: Response
    places: list[Leak]

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        return excerpts(self.response.text, self.places)


def leaking(study: Study) -> Iterator[LeakingResponse]:
    """Responses on show that reveal who wrote them."""
    rows = study.responses.order_by("pk").only("pk", "key", "text", "source", "held_back", "study_id")
    for response in rows.filter(held_back="").iterator(chunk_size=1_000):
        if places := leaks(response.text, settings.LEAK_WORDS):
            yield LeakingResponse(response, places)
