"""How far annotators agree, by the criterion's kind: the headline, what stands beside it, and tables to look into."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from annotate.models import Criterion, Study
from judging.results.agreement.details import Details, details
from judging.results.agreement.headline import SEED, Brief, Entry, SoFar, briefs, entries, interval, so_far
from judging.results.agreement.tables import Divided, most_divided, people
from judging.results.agreement.units import Units, has_units, units

__all__ = [
    "SEED",
    "Agreement",
    "Brief",
    "Details",
    "Entry",
    "Look",
    "SoFar",
    "Units",
    "agreement",
    "as_json",
    "has_units",
    "in_brief",
    "interval",
    "page",
    "report",
    "so_far",
    "units",
]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The headline, and what stands beside it: one entry of details a criterion."""

    entries: list[Entry]
    details: list[Details]


@dataclass(frozen=True, slots=True)
class Look:
    """What a page shows of one criterion to look into: items that people part on, and people."""

    criterion: Criterion
    divided: list[Divided]
    people: list[dict[str, Any]]


def report(study: Study) -> Agreement:
    return page(study)[0]


def page(study: Study) -> tuple[Agreement, list[Look]]:
    """Everything on the agreement page, from each criterion's answers read once."""
    found, looks = Agreement([], []), []
    for criterion in study.criteria.all():
        asked = units(criterion)
        if asked is not None:
            found.entries.extend(entries(criterion, asked))
            found.details.append(details(criterion, asked))
            looks.append(Look(criterion, most_divided(criterion, asked), _records(people(criterion, asked))))
    return found, looks


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Rows with None for what is undefined."""
    if table is None:
        return []
    return [{str(k): None if pd.isna(v) else v for k, v in row.items()} for row in table.to_dict("records")]


def agreement(study: Study) -> list[Entry]:
    asked = [(criterion, units(criterion)) for criterion in study.criteria.all()]
    return [e for criterion, of in asked if of is not None for e in entries(criterion, of)]


def in_brief(study: Study) -> list[Brief]:
    """What the report says of it: intervals for other items only, which take a fraction of the time."""
    asked = [(criterion, units(criterion)) for criterion in study.criteria.all()]
    return [b for criterion, of in asked if of is not None for b in briefs(criterion, of)]


def as_json(study: Study, found: Agreement) -> dict[str, Any]:
    return {
        "study": study.slug,
        "simulated": study.simulated,
        "criteria": [e.as_json() for e in found.entries],
        "details": [d.as_json() for d in found.details],
    }
