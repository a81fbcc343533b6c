"""How alike people find two responses against how alike embeddings make them: the embedding honesty page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from annotate.kinds import names_of
from annotate.models import Criterion, Item, Study
from judging.frames import tables as frames
from judging.models import ScoreRun
from judging.results.result import NoCriterion, NotEmbedded
from judging.stats import (
    Difference,
    HumanSimilarity,
    SimilarityCalibration,
    benjamini_hochberg,
    human_similarity,
    length_ratio,
    similarity_calibration,
    similarity_difference,
    token_jaccard,
    unusualness,
)

SEED = 20250301
WORDS = "word overlap"  # the baseline: what two texts share word for word
TO_READ = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of likeness against one criterion."""

    criterion: Criterion
    measure: str
    result: HumanSimilarity
    calibration: SimilarityCalibration
    truncated: int = 0  # texts of which the embedder read only the beginning
    unknown_languages: tuple[str, ...] = ()  # of prompts, which the embedder does not know

    @property
    def is_baseline(self) -> bool:
        return self.measure == WORDS

    @property
    def prompts_between(self) -> tuple[float, float, float] | None:
        """Lowest quarter, middle and highest quarter of the prompts' own correlations."""
        each = self.result.prompts["spearman"]
        if each.empty:
            return None
        low, middle, high = np.quantile(each, [0.25, 0.5, 0.75])
        return float(low), float(middle), float(high)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two measures on the same pairs."""

    criterion: Criterion
    first: str
    second: str
    result: Difference
    p_adjusted: float | None


@dataclass(frozen=True, slots=True)
class Similarity:
    rows: list[Row]
    comparisons: list[Comparison]


def compute(study: Study) -> Similarity:
    """Every embedder, and word overlap, against every similarity criterion; then embedders against each other."""
    criteria = list(study.criteria.filter(kind__in=names_of("compares")))
    if not criteria:
        raise NoCriterion("No criterion of this study asks how alike two responses are.", "compares")
    runs = embedding_runs(study)
    if not runs:
        raise NotEmbedded(
            f"No embedder has read this study’s responses yet: run `manage.py score {study.slug} --scorer minilm`."
        )
    pairs = measured_pairs(study, runs)
    report = Similarity([], [])
    for criterion in criteria:
        answers = frames.answers(criterion).rename(columns={"item_id": "pair_id"})
        report.rows.extend(_rows(criterion, answers, pairs, runs))
        report.comparisons.extend(_comparisons(criterion, answers, pairs, [*runs, WORDS]))
    return report


def embedding_runs(study: Study) -> dict[str, ScoreRun]:
    """The study's embedders by name; of several versions of one the name says which."""
    runs = list(
        ScoreRun.objects.filter(study=study, embeddings__isnull=False).distinct().order_by("scorer", "pk")
    )
    names = [r.scorer for r in runs]
    return {str(r) if names.count(r.scorer) > 1 else r.scorer: r for r in runs}


def measured_pairs(study: Study, runs: dict[str, ScoreRun]) -> pd.DataFrame:
    """One row a pair: pair_id, prompt_id, WORDS, length_ratio, and for each embedder its cosine and unusualness."""
    measured = frames.pairs(study)
    words = [measured[side].tolist() for side in ("first_text", "second_text")]
    measured[WORDS], measured["length_ratio"] = token_jaccard(*words), length_ratio(*words)
    for name, run in runs.items():
        pool, vectors = frames.vectors(run)
        places = [pd.Index(pool["response_id"]).get_indexer(measured[side]) for side in ("first", "second")]
        known = (places[0] >= 0) & (places[1] >= 0)
        unit = vectors.astype(np.float64)
        unusual = unusualness(unit, pool["prompt_id"].to_numpy()) if len(pool) else np.empty(0)
        columns = np.full((2, len(measured)), np.nan)
        a, b = (place[known] for place in places)
        columns[0, known] = np.einsum("nd,nd->n", unit[a], unit[b])
        columns[1, known] = (unusual[a] + unusual[b]) / 2
        measured[name], measured[_unusual(name)] = columns
    return measured.drop(columns=["first_text", "second_text"])


def _unusual(name: str) -> str:
    return f"unusualness by {name}"


def _rows(
    criterion: Criterion, answers: pd.DataFrame, pairs: pd.DataFrame, runs: dict[str, ScoreRun]
) -> Sequence[Row]:
    baseline = Row(
        criterion,
        WORDS,
        human_similarity(answers, pairs, WORDS, rng=_chance()),
        similarity_calibration(answers, pairs, WORDS, rng=_chance()),
    )
    embedders = [
        Row(
            criterion,
            name,
            human_similarity(answers, pairs, name, lexical=[WORDS, "length_ratio"], rng=_chance()),
            similarity_calibration(answers, pairs, name, unusualness=_unusual(name), rng=_chance()),
            run.embeddings.in_pool().filter(truncated=True).count(),
            tuple(run.unknown_languages()),
        )
        for name, run in runs.items()
    ]
    return [*embedders, baseline]


def _comparisons(
    criterion: Criterion, answers: pd.DataFrame, pairs: pd.DataFrame, names: Sequence[str]
) -> list[Comparison]:
    differences = [
        (first, second, similarity_difference(answers, pairs, first, second, rng=_chance()))
        for first, second in combinations(names, 2)
    ]
    known = [d.p for _, _, d in differences if d.p is not None]
    adjusted = iter(benjamini_hochberg(known).tolist() if known else [])
    return [
        Comparison(criterion, first, second, d, None if d.p is None else float(next(adjusted)))
        for first, second, d in differences
    ]


def _chance() -> np.random.Generator:
    return np.random.default_rng(SEED)


@dataclass(frozen=True, slots=True)
class Apart:
    """A pair on which a measure and people part: the texts, and both numbers."""

    item: Item
    texts: list[str]
    human_mean: float
    standard_error: float | None
    n: int
    measure: float
    expected: float


def to_read(row: Row, n: int = TO_READ) -> dict[str, list[Apart]]:
    """The pairs that the measure makes more alike than people find them, and less, furthest first."""
    pairs = row.calibration.pairs
    alike = pairs[pairs["gap"] > 0].sort_values(["gap", "pair_id"], ascending=[False, True]).head(n)
    different = pairs[pairs["gap"] < 0].sort_values(["gap", "pair_id"]).head(n)
    return {"false_alike": _read(alike), "false_different": _read(different)}


def _read(pairs: pd.DataFrame) -> list[Apart]:
    items = (
        Item.objects.select_related("prompt")
        .prefetch_related("item_responses__response")
        .in_bulk([int(i) for i in pairs["pair_id"]])
    )
    return [
        Apart(
            item=(item := items[int(row["pair_id"])]),
            texts=[s.response.text for s in sorted(item.item_responses.all(), key=lambda s: s.position)],
            human_mean=row["human_mean"],
            standard_error=None if pd.isna(row["standard_error"]) else row["standard_error"],
            n=int(row["n"]),
            measure=row["measure"],
            expected=row["expected"],
        )
        for row in pairs.to_dict("records")
    ]
