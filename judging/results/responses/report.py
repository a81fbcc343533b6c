"""Every response of a study with what people and machines say of it, as one table to filter and sort."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotate.models import Criterion, Response, Study
from judging.frames import tables as frames
from judging.frames.criteria import quality_ratings
from judging.results.cache import kept
from judging.scorers.length import NAME as LENGTH
from judging.stats import describe_items, score_gaps

SORTS = {
    "human": "human mean",
    "score": "score",
    "gap": "gap: people above the machine",
    "unusualness": "unusualness",
    "divisiveness": "divisiveness",
    "length": "length",
}


@dataclass(frozen=True, slots=True)
class Browsed:
    """`table` has one row a response: response_id, prompt_id, source, human, ratings, divisiveness, unusualness,
    log_length, words searched in; `scores` and `gaps` one column a scorer, in the table's order."""

    criterion: Criterion | None
    scorers: list[str]
    table: pd.DataFrame
    scores: pd.DataFrame
    gaps: pd.DataFrame


def browsed(study: Study) -> Browsed:
    criterion = rated_quality(study)
    pool = frames.responses(study)
    ratings = pd.DataFrame()
    if criterion is not None:
        ratings = frames.answers(criterion).drop_duplicates(["annotator_id", "response_id"])
    rows = Response.objects.filter(study=study).order_by("pk").values_list("pk", "source", "prompt_id")
    table = pd.DataFrame.from_records(list(rows), columns=["response_id", "source", "prompt_id"])
    table["source"] = table["source"].astype("category")
    table = table.merge(pool.drop(columns="prompt_id"), on="response_id", how="left")
    table = table.merge(_human(criterion, ratings), on="response_id", how="left")
    table["ratings"] = table["ratings"].fillna(0).astype(int)
    given = frames.scores(study)
    names = [*sorted(set(given["scorer"])), LENGTH]
    once = given.drop_duplicates(["response_id", "scorer"])
    scores = once.pivot(index="response_id", columns="scorer", values="score")
    scores = scores.reindex(table["response_id"]).reset_index(drop=True)
    scores[LENGTH] = table["log_length"]
    gaps = pd.DataFrame({name: _gap(ratings, table, scores[name]) for name in names})
    return Browsed(criterion, names, table, scores[names], gaps)


def rated_quality(study: Study) -> Criterion | None:
    """The first criterion that rates the quality of single responses."""
    return next(iter(quality_ratings(study)), None)


def _human(criterion: Criterion | None, ratings: pd.DataFrame) -> pd.DataFrame:
    """response_id, human, ratings, divisiveness: Shannon's entropy of the ratings, in bits."""
    if criterion is None or ratings.empty:
        return pd.DataFrame({"response_id": [], "human": [], "ratings": [], "divisiveness": []}, dtype=float)
    unit = ratings["response_id"].to_numpy(dtype=np.int64)
    described = describe_items(unit, ratings["value"].to_numpy(dtype=float), criterion.points)
    found = described[["unit", "mean", "n", "entropy_bits"]]
    found.columns = pd.Index(["response_id", "human", "ratings", "divisiveness"])
    return found.astype({"response_id": "int64"})


def _gap(ratings: pd.DataFrame, table: pd.DataFrame, score: pd.Series) -> pd.Series:
    """SDs that the score lies below what people's ratings let one expect; NaN where nothing can be said."""
    nothing = pd.Series(np.nan, index=table.index)
    if ratings.empty:
        return nothing
    scored = table[["response_id", "prompt_id", "unusualness"]].assign(score=score.to_numpy(dtype=float))
    # The gap needs no unusualness: what is not embedded has one too.
    found = score_gaps(ratings, scored.assign(unusualness=scored["unusualness"].fillna(0.0)))
    return table["response_id"].map(found.set_index("response_id")["gap"]) if len(found) else nothing


@dataclass(frozen=True, slots=True)
class Asked:
    """What to show: a scorer, filters, and an order."""

    scorer: str
    sort: str
    descending: bool
    source: str = ""
    prompt: int | None = None
    least_ratings: int = 0
    words: str = ""


def chosen(study: Study, found: Browsed, asked: Asked) -> npt.NDArray[np.int64]:
    """Places of the rows asked for, in order; what lacks the number sorted by comes last."""
    table = found.table
    keep = (table["ratings"] >= asked.least_ratings).to_numpy()
    if asked.source:
        keep = keep & (table["source"] == asked.source).to_numpy()
    if asked.prompt is not None:
        keep = keep & (table["prompt_id"] == asked.prompt).to_numpy()
    if asked.words:
        keep = keep & np.isin(table["response_id"], _having(study, asked.words))
    places = np.flatnonzero(keep)
    by = _sorted_by(found, asked)[places]
    # Rows come by number already, and a stable sort leaves those that are equal so.
    return places[np.argsort(-by if asked.descending else by, kind="stable")]


def _having(study: Study, words: str) -> npt.NDArray[np.int64]:
    """Responses with these words. Every text is read for it, which takes seconds in a large study."""
    rows = Response.objects.filter(study=study, text__icontains=words).order_by("pk")
    return kept(study, f"having:{words}", lambda: np.array(rows.values_list("pk", flat=True), dtype=np.int64))


def _sorted_by(found: Browsed, asked: Asked) -> npt.NDArray[np.float64]:
    match asked.sort:
        case "score":
            column = found.scores[asked.scorer]
        case "gap":
            column = found.gaps[asked.scorer]
        case "length":
            column = found.table["log_length"]
        case _:
            column = found.table[asked.sort]
    return column.to_numpy(dtype=float)


def shown(study: Study, found: Browsed, asked: Asked, places: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """The rows at these places with their texts; None for what is undefined."""
    rows = found.table.iloc[places].assign(
        score=found.scores[asked.scorer].iloc[places], gap=found.gaps[asked.scorer].iloc[places]
    )
    pks = [int(pk) for pk in rows["response_id"]]
    texts = {r.pk: r for r in Response.objects.filter(study=study, pk__in=pks).select_related("prompt")}
    records = rows.to_dict("records")
    return [
        {str(k): None if isinstance(v, float) and np.isnan(v) else v for k, v in record.items()}
        | {"response": texts[pk]}
        for pk, record in zip(pks, records, strict=True)
    ]
