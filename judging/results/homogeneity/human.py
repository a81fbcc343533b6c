"""People's similarity judgments and groups, beside the embedder's of the very same pairs and sets."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotate.kinds import kind_of
from annotate.models import Criterion, ItemResponse, Study
from judging.frames import tables as frames
from judging.models import Embedding, ScoreRun
from judging.stats import Estimate, Threshold, best_threshold, cosine_matrix, ideas, means_over_prompts

TOGETHER = 0.5
"""Share of annotators who put two responses in one group, from which on the two are taken for one idea."""


@dataclass(frozen=True, slots=True)
class Humans:
    """One criterion's pairs: people's mean and the cosine, by whether one source wrote both. `n` counts prompts.

    `groups` and `ideas` are of sets: how many groups annotators made of one, and how many clusters the embedder.
    """

    criterion: str
    kind: str
    unit: str
    n_pairs: int
    within: Estimate
    between: Estimate
    cosine_within: Estimate
    cosine_between: Estimate
    groups: Estimate | None = None
    ideas: Estimate | None = None


def humans(study: Study, run: ScoreRun) -> tuple[Humans, ...]:
    """One entry a criterion of similarity or grouping that anybody answered."""
    criteria = [c for c in study.criteria.all() if kind_of(c).compares or kind_of(c).groups]
    if not criteria:
        return ()
    vectors = _vectors(study, run)
    sources = dict(study.responses.in_pool().values_list("pk", "source"))
    entries = [_entry(c, vectors, sources, same_idea(study, run)) for c in criteria]
    return tuple(entry for entry in entries if entry is not None)


def same_idea(study: Study, run: ScoreRun) -> Threshold | None:
    """The cosine that best tells pairs put in one group from pairs put apart; None without groupings."""
    criteria = [c for c in study.criteria.all() if kind_of(c).groups]
    if not criteria:
        return None
    vectors = _vectors(study, run)
    pairs = pd.concat([_with_cosine(_grouped(c), vectors) for c in criteria])
    return best_threshold(pairs["cosine"].to_numpy(), (pairs["value"] >= TOGETHER).to_numpy())


def _vectors(study: Study, run: ScoreRun) -> dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Unit vectors of the responses that items of several show."""
    shown = ItemResponse.objects.filter(item__study=study, item__kind__in=["pair", "set"]).values(
        "response_id"
    )
    rows = (
        Embedding.objects.in_pool()
        .filter(run=run, response_id__in=shown)
        .values_list("response_id", "vector")
    )
    vectors = {pk: np.frombuffer(bytes(vector), dtype=run.dtype).astype(np.float64) for pk, vector in rows}
    return {pk: vector / np.linalg.norm(vector) for pk, vector in vectors.items()}


def _compared(criterion: Criterion) -> pd.DataFrame:
    """Mean similarity of each pair: prompt_id, item_id, first, second, value."""
    given = frames.answers(criterion).dropna(subset=["value", "response_id", "other_id"])
    columns = {"prompt_id": ("prompt_id", "first"), "first": ("response_id", "first")}
    columns |= {"second": ("other_id", "first"), "value": ("value", "mean")}
    return given.groupby("item_id", sort=True).agg(**columns).reset_index()


def _grouped(criterion: Criterion) -> pd.DataFrame:
    """Share of annotators who put each pair of a set in one group: prompt_id, item_id, first, second, value."""
    given = frames.answers(criterion).dropna(subset=["value", "response_id"])
    given = given[["prompt_id", "item_id", "annotator_id", "response_id", "value"]]
    both = given.merge(given, on=["prompt_id", "item_id", "annotator_id"], suffixes=("", "_other"))
    both = both[both["response_id"] < both["response_id_other"]]
    both["together"] = (both["value"] == both["value_other"]).astype(float)
    keys = ["prompt_id", "item_id", "response_id", "response_id_other"]
    means = both.groupby(keys, sort=True)["together"].mean().reset_index(name="value")
    return means.rename(columns={"response_id": "first", "response_id_other": "second"})


def _with_cosine(
    pairs: pd.DataFrame, vectors: dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]]
) -> pd.DataFrame:
    known = [
        int(a) in vectors and int(b) in vectors for a, b in zip(pairs["first"], pairs["second"], strict=True)
    ]
    pairs = pairs[np.array(known, dtype=bool)]
    cosine = [
        float(vectors[int(a)] @ vectors[int(b)]) for a, b in zip(pairs["first"], pairs["second"], strict=True)
    ]
    return pairs.assign(cosine=np.array(cosine, dtype=np.float64))


def _entry(
    criterion: Criterion,
    vectors: dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]],
    sources: dict[int, str],
    threshold: Threshold | None,
) -> Humans | None:
    grouping = kind_of(criterion).groups
    pairs = _with_cosine(_grouped(criterion) if grouping else _compared(criterion), vectors)
    if pairs.empty:
        return None
    same = pairs["first"].map(sources) == pairs["second"].map(sources)
    means = [_mean(pairs[which], column) for column in ("value", "cosine") for which in (same, ~same)]
    groups, clusters = _sets(criterion, vectors, threshold) if grouping else (None, None)
    scale = f"{criterion.scale_low} to {criterion.scale_high}"
    return Humans(
        criterion=criterion.key,
        kind=criterion.get_kind_display(),
        unit="share of annotators who put the two in one group" if grouping else f"mean answer, {scale}",
        n_pairs=len(pairs),
        within=means[0],
        between=means[1],
        cosine_within=means[2],
        cosine_between=means[3],
        groups=groups,
        ideas=clusters,
    )


def _mean(pairs: pd.DataFrame, column: str) -> Estimate:
    """Mean over prompts of the prompts' means."""
    each = pairs.groupby("prompt_id", sort=True)[column].mean().to_numpy(dtype=np.float64)
    if not len(each):
        return Estimate.undefined("No pair of this kind was judged.", 0)
    return means_over_prompts(each[:, None])[0]


def _sets(
    criterion: Criterion,
    vectors: dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]],
    threshold: Threshold | None,
) -> tuple[Estimate, Estimate]:
    """Groups that annotators made of a set on average, and clusters that the embedder makes of it."""
    given = frames.answers(criterion).dropna(subset=["value", "response_id"])
    made = given.groupby(["item_id", "annotator_id"])["value"].nunique().groupby("item_id").mean()
    prompt = given.groupby("item_id")["prompt_id"].first()
    clusters: dict[int, float] = {}
    for item, group in given.groupby("item_id", sort=True):
        members = [vectors[int(r)] for r in sorted(set(group["response_id"])) if int(r) in vectors]
        if len(members) > 1 and threshold is not None:
            clusters[int(str(item))] = float(len(ideas(cosine_matrix(members), [threshold.cosine])[0].sizes))
    table = pd.DataFrame({"groups": made, "ideas": pd.Series(clusters, dtype=float), "prompt_id": prompt})
    each = table.groupby("prompt_id", sort=True)[["groups", "ideas"]].mean().to_numpy(dtype=np.float64)
    estimates = means_over_prompts(each, undefined="No set was sorted into groups by several people.")
    return estimates[0], estimates[1]
