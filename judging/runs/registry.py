"""The scorers of the settings, and their runs."""

import hashlib
import json
from functools import cache
from typing import Any

from django.conf import settings

from annotate.models import Study
from judging.models import ScoreRun
from judging.scorers import AnyScorer, load_entry


class UnknownScorerError(ValueError):
    """A name that the setting SCORERS does not have."""


def entry_of(name: str) -> str | dict[str, Any]:
    """What the setting SCORERS says of a name."""
    if name not in settings.SCORERS:
        raise UnknownScorerError(
            f"there is no scorer named {name!r}; there are {', '.join(sorted(settings.SCORERS))}"
        )
    entry: str | dict[str, Any] = settings.SCORERS[name]
    return entry


def class_of(name: str) -> str:
    """The dotted name of its class, and no more: the rest of an entry may say where a lab's machines are."""
    entry = entry_of(name)
    return str(entry.get("class", "")) if isinstance(entry, dict) else entry


def named_in(package: str) -> list[str]:
    """The names of the settings whose scorers are classes of this package or module."""
    return sorted(name for name in settings.SCORERS if class_of(name).startswith(f"{package}."))


@cache
def build(name: str) -> AnyScorer:
    return load_entry(entry_of(name))


def run_of(study: Study, name: str, scorer: AnyScorer, probe: str = "") -> ScoreRun:
    """The run of exactly this scorer: a different model, weights, parameters or version is a different run."""
    identity = scorer.identity | ({"probe": probe} if probe else {})
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
    languages = getattr(scorer, "languages", None)
    run, _ = ScoreRun.objects.get_or_create(
        study=study,
        scorer=name,
        version=digest,
        defaults={
            "identity": identity,
            "computed_here": True,
            "probe": probe,
            "dtype": settings.EMBEDDING_DTYPE,
            "languages": None if languages is None else sorted(languages),
        },
    )
    return run
