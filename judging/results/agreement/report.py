"""Agreement on every criterion, from each criterion's answers read once."""

from collections.abc import Iterator
from dataclasses import dataclass

from annotate.models import Criterion, Study
from judging.results.agreement.details import Details, details
from judging.results.agreement.headline import Brief, Entry, briefs, entries
from judging.results.agreement.units import Units, units
from judging.results.result import NotComputable


@dataclass(frozen=True, slots=True)
class Agreement:
    """The headline, and what stands beside it: one entry of details a criterion."""

    entries: list[Entry]
    details: list[Details]


def compute(study: Study) -> Agreement:
    report = Agreement([], [])
    for criterion, values in _units(study):
        report.entries.extend(entries(criterion, values))
        report.details.append(details(criterion, values))
    if not report.details:
        raise NotComputable("This study has no criterion for which agreement can be computed.")
    return report


def agreement(study: Study) -> list[Entry]:
    return [e for criterion, values in _units(study) for e in entries(criterion, values)]


def in_brief(study: Study) -> list[Brief]:
    """For the report: intervals for other items only, which take a fraction of the time."""
    return [b for criterion, values in _units(study) for b in briefs(criterion, values)]


def _units(study: Study) -> Iterator[tuple[Criterion, Units]]:
    for criterion in study.criteria.all():
        values = units(criterion)
        if values is not None:
            yield criterion, values
