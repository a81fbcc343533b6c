"""The Artificial Hivemind's subset correlations, by its own rules, each beside what its selection alone would give.

For ratings of single responses and for preferences between two. Labels need no names, so that the panel also works
for a study that was made of the released files.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from annotate.kinds import ItemKind, Kind, Measure
from annotate.models import Criterion, Study
from judging.frames import preferences
from judging.frames import tables as frames
from judging.frames.preferences import stored_name
from judging.results.agreement import interval
from judging.results.audit import ratings_of
from judging.scorers.length import NAME as LENGTH
from judging.scorers.length import log_length
from judging.stats import Cell, Family, Reading, replicate_preferences, replicate_ratings, value_counts

SEED = 20261123
# What an overview shows of a panel: the widest set, and the strictest of either rule that still holds enough.
HEADLINE: dict[Kind, list[tuple[Family, float | None]]] = {
    Kind.RATING: [(Family.FULL, None), (Family.SIMILAR, 0.5), (Family.DISAGREED, 16), (Family.DISAGREED, 8)],
    Kind.PREFERENCE: [(Family.FULL, None), (Family.SIMILAR, 60), (Family.DISAGREED, 60)],
}


class ReplicationError(ValueError):
    """Why there is no panel, and what would change that."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One scorer against one question: every subset, by rank and by number, pooled and within prompts."""

    scorer: str
    criterion: Criterion
    n_judged: int
    n_left_out: int  # judged, and without a number of this scorer
    cells: list[Cell]

    @property
    def reason(self) -> str:
        return "" if self.cells else "The scorer has no number for anything that people judged."

    @property
    def rows(self) -> list[list[Cell]]:
        """The four correlations of each subset."""
        return [self.cells[n : n + 4] for n in range(0, len(self.cells), 4)]

    @property
    def readings(self) -> Counter[Reading]:
        """How many cells of subsets read so."""
        return Counter(c.reading for c in self.cells if c.family is not Family.FULL)

    @property
    def n_cells(self) -> int:
        return self.readings.total()

    @property
    def read(self) -> list[tuple[str, int]]:
        """The readings from the most to the least frequent."""
        return [(reading.value, n) for reading, n in self.readings.most_common()]

    @property
    def lower(self) -> int:
        return self.readings[Reading.BELOW]

    @property
    def higher(self) -> int:
        return self.readings[Reading.ABOVE]

    @property
    def headline(self) -> list[Cell]:
        """Spearman, pooled, as the paper has it."""
        asked = HEADLINE[Kind(self.criterion.kind)]
        found = {
            (c.family, c.setting): c for c in self.cells if (c.method, c.scope) == ("spearman", "pooled")
        }
        return [found[key] for key in asked if key in found]

    def as_json(self) -> dict[str, Any]:
        return {
            "scorer": self.scorer,
            "criterion": self.criterion.key,
            "kind": self.criterion.kind,
            "n_judged": self.n_judged,
            "n_left_out": self.n_left_out,
            "cells": [
                {
                    "family": c.family.value,
                    "setting": c.setting,
                    "subset": c.label,
                    "method": c.method,
                    "scope": c.scope,
                    "found": interval(c.found),
                    "null": interval(c.null),
                    "reading": c.reading.value,
                }
                for c in self.cells
            ],
            **({"reason": self.reason} if self.reason else {}),
        }


@dataclass(frozen=True, slots=True)
class Labels:
    """What people said by one criterion of responses or pairs, and each scorer's numbers for them."""

    criterion: Criterion
    counts: npt.NDArray[np.int64]
    prompt: npt.NDArray[np.int64]
    numbers: dict[str, npt.NDArray[np.float64]]

    def panel(self, scorer: str) -> Panel:
        score, chance = self.numbers[scorer], np.random.default_rng(SEED)
        if self.criterion.kind == Kind.RATING:
            points = [float(p) for p in self.criterion.points]
            cells = replicate_ratings(self.counts, points, self.prompt, score, rng=chance)
        else:
            cells = replicate_preferences(self.counts, self.prompt, score, rng=chance)
        return Panel(scorer, self.criterion, len(score), int(np.isnan(score).sum()), cells)


