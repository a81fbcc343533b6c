"""The Artificial Hivemind's subset correlations, by its own rules, each beside what its selection alone would give.

For ratings of single responses and for preferences between two. Labels need no names, so that the panel also works
for a study that was made of the released files.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotate.kinds import Trait, kind_of
from annotate.models import Criterion, Study
from judging.frames import preferences
from judging.frames import tables as frames
from judging.frames.criteria import quality_ratings
from judging.frames.preferences import stored_name
from judging.results.agreement.units import levels
from judging.results.audit import ratings_of
from judging.results.result import NoCriterion, NotComputable
from judging.scorers.length import NAME as LENGTH
from judging.scorers.length import log_length
from judging.stats import Cell, Family, Reading, replicate_preferences, replicate_ratings, value_counts

SEED = 20261123
INSIDE = 0.95  # of scorers that follow people equally well everywhere
# What an overview shows of a panel: the widest set, and the strictest of either rule that still holds enough.
HEADLINE: dict[Trait, list[tuple[Family, float | None]]] = {
    "rates": [(Family.FULL, None), (Family.SIMILAR, 0.5), (Family.DISAGREED, 16), (Family.DISAGREED, 8)],
    "prefers": [(Family.FULL, None), (Family.SIMILAR, 60), (Family.DISAGREED, 60)],
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One scorer against one question: every subset, by rank and by number, pooled and within prompts."""

    scorer: str
    criterion: Criterion
    n_judged: int
    n_left_out: int  # judged, and without a number of this scorer
    cells: list[Cell]

    @property
    def rated(self) -> bool:
        """Responses were rated; otherwise pairs were judged."""
        return kind_of(self.criterion).rates

    @property
    def reason(self) -> str:
        return "" if self.cells else "The scorer has no number for anything that people judged."

    @property
    def readings(self) -> Counter[Reading]:
        """How many cells of subsets read so."""
        return Counter(c.reading for c in self.cells if c.family is not Family.FULL)

    @property
    def n_cells(self) -> int:
        return self.readings.total()

    @property
    def by_frequency(self) -> list[tuple[str, int]]:
        """The readings from the most to the least frequent."""
        return [(reading.value, n) for reading, n in self.readings.most_common()]

    @property
    def conclusion(self) -> str:
        """What the panel comes to, beside what chance alone does to so many cells."""
        below, above = self.readings[Reading.BELOW], self.readings[Reading.ABOVE]
        defined = self.n_cells - self.readings[Reading.UNDEFINED]
        if not defined:
            return ""
        if not below and not above:
            return f"{self.scorer} follows people in every subset as far as selection alone lets any scorer"
        by_chance = (
            f"of {defined:,} correlations; chance alone does that to about {defined * (1 - INSIDE) / 2:.0f}"
        )
        if below >= above:
            return f"{self.scorer} follows people less than selection alone explains in {below:,} {by_chance}"
        return f"{self.scorer} follows people more closely than selection alone explains in {above:,} {by_chance}"

    @property
    def headline(self) -> list[Cell]:
        """Spearman, pooled, as the paper has it."""
        cells = {
            (c.family, c.setting): c for c in self.cells if (c.method, c.scope) == ("spearman", "pooled")
        }
        return [cells[key] for key in kind_of(self.criterion).first_of(HEADLINE) or [] if key in cells]


@dataclass(frozen=True, slots=True)
class Labels:
    """People's labels of responses or pairs by one criterion, and each scorer's numbers for them."""

    criterion: Criterion
    counts: npt.NDArray[np.int64]
    prompt: npt.NDArray[np.int64]
    numbers: dict[str, npt.NDArray[np.float64]]

    def panel(self, scorer: str) -> Panel:
        score, rng = self.numbers[scorer], np.random.default_rng(SEED)
        if kind_of(self.criterion).rates:
            points = [float(p) for p in self.criterion.points]
            cells = replicate_ratings(self.counts, points, self.prompt, score, rng=rng)
        else:
            cells = replicate_preferences(self.counts, self.prompt, score, rng=rng)
        return Panel(scorer, self.criterion, len(score), int(np.isnan(score).sum()), cells)


def compute(study: Study, scorer: str = "", criterion: str = "") -> list[Panel]:
    """Every scorer against every criterion that people answered by, or those that are named."""
    answered = [one for one in _answered(study) if criterion in ("", one.criterion.key)]
    panels = [one.panel(name) for one in answered for name in one.numbers if scorer in ("", name)]
    if not panels:
        named = " on ".join(filter(None, (scorer and f"by {scorer!r}", criterion and repr(criterion))))
        raise NotComputable(f"{study.slug} has no labels with numbers {named}.")
    return panels


def scorers_by_criterion(study: Study) -> dict[str, list[str]]:
    return {one.criterion.key: list(one.numbers) for one in _answered(study)}


def _answered(study: Study) -> list[Labels]:
    answered = [one for one in map(labels, criteria(study)) if len(one.counts)]
    if not answered:
        raise NotComputable("Nobody has rated a response or compared two yet.")
    return answered


def criteria(study: Study) -> list[Criterion]:
    """Ratings of quality of single responses, then preferences."""
    # The published panel's rules are for five points.
    compared = [c for c in preferences.criteria(study) if len(levels(c)) == 5]
    both = [*quality_ratings(study), *compared]
    if not both:
        raise NoCriterion(
            "The panel needs a rating of the quality of single responses or a preference of five points "
            "between two.",
            "rates",
        )
    return both


def labels(criterion: Criterion) -> Labels:
    """Fetched once for all scorers."""
    return _of_ratings(criterion) if kind_of(criterion).rates else _of_preferences(criterion)


def _of_ratings(criterion: Criterion) -> Labels:
    ratings = ratings_of(criterion).dropna(subset=["response_id", "value"])
    points = [float(p) for p in criterion.points]
    counts, ids = value_counts(
        ratings["response_id"].to_numpy(dtype=np.int64), ratings["value"].to_numpy(), points
    )
    rows = criterion.study.responses.filter(pk__in=ratings["response_id"].unique().tolist())
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
    margins = [m for m in preferences.margins(criterion.study, pairs) if m.order in (None, "both")]
    return Labels(criterion, voted.counts, voted.prompt, {m.scorer: m.of(voted) for m in margins})
