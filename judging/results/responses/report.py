"""Every response of a study with what people and machines say of it, as one table to filter and sort."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotate.models import Criterion, Response, Study
from judging.frames import tables as frames
from judging.frames.criteria import quality_ratings
from judging.results.cache import cached
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
class Responses:
    """`table` has one row a response: response_id, prompt_id, source, human, ratings, divisiveness, unusualness,
    log_length, words searched in; `scores` and `gaps` one column a scorer, in the table's order."""

    criterion: Criterion | None
    scorers: list[str]
    table: pd.DataFrame
    scores: pd.DataFrame
    gaps: pd.DataFrame


def every_response(study: Study) -> Responses:
    criterion = rated_quality(study)
    measured = frames.responses(study)
    ratings = pd.DataFrame()
    if criterion is not None:
        ratings = frames.answers(criterion).drop_duplicates(["annotator_id", "response_id"])
    rows = study.responses.in_pool().order_by("pk").values_list("pk", "source", "prompt_id")
    table = pd.DataFrame.from_records(list(rows), columns=["response_id", "source", "prompt_id"])
    table["source"] = table["source"].astype("category")
    table = table.merge(measured.drop(columns="prompt_id"), on="response_id", how="left")
    table = table.merge(_human(criterion, ratings), on="response_id", how="left")
    table["ratings"] = table["ratings"].fillna(0).astype(int)
    known = frames.scores(study)
    names = [*sorted(set(known["scorer"])), LENGTH]
    once = known.drop_duplicates(["response_id", "scorer"])
    scores = once.pivot(index="response_id", columns="scorer", values="score")
    scores = scores.reindex(table["response_id"]).reset_index(drop=True)
    scores[LENGTH] = table["log_length"]
    gaps = pd.DataFrame({name: _gap(ratings, table, scores[name]) for name in names})
    return Responses(criterion, names, table, scores[names], gaps)


def rated_quality(study: Study) -> Criterion | None:
    """The first criterion that rates the quality of single responses."""
    return next(iter(quality_ratings(study)), None)


def _human(criterion: Criterion | None, ratings: pd.DataFrame) -> pd.DataFrame:
    """response_id, human, ratings, divisiveness: Shannon's entropy of the ratings, in bits."""
    if criterion is None or ratings.empty:
        return pd.DataFrame({"response_id": [], "human": [], "ratings": [], "divisiveness": []}, dtype=float)
    unit = ratings["response_id"].to_numpy(dtype=np.int64)
    described = describe_items(unit, ratings["value"].to_numpy(dtype=float), criterion.points)
    human = described[["unit", "mean", "n", "entropy_bits"]]
    human.columns = pd.Index(["response_id", "human", "ratings", "divisiveness"])
    return human.astype({"response_id": "int64"})


def _gap(ratings: pd.DataFrame, table: pd.DataFrame, score: pd.Series) -> pd.Series:
    """SDs that the score lies below what people's ratings predict; NaN where nothing can be said."""
    nothing = pd.Series(np.nan, index=table.index)
    if ratings.empty:
        return nothing
    scored = table[["response_id", "prompt_id", "unusualness"]].assign(score=score.to_numpy(dtype=float))
    # The gap needs no unusualness: what is not embedded has one too.
    rows = score_gaps(ratings, scored.assign(unusualness=scored["unusualness"].fillna(0.0)))
    return table["response_id"].map(rows.set_index("response_id")["gap"]) if len(rows) else nothing


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show: a scorer, filters, and an order."""

    scorer: str
    sort: str
    descending: bool
    source: str = ""
    prompt: int | None = None
    least_ratings: int = 0
    words: str = ""


def chosen(study: Study, every: Responses, filters: Filters) -> npt.NDArray[np.int64]:
    """Places of the rows that pass the filters, in order; rows without the number that they are sorted by come last."""
    table = every.table
    keep = (table["ratings"] >= filters.least_ratings).to_numpy()
    if filters.source:
        keep = keep & (table["source"] == filters.source).to_numpy()
    if filters.prompt is not None:
        keep = keep & (table["prompt_id"] == filters.prompt).to_numpy()
    if filters.words:
        keep = keep & np.isin(table["response_id"], _having(study, filters.words))
    places = np.flatnonzero(keep)
    by = _sorted_by(every, filters)[places]
    # Rows come by number already, and a stable sort leaves those that are equal so.
    return places[np.argsort(-by if filters.descending else by, kind="stable")]


def _having(study: Study, words: str) -> npt.NDArray[np.int64]:
    """Responses with these words. Every text is read for it, which takes seconds in a large study."""
    rows = study.responses.in_pool().filter(text__icontains=words).order_by("pk")
    return cached(
        study, f"having:{words}", lambda: np.array(rows.values_list("pk", flat=True), dtype=np.int64)
    )


def _sorted_by(every: Responses, filters: Filters) -> npt.NDArray[np.float64]:
    match filters.sort:
        case "score":
            column = every.scores[filters.scorer]
        case "gap":
            column = every.gaps[filters.scorer]
        case "length":
            column = every.table["log_length"]
        case _:
            column = every.table[filters.sort]
    return column.to_numpy(dtype=float)


def rows_at(
    study: Study, every: Responses, filters: Filters, places: npt.NDArray[np.int64]
) -> list[dict[str, Any]]:
    """The rows at these places with their texts; None for what is undefined."""
    rows = every.table.iloc[places].assign(
        score=every.scores[filters.scorer].iloc[places], gap=every.gaps[filters.scorer].iloc[places]
    )
    pks = [int(pk) for pk in rows["response_id"]]
    texts = {
        r.pk: r for r in Response.objects.filter(study=study, pk__in=pks).select_related("prompt", "study")
    }
    records = rows.to_dict("records")
    return [
        {str(k): None if isinstance(v, float) and np.isnan(v) else v for k, v in record.items()}
        | {"response": texts[pk]}
        for pk, record in zip(pks, records, strict=True)
    ]