def criteria(study: Study) -> list[Criterion]:
    """Ratings of quality of single responses, then preferences; ReplicationError without any."""
    rated = [
        c
        for c in study.criteria.all()
        if (c.kind, c.on, c.measures) == (Kind.RATING, ItemKind.SINGLE, Measure.QUALITY)
    ]
    found = [*rated, *preferences.criteria(study)]
    if not found:
        raise ReplicationError(
            "The panel needs a rating of the quality of single responses or a preference between two. In study.toml: "
            "on = “single”, kind = “rating”, measures = “quality”; or on = “pair”, kind = “preference”."
        )
    return found


def labels(criterion: Criterion) -> Labels:
    """What people said, fetched once for all scorers."""
    return _of_ratings(criterion) if criterion.kind == Kind.RATING else _of_preferences(criterion)


def _of_ratings(criterion: Criterion) -> Labels:
    given = ratings_of(criterion).dropna(subset=["response_id", "value"])
    points = [float(p) for p in criterion.points]
    counts, ids = value_counts(
        given["response_id"].to_numpy(dtype=np.int64), given["value"].to_numpy(), points
    )
    rows = criterion.study.responses.filter(pk__in=given["response_id"].unique().tolist())
    texts = {pk: (prompt, text) for pk, prompt, text in rows.values_list("pk", "prompt_id", "text")}
    prompt = np.array([texts[int(i)][0] for i in ids], dtype=np.int64)
    numbers: dict[str, npt.NDArray[np.float64]] = {}
    for name, scored in frames.scores(criterion.study).groupby("scorer", sort=True):
        known = scored.set_index("response_id")["score"].reindex(ids)
        numbers[stored_name(str(name))] = np.asarray(known, dtype=np.float64)
    numbers[LENGTH] = log_length([texts[int(i)][1] for i in ids])
    return Labels(criterion, counts, prompt, numbers)


def _of_preferences(criterion: Criterion) -> Labels:
    """A judge's choices in both orders together; in each order they are on the page of pairs."""
    pairs = preferences.shown_pairs(criterion.study)
    voted = preferences.voted(criterion, pairs)
    said = [m for m in preferences.margins(criterion.study, pairs) if m.order in (None, "both")]
    return Labels(criterion, voted.counts, voted.prompt, {m.scorer: m.of(voted) for m in said})


def report(study: Study, scorer: str | None = None) -> list[Panel]:
    """Every scorer against every question that people answered; ReplicationError where there is nothing."""
    found = list(_panels(study, scorer))
    if not found and scorer is not None:
        raise ReplicationError(f"nothing by {scorer!r} in {study.slug}")
    if not found:
        raise ReplicationError("Nobody has rated a response or compared two yet.")
    return found


def _panels(study: Study, scorer: str | None) -> Iterator[Panel]:
    for criterion in criteria(study):
        asked = labels(criterion)
        names = [name for name in asked.numbers if scorer in (None, name)] if len(asked.counts) else []
        yield from map(asked.panel, names)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One panel, and the scorers that there are for its question."""

    panel: Panel
    scorers: list[str]


def chosen(criterion: Criterion, scorer: str) -> Chosen:
    """The panel of the scorer that was asked for, else of the first; computing one takes a fraction of a second."""
    asked = labels(criterion)
    if not len(asked.counts):
        raise ReplicationError("Nobody has rated a response or compared two yet.")
    names = list(asked.numbers)
    if scorer and scorer not in names:
        raise KeyError(scorer)
    return Chosen(asked.panel(scorer or names[0]), names)


def as_json(study: Study, panels: list[Panel]) -> dict[str, Any]:
    return {"study": study.slug, "simulated": study.simulated, "panels": [p.as_json() for p in panels]}


def json_of(study: Study, scorer: str | None = None) -> dict[str, Any]:
    """What `replication --json` and the page's JSON say; without a panel an empty list, and the reason."""
    try:
        return as_json(study, report(study, scorer))
    except ReplicationError as error:
        return as_json(study, []) | {"reason": str(error)}
